import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCommandLine, UsageError, type Command } from "./command.ts";
import { LOAD_OPTIONS } from "./load-options.ts";
import { readLoadOrder, type LoadOrder } from "./load-order.ts";

const COMMAND = { options: LOAD_OPTIONS, hasOwnFlags: true } as unknown as Command;
const CWD = "/work/shop";
const IO = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: CWD };

function read(words: string | readonly string[]): LoadOrder {
  const list = typeof words === "string" ? words.split(" ") : words;
  return readLoadOrder(parseCommandLine(list, COMMAND), IO);
}

describe("readLoadOrder()", () => {
  it("sends to a service of the Millrace here when nobody says otherwise", () => {
    expect(read("iris --rate 500")).toEqual({
      name: undefined,
      target: { kind: "service", name: "iris", url: undefined, grpcUrl: undefined },
      message: {
        method: undefined,
        headers: [],
        bodyFile: undefined,
        dataFile: undefined,
        dataOrder: "in-turn",
        batch: undefined,
      },
      protocol: { kind: "http", http2: "if it has it" },
      arrivals: {
        rate: "500",
        profile: undefined,
        arrivals: undefined,
        clients: undefined,
        think: undefined,
        since: undefined,
        until: undefined,
        speed: undefined,
        maxWorkers: undefined,
      },
      durationMs: undefined,
      sending: {
        warmupMs: 1_000,
        timeoutMs: 30_000,
        connectionsAtStart: 10,
        connectionsMax: 10_000,
        connectionsKept: 10_000,
        keepAlive: true,
        connect: { localAddress: undefined, unixSocket: undefined },
        seed: 1,
      },
      threads: undefined,
      tls: {
        isInsecure: false,
        rootFiles: [],
        certificateFile: undefined,
        keyFile: undefined,
      },
      objectives: undefined,
      capacity: undefined,
      outputs: {
        json: undefined,
        html: undefined,
        junit: undefined,
        results: undefined,
        isStdoutTaken: false,
      },
      isQuiet: false,
    });
  });

  it("reads vegeta's attack flags as vegeta does", () => {
    const order = read([
      ..."-targets=t.txt -format json -rate=30000/1m -duration=1m30s -timeout 500ms".split(" "),
      ..."-body=b.json -workers 4 -max-workers 20 -connections 50 -keepalive=false".split(" "),
      ..."-insecure -root-certs a.pem,/b.pem -cert c.pem -laddr 127.0.0.2".split(" "),
      ..."-name|attack|-header|X-A: 1|-header|x-a:2".split("|"),
    ]);
    expect(order).toMatchObject({
      name: "attack",
      target: { kind: "targets", file: join(CWD, "t.txt"), format: "json" },
      message: {
        bodyFile: join(CWD, "b.json"),
        headers: [
          ["X-A", "1"],
          ["x-a", "2"],
        ],
      },
      arrivals: { rate: "30000/1m", maxWorkers: 20 },
      durationMs: 90_000,
      sending: {
        timeoutMs: 500,
        connectionsAtStart: 4,
        connectionsMax: 20,
        connectionsKept: 50,
        keepAlive: false,
        connect: { localAddress: "127.0.0.2" },
      },
      tls: {
        isInsecure: true,
        rootFiles: [join(CWD, "a.pem"), "/b.pem"],
        certificateFile: join(CWD, "c.pem"),
        keyFile: join(CWD, "c.pem"),
      },
    });
  });

  it("takes a URL, a pipe, another Millrace, and a time without end", () => {
    expect(read("http://localhost:8000/a -duration 0")).toMatchObject({
      target: { kind: "url", url: "http://localhost:8000/a" },
      durationMs: Infinity,
    });
    expect(read("-targets=stdin").target).toMatchObject({ kind: "targets", file: undefined });
    expect(read("--targets -").target).toMatchObject({ format: "http", file: undefined });
    expect(read("iris --url http://10.0.0.7:8000 --protocol grpc")).toMatchObject({
      target: { url: "http://10.0.0.7:8000" },
      protocol: { kind: "grpc" },
    });
  });

  it("knows the versions of HTTP", () => {
    expect(read("iris -http2=false").protocol).toEqual({ kind: "http", http2: "never" });
    expect(read("iris -h2c").protocol).toEqual({ kind: "http", http2: "in clear" });
    expect(read("iris -http2").protocol).toEqual({ kind: "http", http2: "if it has it" });
  });

  it("takes more connections than by default where that is said", () => {
    for (const flag of ["-max-connections", "-max-workers"]) {
      expect(read(`iris ${flag} 18000`).sending.connectionsMax).toBe(18_000);
    }
  });

  it("opens no more connections at the start than there may be", () => {
    expect(read("iris -workers 100 -max-connections 5 -max-workers 8")).toMatchObject({
      sending: { connectionsAtStart: 5, connectionsMax: 5 },
      arrivals: { maxWorkers: 8 },
    });
  });

  it("puts reports where they are wanted", () => {
    const { outputs } = read("iris --json - --html r.html --junit r.xml --output r.csv");
    expect(outputs).toEqual({
      json: { kind: "stdout" },
      html: { kind: "file", path: join(CWD, "r.html") },
      junit: { kind: "file", path: join(CWD, "r.xml") },
      results: { kind: "file", path: join(CWD, "r.csv") },
      isStdoutTaken: true,
    });
  });

  it.each([
    ["--rate 5", "expected a service, a URL, or --targets FILE (- reads a pipe)"],
    ["a b", "expected one service or URL, found a, b"],
    ["iris --targets t", 'expected "iris" or --targets, found both'],
    ["localhost:8000", "expected a service or a URL that begins with http:// or https://"],
    ["http://", "the URL: expected http://host:port/path, found something else"],
    ["iris --url 10.0.0.7", "--url: expected http://host:port/path"],
    ["http://a --url http://b", "--url goes with a service"],
    ["iris --format json", "--format goes with --targets"],
    ["iris --duration 10", "--duration: expected a duration with its unit, from 0 to 720h"],
    ["iris --duration -1s", "--duration: expected a duration"],
    ["iris --timeout 0", "--timeout: expected a duration with its unit, from 1ms to 1h"],
    ["iris --workers many", "--workers: expected a whole number from 0 to 60000"],
    ["iris --max-workers 0", "--max-workers: expected a whole number from 1"],
    ["iris --threads 0", "--threads: expected a whole number from 1 to 128"],
    ["iris --seed 1.5", "--seed: expected a whole number from 0 to 4294967295"],
    ["iris --protocol tcp", '--protocol: expected http or grpc, found "tcp"'],
    ["iris --protocol grpc --http2=false", "--protocol grpc is HTTP/2"],
    ["iris --h2c --http2=false", "--h2c is HTTP/2"],
    ["iris --keepalive=maybe", '--keepalive: expected true or false, found "maybe"'],
    ["iris --method PUT", "--method goes with a URL"],
    ["http://a --method {}", "--method: expected one such as PUT"],
    ["http://a --data r.csv", "--data goes with --body"],
    ["http://a --batch 8", "--batch goes with --body"],
    ["iris --since 1h", "--since goes with --arrivals replay"],
    ["iris --arrivals replay --rate 5", "--rate is not for --arrivals replay"],
    ["iris --arrivals replay --data r.csv", "--data is not for --arrivals replay"],
    ["iris --find-capacity --arrivals closed", "--find-capacity goes with --arrivals constant"],
    ["iris --precise", "--precise goes with --find-capacity"],
    ["iris --find-capacity --rate 5", "leave --rate away"],
    ["http://a --find-capacity --apply", "--apply goes with a service"],
    ["iris --find-capacity --apply --url http://a", "--apply goes with a service"],
    ["iris --find-capacity --junit r.xml", "--junit is of one run"],
    ["iris --json r --html r", "--json and --html are both /work/shop/r"],
    ["--targets t.txt --output t.txt", "--targets and --output are both /work/shop/t.txt"],
    ["attack --targets t.txt", "leave the word attack out"],
    ["iris --json - --output -", "--json and --output are both the standard output"],
    ["iris --rat 5", "unknown option --rat; did you mean --rate?"],
    ["iris -chunked", "--chunked is not supported: bodies are sent with their length"],
    ["iris -c 10", "--c is not supported: say --clients for callers that wait"],
    ["iris -d 10s", "--d is not supported: say --duration"],
    ["-redirects 3 iris", "--redirects is not supported"],
    ["-redirects=3 iris", "--redirects is not supported: a redirect is not followed"],
    ["iris --name=", "--name needs a value"],
  ])("refuses %s", (words, message) => {
    const refusal = refusalOf(words);
    expect(refusal).toBeInstanceOf(UsageError);
    expect((refusal as Error).message).toContain(message);
  });

  it.each([
    [["iris", "--key", "SECRET"], "--key is the file of the private key that belongs to --cert"],
    [["iris", "--header", "authorization SECRET"], "--header: expected NAME: VALUE"],
    [["iris", "--header", "x-a: SECRET\r\nx-b: 1"], "--header x-a: its value has characters"],
    [["iris", "--header", "a b: SECRET"], '--header: "a b" is no name of a header'],
    [["iris", "--header", "Content-Length: 3"], "--header Content-Length: it is written by"],
    [["https://me:SECRET@"], "the URL: expected http://host:port/path"],
  ])("refuses %j without showing what may be secret", (words, message) => {
    const refusal = refusalOf(words) as Error;
    expect(refusal.message).toContain(message);
    expect(refusal.message).not.toContain("SECRET");
  });

  function refusalOf(words: string | readonly string[]): unknown {
    try {
      return read(words);
    } catch (error) {
      return error;
    }
  }
});
