import { describe, expect, it } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { LoadInputError } from "../load-input-error.ts";
import { encodeResults } from "./encode-results.ts";
import { mergeResults } from "./merge-results.ts";
import { parseResultFormat } from "./parse-result-format.ts";
import { readResults } from "./read-results.ts";
import { jsonReport } from "../reports/json-report.ts";
import type { ResultFormat, StoredResult } from "./stored-result.ts";
import { tallyResults } from "./tally-results.ts";
import { MIXED, storedResult, tallyOf } from "../reports/test-metrics.ts";

const T0 = 1_790_129_387_935_870_875n;
const MS = 1_000_000n;

/** What vegeta's encoders were given when they wrote CSV and JSON. */
const RECORDED: readonly StoredResult[] = [
  storedResult({
    attack: "a",
    timestampNs: T0,
    latencyNs: 1_500_000,
    bytesOut: 0,
    bytesIn: 2,
    body: "b2s=",
    url: "http://127.0.0.1:8080/",
    headers: new Map([["Content-Type", ["text/plain"]]]),
  }),
  storedResult({
    attack: "a",
    seq: 1,
    code: 0,
    timestampNs: T0 + MS,
    latencyNs: 300_000,
    bytesOut: 0,
    bytesIn: 0,
    error: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    url: "http://127.0.0.1:1/",
  }),
  storedResult({
    attack: "a",
    seq: 2,
    code: 500,
    timestampNs: T0 + 2n * MS,
    latencyNs: 25_000_000,
    bytesOut: 3,
    bytesIn: 4,
    error: "500 Internal Server Error",
    body: "Ym9vbQ==",
    method: "POST",
    url: "http://h/x",
    headers: new Map([["Set-Cookie", ["a=1", "b=2"]]]),
  }),
  storedResult({
    seq: 3,
    timestampNs: T0 + 3n * MS,
    latencyNs: 7_000_000,
    bytesOut: 0,
    bytesIn: 0,
    body: "",
    url: 'http://h/q?x="1",2',
    headers: new Map(),
  }),
  storedResult({
    attack: "b",
    seq: 4_294_967_296,
    code: 404,
    timestampNs: T0 + 4n * MS,
    latencyNs: 999_000,
    bytesOut: 0,
    bytesIn: 0,
    error: "404 Not Found",
    body: "YSxiCiJjIg==",
  }),
  storedResult({
    attack: "c",
    seq: 5,
    code: 302,
    timestampNs: 999n,
    latencyNs: 1,
    bytesOut: 0,
    bytesIn: 0,
    body: "",
    url: "http://h/r",
    headers: new Map([["Location", ["/x"]]]),
  }),
];

const CSV = `\
1790129387935870875,200,1500000,0,2,,b2s=,a,0,GET,http://127.0.0.1:8080/,Q29udGVudC1UeXBlOiB0ZXh0L3BsYWluDQoNCg==
1790129387936870875,0,300000,0,0,"Get ""http://127.0.0.1:1/"": dial tcp 127.0.0.1:1: connect: connection refused",,a,1,GET,http://127.0.0.1:1/,
1790129387937870875,500,25000000,3,4,500 Internal Server Error,Ym9vbQ==,a,2,POST,http://h/x,U2V0LUNvb2tpZTogYT0xDQpTZXQtQ29va2llOiBiPTINCg0K
1790129387938870875,200,7000000,0,0,,,,3,GET,"http://h/q?x=""1"",2",DQo=
1790129387939870875,404,999000,0,0,404 Not Found,YSxiCiJjIg==,b,4294967296,GET,http://h/,
999,302,1,0,0,,,c,5,GET,http://h/r,TG9jYXRpb246IC94DQoNCg==
`;

const JSON_LINES = `\
{"attack":"a","seq":0,"code":200,"timestamp":"2026-09-23T02:09:47.935870875Z","latency":1500000,"bytes_out":0,"bytes_in":2,"error":"","body":"b2s=","method":"GET","url":"http://127.0.0.1:8080/","headers":{"Content-Type":["text/plain"]}}
{"attack":"a","seq":1,"code":0,"timestamp":"2026-09-23T02:09:47.936870875Z","latency":300000,"bytes_out":0,"bytes_in":0,"error":"Get \\"http://127.0.0.1:1/\\": dial tcp 127.0.0.1:1: connect: connection refused","body":null,"method":"GET","url":"http://127.0.0.1:1/","headers":null}
{"attack":"a","seq":2,"code":500,"timestamp":"2026-09-23T02:09:47.937870875Z","latency":25000000,"bytes_out":3,"bytes_in":4,"error":"500 Internal Server Error","body":"Ym9vbQ==","method":"POST","url":"http://h/x","headers":{"Set-Cookie":["a=1","b=2"]}}
{"attack":"","seq":3,"code":200,"timestamp":"2026-09-23T02:09:47.938870875Z","latency":7000000,"bytes_out":0,"bytes_in":0,"error":"","body":"","method":"GET","url":"http://h/q?x=\\"1\\",2","headers":{}}
{"attack":"b","seq":4294967296,"code":404,"timestamp":"2026-09-23T04:09:47.939870875+02:00","latency":999000,"bytes_out":0,"bytes_in":0,"error":"404 Not Found","body":"YSxiCiJjIg==","method":"GET","url":"http://h/","headers":null}
{"attack":"c","seq":5,"code":302,"timestamp":"1970-01-01T00:00:00.000000999Z","latency":1,"bytes_out":0,"bytes_in":0,"error":"","body":"","method":"GET","url":"http://h/r","headers":{"Location":["/x"]}}
`;

/** Ours are all in UTC. */
const JSON_IN_UTC = JSON_LINES.replace("04:09:47.939870875+02:00", "02:09:47.939870875Z");

async function* pieces<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

/** As they come from a file or a pipe: in pieces of any length, in the middle of a character too. */
function read(text: string, pieceBytes = 7): AsyncGenerator<readonly StoredResult[], void> {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / pieceBytes);
  const cut = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  );
  return readResults(pieces(cut), "results.csv");
}

async function all(
  results: AsyncIterable<readonly StoredResult[]>,
): Promise<readonly StoredResult[]> {
  const found: StoredResult[] = [];
  for await (const piece of results) found.push(...piece);
  return found;
}

async function encoded(results: readonly StoredResult[], format: ResultFormat): Promise<string> {
  let text = "";
  for await (const piece of encodeResults(pieces([results]), format)) text += piece;
  return text;
}

/** csv has no way to say that a body was not kept. */
function withBody(result: StoredResult): StoredResult {
  return { ...result, body: result.body ?? "" };
}

describe("encodeResults()", () => {
  it("writes csv and JSON as vegeta does, byte by byte", async () => {
    expect(await encoded(RECORDED, "csv")).toBe(CSV);
    expect(await encoded(RECORDED, "json")).toBe(JSON_IN_UTC);
  });

  it("escapes in JSON what Go escapes", async () => {
    const odd = storedResult({ error: "<&>\u2028\b\f\t\u007f\ud800", attack: "é\\" });
    const line = await encoded([odd], "json");
    expect(line).toContain('"error":"\\u003c\\u0026\\u003e\\u2028\\u0008\\u000c\\t\u007f\ufffd"');
    expect(line).toContain('"attack":"é\\\\"');
  });

  it("quotes in csv what Go quotes", async () => {
    const line = await encoded(
      [storedResult({ error: " a", attack: "\\.", method: "a\nb" })],
      "csv",
    );
    expect(line).toContain(',10," a",,"\\.",0,"a\nb",http://h/,\n');
  });
});

describe("readResults()", () => {
  it.each([1, 7, 1 << 16])("reads what vegeta wrote, in pieces of %d bytes", async (bytes) => {
    expect(await all(read(CSV, bytes))).toEqual(RECORDED.map(withBody));
    expect(await all(read(JSON_LINES, bytes))).toEqual(RECORDED);
  });

  it("reads ends of lines of Windows, empty lines and a last line without its end", async () => {
    const text = `\n${CSV.replaceAll("\n", "\r\n\r\n").trimEnd()}`;
    expect(await all(read(text))).toEqual(RECORDED.map(withBody));
    expect(await all(read(JSON_LINES.replaceAll("\n", "\r\n").trimEnd()))).toEqual(RECORDED);
  });

  it("reads members in any order, and leaves those it does not know", async () => {
    const line = '{"x":[1],"latency":5,"timestamp":"2026-09-23T02:09:47Z","code":null,"url":"u"}\n';
    expect(await all(read(line))).toMatchObject([{ latencyNs: 5, code: 0, url: "u", attack: "" }]);
  });

  it("finds nothing in nothing", async () => {
    expect(await all(read(""))).toEqual([]);
  });

  it.each(['1,"', '{"error":"'])(
    "refuses a result that begins with %s and ends nowhere",
    async (begin) => {
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(begin.padEnd(1000, "a"));
        for (;;) yield await Promise.resolve(Buffer.alloc(4 * 1024 * 1024, "a"));
      }
      await expect(all(readResults(endless(), "endless"))).rejects.toThrow(
        "Cannot read endless: result 1: it is longer than 33554432 characters",
      );
    },
  );

  const random = new TestRandom(20261121);

  it(`gives back whatever was written, in both formats (seed ${random.seed})`, async () => {
    const texts = ["", 'a"b', "c,d", "e\nf", " g", "é😀", '"', "\t", "<&>", "{", "\\"];
    const text = (): string => texts[random.below(texts.length)] ?? "";
    for (let round = 0; round < 100; round++) {
      const results = Array.from({ length: 1 + random.below(20) }, (_, seq) =>
        storedResult({
          seq,
          attack: text() + text(),
          code: random.below(600),
          timestampNs: BigInt(random.below(2 ** 31)) * 1_000_000_000n + BigInt(random.below(1e9)),
          latencyNs: random.below(1e9),
          error: text() + text() + text(),
          body: Buffer.from(text()).toString("base64"),
          method: text(),
          url: text() + text(),
          ...(random.below(2) === 0 && { headers: new Map([["A", ["1", "2"]]]) }),
        }),
      );
      const pieceBytes = 1 + random.below(300);
      expect(await all(read(await encoded(results, "csv"), pieceBytes))).toEqual(results);
      expect(await all(read(await encoded(results, "json"), pieceBytes))).toEqual(results);
    }
  });

  it.each([
    [
      "\u0001\u0000gobResult",
      "vegeta's binary form (gob), which only Go reads; make csv of it first: vegeta encode --to csv",
    ],
    ["hello", "neither csv nor JSON lines"],
    ["1,2\n", "result 1: expected 12 fields, found 2"],
    [`${CSV}1,2,x,4,5,,,,9,,,\n`, 'result 7: "x" is no whole number (latency)'],
    [CSV.replace("999,302", "soon,302"), 'result 6: "soon" is no time in ns'],
    ['{"timestamp":"2026-09-23T02:09:47Z","code":"200"}\n', 'result 1: "code" is no whole number'],
    ['{"timestamp":"yesterday"}\n', 'result 1: "timestamp" is no time'],
    ['{"timestamp":"2026-09-23T02:09:47Z","headers":{"a":1}}\n', "no lists of texts"],
    ["{\n", "result 1: it is no JSON"],
    [`${CSV}1,"2`, "result 7: expected 12 fields, found 2"],
  ])("refuses %j", async (text, message) => {
    const refusal = await all(read(text, 1000)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LoadInputError);
    expect((refusal as Error).message).toContain("Cannot read results.csv: ");
    expect((refusal as Error).message).toContain(message);
  });
});

describe("mergeResults()", () => {
  it("gives results of several files by their times, those of the first file first", async () => {
    const even = MIXED.filter((_, i) => i % 2 === 0);
    const odd = MIXED.filter((_, i) => i % 2 === 1);
    const same = storedResult({ timestampNs: MIXED[0]?.timestampNs ?? 0n, attack: "other" });
    const inputs = [even, [], odd, [same]].map((results) => pieces([[], results, []]));
    expect(await all(mergeResults(inputs))).toEqual([MIXED[0], same, ...MIXED.slice(1)]);
  });

  it("gives one file as it is, and nothing of none", async () => {
    expect(await all(mergeResults([read(CSV)]))).toEqual(RECORDED.map(withBody));
    expect(await all(mergeResults([]))).toEqual([]);
  });
});

describe("tallyResults()", () => {
  it("has the numbers of vegeta, whichever way the results were kept and split", async () => {
    const expected = jsonReport(tallyOf(MIXED).metrics());
    for (const format of ["csv", "json"] as const) {
      const first = read(await encoded(MIXED.slice(0, 30), format));
      const second = read(await encoded(MIXED.slice(30), format));
      const tally = await tallyResults(mergeResults([second, first]));
      expect(jsonReport(tally.metrics())).toBe(expected);
    }
  });

  it("has none of nothing", async () => {
    expect((await tallyResults(mergeResults([]), [0])).metrics()).toEqual(
      tallyOf([], [0]).metrics(),
    );
  });
});

describe("parseResultFormat()", () => {
  it("takes csv and json, and says what gob is", () => {
    expect(parseResultFormat("csv", "--to")).toBe("csv");
    expect(parseResultFormat("json", "--to")).toBe("json");
    expect(() => parseResultFormat("gob", "--to")).toThrow(
      /--to: expected csv or json.*only Go has/u,
    );
    expect(() => parseResultFormat("xml", "--to")).toThrow(
      /^--to: expected csv or json, found "xml"$/u,
    );
  });
});
