import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { buffer, text } from "node:stream/consumers";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { LoadReport } from "../../packages/millrace/src/core/load/load-report.ts";
import { testCertificate } from "../../packages/millrace/src/load-test/clients/test-certificate.ts";
import { freePort } from "../free-port.ts";
import { eventually, MillraceProcess, ROOT, runMillrace, type Run } from "./millrace-process.ts";
import { IRIS, Workspace } from "./workspace.ts";

const FILE = `
models:
  iris: { source: ./iris.onnx, sample: [[5.1, 3.5, 1.4, 0.2]] }
  bare: { source: ./iris.onnx }
services:
  iris: { default: true }
  bare: {}
`;

/** Fifty requests, none before them. */
const SHORT = ["--rate", "100", "--duration", "500ms", "--warmup", "0", "--quiet"];

describe("millrace load, of a service", () => {
  let folder: Workspace;
  let server: MillraceProcess;

  beforeAll(async () => {
    folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
    server = await MillraceProcess.start(["up", "--server.processes", "1"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  const run = (...words: string[]): Promise<Run> =>
    runMillrace(["load", ...words], { cwd: folder.path, limitMs: 25_000 });

  async function measured(...words: string[]): Promise<LoadReport> {
    const { code, stdout, stderr } = await run(...words, ...SHORT, "--json", "-");
    if (code !== 0) throw new Error(`it ended with ${String(code)}:\n${stderr}`);
    return JSON.parse(stdout) as LoadReport;
  }

  it("sends the sample of the service that runs in this folder, and prints vegeta's report", async () => {
    const { code, stdout, stderr } = await run("iris", ...SHORT);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Requests {6}\[total, rate, throughput\] {9}50, 102\.04, /);
    expect(stdout).toContain("Status Codes  [code:count]                      200:50");
    expect(stdout).toMatch(/^Starts +\[due, sent, dropped, unanswered\] +50, 50, 0, 0$/m);
  });

  it("says what the server says of the same requests", async () => {
    const { millrace, ...vegeta } = await measured("iris");
    expect(vegeta).toMatchObject({ requests: 50, success: 1, status_codes: { 200: 50 } });
    expect(millrace.targets).toEqual([`POST ${server.url}/services/iris/predict`]);
    expect(millrace.server?.refused).toEqual({});
    expect(millrace.command).toBe(
      "millrace load iris --rate 100 --duration 500ms --warmup 0 --quiet --json -",
    );
  });

  it("speaks gRPC to the same service", async () => {
    const { millrace, status_codes: codes } = await measured("iris", "--protocol", "grpc");
    expect(codes).toEqual({ 200: 50 });
    expect(millrace.protocol).toBe("grpc");
  });

  it("sends rows of a file, in batches", async () => {
    folder.put("rows.csv", "a,b,c,d\n5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3\n");
    for (const protocol of ["http", "grpc"]) {
      const words = ["--data", "rows.csv", "--batch", "1-4", "--protocol", protocol];
      expect((await measured("bare", ...words)).status_codes).toEqual({ 200: 50 });
    }
  });

  it("draws batches from the sample where there is no file", async () => {
    const { status_codes: codes, bytes_out: out } = await measured("iris", "--batch", "3");
    expect(codes).toEqual({ 200: 50 });
    expect(out.mean).toBe(
      '{"data":[[5.1,3.5,1.4,0.2],[5.1,3.5,1.4,0.2],[5.1,3.5,1.4,0.2]]}'.length,
    );
  });

  it("sends what the log has again, when it came", async () => {
    for (let i = 0; i < 5; i++) {
      const body = JSON.stringify({ data: [[5.1, 3.5, 1.4, i]] });
      const reply = await fetch(`${server.url}/services/bare/predict`, { method: "POST", body });
      expect(reply.status).toBe(200);
    }
    const words = ["bare", "--arrivals", "replay", "--speed", "10", "--quiet", "--json", "-"];
    const report = await eventually(async () => {
      const { code, stdout } = await run(...words);
      const found = code === 0 ? (JSON.parse(stdout) as LoadReport) : undefined;
      return found !== undefined && found.requests >= 5 ? found : undefined;
    }, "the rows of the log");
    expect(report.status_codes).toEqual({ 200: report.requests });
    expect(report.millrace.arrivals).toContain("recorded starts");
  });

  it.each([
    [
      "iriss",
      2,
      /^there is no service "iriss" at http.*, there is iris, bare; did you mean "iris"\?\nUsage: millrace load /,
    ],
    ["bare", 2, /^service "bare" has no sample to send: give --data FILE with rows or --body FILE/],
    ["iris --data none.csv", 2, /none\.csv/],
    [
      "iris --data wide.csv",
      2,
      /service "iris" takes rows of 4, the file has 5 columns: a, b, c, d, e/,
    ],
    [
      "iris --arrivals replay --since 2020-01-01 --until 2020-01-02",
      1,
      /^Cannot replay requests of "iris": the log has none/,
    ],
  ])("load %s ends with %i and says why", async (words, code, message) => {
    folder.put("wide.csv", "a,b,c,d,e\n1,2,3,4,5\n");
    const result = await run(...words.split(" "), ...SHORT.slice(4));
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: "" });
  });
});

describe("millrace load, of a URL", () => {
  let folder: Workspace;
  let server: TestServer;
  let url: string;

  beforeAll(async () => {
    folder = new Workspace({ "body.json": '{"seq": {{seq}}}' });
    server = new TestServer();
    url = await server.listen();
  });
  beforeEach(() => {
    server.requests.length = 0;
    server.status = 200;
  });
  afterAll(async () => {
    await server.close();
    folder[Symbol.dispose]();
  });

  const run = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> =>
    runMillrace(["load", ...words], { cwd: folder.path, env, limitMs: 25_000 });

  it("leaves a report for everybody who reads one, and every result", async () => {
    const outputs = [
      "--json",
      "r.json",
      "--html",
      "r.html",
      "--junit",
      "r.xml",
      "--output",
      "r.csv",
    ];
    const slo = ["--slo", "errors<=0%,p99<30s"];
    const { code, stdout } = await run([url, ...SHORT, ...slo, ...outputs]);
    const report = JSON.parse(readFileSync(folder.file("r.json"), "utf8")) as LoadReport;
    // A machine that is too busy spoils the run, and with it the objectives.
    expect(code).toBe(report.millrace.valid ? 0 : 1);
    expect(report.millrace.objectives).toEqual([
      { objective: "errors<=0%", met: true, found: "0%" },
      { objective: "p99<30s", met: true, found: expect.stringMatching(/ms$/) as string },
    ]);
    expect(stdout).toMatch(/^Objectives +\[met, all\] +2, 2$/m);
    expect(readFileSync(folder.file("r.html"), "utf8")).toContain("<!doctype html>");
    expect(readFileSync(folder.file("r.xml"), "utf8")).toContain('tests="3" failures="0"');
    const rows = readFileSync(folder.file("r.csv"), "utf8").trimEnd().split("\n");
    expect(rows).toHaveLength(50);
    expect(rows[0]?.split(",")).toHaveLength(12);
    expect(server.requests).toHaveLength(50);
  });

  it("reads results again, in either form", async () => {
    await run([url, ...SHORT, "--output", "again.json"]);
    const encoded = await run(["encode", "--to", "csv", "again.json"]);
    expect(encoded.code).toBe(0);
    folder.put("again.csv", encoded.stdout);
    const [fromJson, fromCsv] = await Promise.all([
      run(["report", "--type", "json", "again.json"]),
      run(["report", "-type=json", "again.csv"]),
    ]);
    expect(JSON.parse(fromJson.stdout)).toMatchObject({ requests: 50, status_codes: { 200: 50 } });
    expect(fromCsv).toEqual(fromJson);
  });

  it("ends with 1 where an objective is missed, and compares with the run before", async () => {
    await run([url, ...SHORT, "--json", "before.json"]);
    server.status = 503;
    const { code, stdout, stderr } = await run([
      url,
      ...SHORT,
      "--slo",
      "success>99%",
      "--json",
      "after.json",
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe("Objectives missed: success>99% (found 0%)\n");
    expect(stdout).toContain("503 Service Unavailable");
    const compared = await run(["compare", "before.json", "after.json", "--json"]);
    expect(compared.code).toBe(0);
    expect(JSON.parse(compared.stdout)).toMatchObject({
      format: 1,
      metrics: expect.any(Array) as [],
    });
  });

  it("sends targets that come through a pipe, with bodies of files", async () => {
    const targets = `GET ${url}/a\nx-a: 1\n\nPOST ${url}/b\n@body.json\n`;
    const { code, stderr } = await piped(["--targets", "-", ...SHORT], targets);
    expect([code, stderr]).toEqual([0, ""]);
    const paths = server.requests.map(({ path }) => path);
    expect(paths.filter((path) => path === "/a")).toHaveLength(25);
    const posts = server.requests.filter(({ path }) => path === "/b");
    expect(posts.map(({ body }) => JSON.parse(body) as unknown)).toContainEqual({ seq: 49 });
    expect(server.requests.find(({ path }) => path === "/a")?.headers["x-a"]).toBe("1");
  });

  it("takes vegeta's flags with one dash", async () => {
    const words = ["-rate=30/1m", "-duration=2s", "-warmup=0", "-quiet", "-header", "X-B: 2"];
    const { code, stdout } = await run([`${url}/c`, "-body", "body.json", ...words]);
    expect(code).toBe(0);
    expect(stdout).toContain("200:1");
    expect(server.requests).toMatchObject([
      { path: "/c", body: '{"seq": 0}', headers: { "x-b": "2" } },
    ]);
  });

  it("keeps secrets to itself, and gives a key to a Millrace alone", async () => {
    const env = { MILLRACE_KEY: "SECRET-KEY" };
    const outputs = [
      "--json",
      "s.json",
      "--html",
      "s.html",
      "--junit",
      "s.xml",
      "--output",
      "s.csv",
    ];
    const secret = url.replace("//", "//me:SECRET-PASSWORD@");
    const headers = ["--header", "x-token: SECRET-TOKEN"];
    const shown = await run([secret, ...SHORT, ...headers, ...outputs], env);
    expect(shown.code).toBe(0);
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from("me:SECRET-PASSWORD").toString("base64")}`,
      "x-token": "SECRET-TOKEN",
    });
    const files = ["s.json", "s.html", "s.xml", "s.csv"].map((name) => folder.file(name));
    const texts = [...files.map((path) => readFileSync(path, "utf8")), shown.stdout, shown.stderr];
    for (const one of texts) expect(one).not.toMatch(/SECRET|bWU6U0VDUkVU/);
    await run(["iris", "--url", url, ...SHORT], env);
    expect(server.requests.at(-1)).toMatchObject({
      path: "/services/iris/predict",
      body: '{"data":[[1,2]]}',
      headers: { authorization: "Bearer SECRET-KEY" },
    });
  });

  it("sends a picture as it is", async () => {
    folder.put("cat.png", Uint8Array.of(0x89, 0x7b, 0x7b, 0x72, 0x6f, 0x77, 0x7d, 0x7d)); // has {{row}} in it
    expect((await run(["iris", "--url", url, "--body", "cat.png", ...SHORT])).code).toBe(0);
    expect(server.requests[0]).toMatchObject({
      headers: { "content-type": "image/png", "content-length": "8" },
    });
  });

  it("keeps the report of a test that is interrupted", async () => {
    const { code, stdout } = await interrupted([
      url,
      "--duration",
      "60s",
      "--json",
      "i.json",
      "--slo",
      "p99<1h",
    ]);
    expect(code).toBe(130);
    expect(stdout).toMatch(/^Requests /);
    const { millrace } = JSON.parse(readFileSync(folder.file("i.json"), "utf8")) as LoadReport;
    expect(millrace.problems.map((problem) => problem.code)).toContain("interrupted");
  });

  it("ends well when a test without an end is interrupted", async () => {
    const { code, stdout } = await interrupted([url, "--duration", "0"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Requests /);
  });

  it("says what was known when a search for the capacity is interrupted", async () => {
    const { code, stdout } = await interrupted([url, "--find-capacity"]);
    expect(code).toBe(130);
    expect(stdout).toContain("not finished");
  });

  it("sends nothing when what was typed is wrong", async () => {
    const { code, stdout, stderr } = await run([url, "--rate", "fast"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^--rate: expected a number .*, found "fast"\nUsage: millrace load /);
    expect(server.requests).toEqual([]);
  });

  it("says that nobody answers", async () => {
    const port = await freePort();
    const dead = `http://127.0.0.1:${port}`;
    const [plain, service] = await Promise.all([
      run([dead, ...SHORT]),
      run(["iris", "--url", dead, ...SHORT]),
    ]);
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
    expect(service).toMatchObject({ code: 1, stdout: "" });
    expect(service.stderr).toBe(
      `Cannot ask ${dead} for service "iris": connect ECONNREFUSED 127.0.0.1:${port}; start it with millrace up, or give --url\n`,
    );
  });

  it("trusts a certificate that it is told to trust", async () => {
    const { cert, key } = testCertificate();
    folder.put("root.pem", cert);
    const secure = new TestServer(createSecureServer({ cert, key }));
    const address = (await secure.listen()).replace("http:", "https:");
    const refused = await run([address, ...SHORT]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("self-signed certificate");
    const trusted = await run([
      address,
      ...SHORT,
      "--root-certs",
      "root.pem",
      "--slo",
      "errors<=0%",
    ]);
    expect(trusted.stdout).toContain("200:50");
    await secure.close();
  });

  async function interrupted(words: readonly string[]): Promise<Run> {
    const child = start(words);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    await eventually(() => server.requests.length > 80, "requests");
    process.kill(-(child.pid ?? 0), "SIGINT");
    const [stdout, stderr, [code]] = await ended;
    return { code: code as number, stdout, stderr };
  }

  async function piped(words: readonly string[], input: string): Promise<Run> {
    const child = start(words);
    child.stdin.end(input);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    const [stdout, stderr, [code]] = await ended;
    return { code: code as number, stdout, stderr };
  }

  function start(words: readonly string[]) {
    const bin = join(ROOT, "packages/millrace/bin/millrace");
    return spawn(bin, ["load", ...words], { cwd: folder.path, detached: true, stdio: "pipe" });
  }
});

interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers everything, and remembers what was asked; that of a service's metadata as a Millrace does. */
class TestServer {
  readonly requests: SeenRequest[] = [];
  status = 200;
  readonly #server: Server;

  constructor(server: Server = createServer()) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(request)).toString();
    const { url: path = "", headers } = request;
    const isMetadata = path === "/services/iris/metadata";
    if (!isMetadata) this.requests.push({ path, headers, body });
    response.writeHead(isMetadata ? 200 : this.status, { "content-type": "application/json" });
    response.end(isMetadata ? METADATA : "{}");
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const METADATA =
  '{"service":"iris","data_sample":[[1,2]],"inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}]}';
