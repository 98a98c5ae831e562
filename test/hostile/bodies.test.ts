import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, exchange, type Question } from "../e2e/http-client.ts";
import { BODY_BYTES_MAX, HostileServer } from "./hostile-server.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await HostileServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const INT64 = "/v2/models/int64/infer";
const TEXT = "/v2/models/text/infer";

/** A request whose only input stands behind the JSON as bytes. */
function binary(
  input: object,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Question {
  const json = JSON.stringify({
    inputs: [
      {
        name: "INPUT",
        datatype: "INT64",
        shape: [1, 2],
        parameters: { binary_data_size: bytes.length },
        ...input,
      },
    ],
  });
  return {
    headers: { "inference-header-content-length": String(Buffer.byteLength(json)), ...headers },
    body: Buffer.concat([Buffer.from(json), bytes]),
  };
}

const GOOD = binary({}, Buffer.alloc(16, 1));

async function expectRefusal(
  path: string,
  question: Question,
  status: number,
  message: RegExp,
): Promise<void> {
  const reply = await ask(server.url, path, { method: "POST", ...question });
  expect([reply.status, reply.text]).toEqual([status, expect.stringMatching(message)]);
  expect(reply.headers["content-type"]).toBe("application/json");
  expect(reply.json).toEqual({ error: expect.any(String) });
  await server.expectAlive();
}

describe("inference-header-content-length", () => {
  it("is read when it is right", async () => {
    const reply = await ask(server.url, INT64, GOOD);
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining("72340172838076673")]);
  });

  it.each(["99999999999", "9999999999", "18446744073709551616", "-1", "x", "1e2", "0x20", "1.5"])(
    "%j is refused",
    (length) =>
      expectRefusal(
        INT64,
        { ...GOOD, headers: { "inference-header-content-length": length } },
        400,
        /inference-header-content-length/i,
      ),
  );

  it("that cuts the JSON short, or reaches into the bytes, is refused", async () => {
    const length = Number(GOOD.headers?.["inference-header-content-length"]);
    for (const wrong of [1, length - 1, length + 1, length + 16]) {
      const headers = { "inference-header-content-length": String(wrong) };
      await expectRefusal(INT64, { ...GOOD, headers }, 400, /Cannot/);
    }
  });
});

describe("tensors as bytes", () => {
  it.each([
    ["bytes short of the shape", binary({}, Buffer.alloc(8)), /16/],
    ["bytes beyond the shape", binary({}, Buffer.alloc(24)), /16/],
    [
      "a size beyond the body",
      binary({ parameters: { binary_data_size: 1_000 } }, Buffer.alloc(16)),
      /1000/,
    ],
    [
      "a size short of the body",
      binary({ parameters: { binary_data_size: 8 }, shape: [1, 1] }, Buffer.alloc(16)),
      /8/,
    ],
    [
      "a negative size",
      binary({ parameters: { binary_data_size: -16 } }, Buffer.alloc(16)),
      /binary_data_size/,
    ],
    [
      "a fraction as size",
      binary({ parameters: { binary_data_size: 15.5 } }, Buffer.alloc(16)),
      /binary_data_size/,
    ],
    [
      "a size beyond 2^53",
      binary({ parameters: { binary_data_size: 2 ** 60 } }, Buffer.alloc(16)),
      /binary_data_size|bytes/,
    ],
    [
      "a shape whose product overflows",
      binary({ shape: [2 ** 32, 2 ** 32] }, Buffer.alloc(16)),
      /product|shape/,
    ],
    [
      "a shape whose bytes overflow",
      binary({ shape: [2 ** 50, 1] }, Buffer.alloc(16)),
      /product|elements|bytes/,
    ],
    ["a negative extent", binary({ shape: [-1, -2] }, Buffer.alloc(16)), /at least 0/],
  ])("%s is refused", (_name, question, message) => expectRefusal(INT64, question, 400, message));

  const text = (bytes: Buffer, count = 1): Question =>
    binary({ name: "INPUT0", datatype: "BYTES", shape: [count] }, bytes);

  it.each([
    ["a length beyond the end", text(Buffer.from("\xff\xff\xff\xff" + "hi", "latin1"))],
    ["a length that is cut", text(Buffer.from("\x02\0", "latin1"))],
    ["fewer elements than the shape", text(Buffer.from("\x02\0\0\0hi", "latin1"), 2)],
    ["more elements than the shape", text(Buffer.from("\x02\0\0\0hi\0\0\0\0", "latin1"))],
    ["no UTF-8", text(Buffer.from("\x02\0\0\0\xc3(", "latin1"))],
    ["a NUL character", text(Buffer.from("\x03\0\0\0a\0b", "latin1"))],
  ])("text with %s is refused", (_name, question) => expectRefusal(TEXT, question, 400, /Cannot/));

  it("the raw form takes a chunked body, and only a model with one open input", async () => {
    const headers = { "inference-header-content-length": "0" };
    const chunks = ["one", " two", ""].filter(Boolean);
    const reply = await ask(server.url, TEXT, { headers, chunks, method: "POST" });
    expect([reply.status, reply.text]).toEqual([200, expect.stringMatching(/one two$/)]);
    const other = "/v2/models/simple/infer";
    await expectRefusal(other, { headers, body: Buffer.alloc(128) }, 400, /input/);
    await expectRefusal(INT64, { headers, body: Buffer.alloc(17) }, 400, /Cannot/);
  });
});

describe("packed bodies", () => {
  const packed = (encoding: string, body: Uint8Array): Question => ({
    headers: { "content-encoding": encoding },
    body,
  });
  const json = Buffer.from(
    '{"inputs":[{"name":"INPUT","datatype":"INT64","shape":[1,2],"data":[1,2]}]}',
  );
  const bomb = Buffer.alloc(64 * 1024 * 1024, " ");

  it("are read", async () => {
    for (const question of [packed("gzip", gzipSync(json)), packed("deflate", deflateSync(json))]) {
      expect((await ask(server.url, INT64, question)).status).toBe(200);
    }
  });

  it.each([
    ["a gzip bomb", packed("gzip", gzipSync(bomb)), 413, /server\.bodyMax/],
    ["a deflate bomb", packed("deflate", deflateSync(bomb)), 413, /server\.bodyMax/],
    [
      "one byte over the limit",
      packed("gzip", gzipSync(Buffer.alloc(BODY_BYTES_MAX + 1, " "))),
      413,
      /server\.bodyMax/,
    ],
    ["truncated gzip", packed("gzip", gzipSync(json).subarray(0, -9)), 400, /gzip/],
    ["truncated deflate", packed("deflate", deflateSync(json).subarray(0, -5)), 400, /deflate/],
    ["gzip with a wrong checksum", packed("gzip", flipLast(gzipSync(json))), 400, /gzip/],
    ["no gzip at all", packed("gzip", json), 400, /gzip/],
    ["deflate called gzip", packed("gzip", deflateSync(json)), 400, /gzip/],
    ["nothing", packed("gzip", Buffer.alloc(0)), 400, /Cannot/],
    ["two encodings", packed("gzip, gzip", gzipSync(gzipSync(json))), 415, /gzip, gzip/],
  ])("%s is refused", (_name, question, status, message) =>
    expectRefusal(INT64, question, status, message),
  );

  it("many bombs at once leave the server's memory within bounds", async () => {
    const question = packed("gzip", gzipSync(bomb));
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => ask(server.url, INT64, question)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([413]));
    await server.expectAlive();
  });
});

function flipLast(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 5] = (flipped[flipped.length - 5] ?? 0) ^ 1;
  return flipped;
}

describe("many chunks and levels", () => {
  it("3 MB in chunks of 6 bytes are read", async () => {
    const values = `[${"1,".repeat(1_499_999)}1]`;
    const body = Buffer.from(
      `{"inputs":[{"name":"INPUT","datatype":"FP32","shape":[1,1500000],"data":${values}}]}`,
    );
    const chunked = Buffer.alloc(Math.ceil(body.length / 6) * 11 + 32);
    let length = 0;
    for (let at = 0; at < body.length; at += 6) {
      const chunk = body.subarray(at, at + 6);
      length += chunked.write(`${chunk.length}\r\n`, length);
      length += chunk.copy(chunked, length);
      length += chunked.write("\r\n", length);
    }
    length += chunked.write("0\r\n\r\n", length);
    const head =
      "POST /v2/models/fp32/infer HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    const reply = await exchange(
      server.url,
      Buffer.concat([Buffer.from(head), chunked.subarray(0, length)]),
    );
    expect(reply.slice(0, 15)).toBe("HTTP/1.1 200 OK");
    expect(reply).toContain('"shape":[1,1500000]');
    await server.expectAlive();
  });

  const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

  it.each([101, 1_000, 250_000])("%d levels in the index body are refused", (levels) =>
    expectRefusal("/v2/repository/index", { body: `{"x":${deep(levels)}}` }, 400, /deep/),
  );

  it.each(["/predict", "/invocations", "/v1/models/iris:predict"])(
    "250,000 levels at %s are refused",
    async (path) => {
      for (const body of [
        deep(250_000),
        `{"instances":${deep(250_000)}}`,
        `{"inputs":${deep(250_000)}}`,
        '{"a":'.repeat(250_000),
      ]) {
        const reply = await ask(server.url, path, { body });
        expect([path, reply.status]).toEqual([path, 400]);
      }
      await server.expectAlive();
    },
  );
});
