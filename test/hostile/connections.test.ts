import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../e2e/http-client.ts";
import { eventually } from "../e2e/millrace-process.ts";
import { readMetrics } from "../e2e/prometheus.ts";
import { HostileServer } from "./hostile-server.ts";
import { RawConnection } from "./raw-connection.ts";
import { rssMib } from "./run-fuzz.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await HostileServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const ROWS = "[[5.1,3.5,1.4,0.2]]";
const HEAD = `POST /predict/label HTTP/1.1\r\nhost: x\r\ncontent-length: ${ROWS.length}\r\n\r\n`;
const SLOW = `POST /services/slow/predict HTTP/1.1\r\nhost: x\r\ncontent-length: ${ROWS.length}\r\n\r\n`;

async function expectAlive(): Promise<void> {
  await server.expectAlive();
}

async function expectText(connection: RawConnection, text: string): Promise<void> {
  await eventually(() => connection.text.includes(text), "the answer");
}

function connections(count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => RawConnection.open(server.port)));
}

function leave(all: readonly RawConnection[]): void {
  for (const connection of all) connection.socket.destroy();
}

/** Rows that the slow model has worked on. */
async function slowRows(): Promise<number> {
  const { json } = await ask(server.url, "/v2/models/slow/stats");
  const [entry] = (json as { model_stats: { inference_count: number }[] }).model_stats;
  return entry?.inference_count ?? Number.NaN;
}

async function expectModelAtWork(): Promise<void> {
  await eventually(async () => {
    const metrics = await readMetrics(server.process.facts.metrics);
    return metrics.sum("inference_inflight") > 0;
  }, "a model at work");
}

/** Nothing of a request that nobody waits for is left: no place in a queue, no model at work. */
async function expectNothingLeft(): Promise<void> {
  await eventually(async () => {
    const metrics = await readMetrics(server.process.facts.metrics);
    const left = metrics.sum("inference_inflight") + metrics.sum("inference_queue_rows");
    return left === 0;
  }, "an empty server");
}

describe("slow clients", () => {
  it("a request that comes byte by byte is answered", async () => {
    using slow = await RawConnection.open(server.port);
    slow.read();
    await slow.dribble(HEAD + ROWS);
    await expectText(slow, '{"prediction":"setosa"}');
    // And the next one over the same connection, in one piece.
    await slow.write(HEAD + ROWS);
    await eventually(() => slow.text.split("setosa").length === 3, "the second answer");
  });

  it("a chunked body that comes byte by byte is answered", async () => {
    using slow = await RawConnection.open(server.port);
    slow.read();
    const chunks = ROWS.replaceAll(/./g, "1\r\n$&\r\n");
    const head = HEAD.replace(/content-length: \d+/, "transfer-encoding: chunked");
    await slow.dribble(`${head}${chunks}0\r\n\r\n`);
    await expectText(slow, '{"prediction":"setosa"}');
  });

  it.each([
    ["heads that never end", HEAD.slice(0, 30)],
    ["headers without end", `${HEAD.slice(0, -2)}x: `],
    ["bodies that never end", `${HEAD}[[5`],
  ])("500 %s do not keep a good client from its answers", async (_name, begin) => {
    const all = await connections(500);
    await Promise.all(all.map((connection) => connection.write(begin)));
    for (let i = 0; i < 50; i++) {
      await Promise.all(all.slice(0, 20).map((connection) => connection.write(" ")));
      await expectAlive();
    }
    leave(all);
    await expectAlive();
  });

  it("one that does not read its replies costs bounded memory, and gets them all when it reads", async () => {
    using slow = await RawConnection.open(server.port);
    const count = 60;
    const elements = 40_000;
    const body = `{"inputs":[{"name":"INPUT","datatype":"FP32","shape":[1,${elements}],"data":[${"0.1,".repeat(elements - 1)}0.1]}]}`;
    const request = `POST /v2/models/fp32/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const before = rssMib(server.process.mainPid);
    // Replies of 48 MB in all, of which the system's buffers hold a few.
    const written = slow.write(request.repeat(count));
    await expectAlive();
    await Promise.race([
      written,
      eventually(
        () => slow.socket.writableLength > 0 && isStill(slow),
        "a server that stops reading",
      ),
    ]);
    await expectAlive();
    expect(rssMib(server.process.mainPid) - before).toBeLessThan(150);
    slow.read();
    await written;
    await eventually(
      () => slow.text.split("HTTP/1.1 200 OK").length === count + 1 && slow.text.endsWith("]}]}"),
      "all replies",
    );
  });
});

/** Has the socket's queue stopped shrinking? */
function isStill({ socket }: RawConnection): boolean {
  return socket.bytesWritten > 0 && socket.writableNeedDrain;
}

describe("half-open connections", () => {
  it.each([
    ["nothing", ""],
    ["half a head", HEAD.slice(0, 40)],
    ["half a body", HEAD + ROWS.slice(0, 5)],
    [
      "half a chunk",
      HEAD.replace(/content-length: \d+/, "transfer-encoding: chunked") + "ff\r\n[[",
    ],
  ])("one that ends after %s is closed", async (_name, begin) => {
    using half = await RawConnection.open(server.port);
    half.socket.end(begin);
    const reply = await half.readToEnd();
    if (reply !== "") expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    await expectAlive();
  });
});

describe("many connections", () => {
  it("1,000 that say nothing do not keep a good client from its answers", async () => {
    const idle = await connections(1_000);
    for (let i = 0; i < 20; i++) await expectAlive();
    // They are still served when they do speak.
    for (const connection of idle.slice(0, 20)) {
      connection.read();
      await connection.write(HEAD + ROWS);
      await expectText(connection, "setosa");
    }
    leave(idle);
    await expectAlive();
  });

  it("1,000 that come and go at once do no harm", async () => {
    for (let round = 0; round < 5; round++) leave(await connections(200));
    await expectAlive();
  });
});

describe("a client that goes away", () => {
  it.each([
    ["during the head", HEAD.slice(0, 40)],
    ["between head and body", HEAD],
    ["during the body", HEAD + ROWS.slice(0, 8)],
    [
      "during a chunk",
      HEAD.replace(/content-length: \d+/, "transfer-encoding: chunked") + "13\r\n[[",
    ],
    ["before its answer", HEAD + ROWS],
    ["with several requests on their way", (HEAD + ROWS).repeat(10)],
  ])("%s leaves nothing behind", async (_name, begin) => {
    const all = await connections(100);
    await Promise.all(all.map((connection) => connection.write(begin)));
    leave(all);
    await expectAlive();
    await expectNothingLeft();
  });

  it("while it waits in the queue, its work is dropped", async () => {
    const before = await slowRows();
    const waiting = await connections(100);
    using running = await RawConnection.open(server.port);
    running.read();
    await running.write(SLOW + ROWS);
    await expectModelAtWork();
    await Promise.all(waiting.map((connection) => connection.write(SLOW + ROWS)));
    leave(waiting);
    await expectText(running, '"prediction":[5.0');
    await expectNothingLeft();
    // One batch may have been handed over before its clients left.
    const rows = (await slowRows()) - before;
    expect(rows).toBeGreaterThanOrEqual(1);
    expect(rows).toBeLessThanOrEqual(1 + 64);
  });

  it("while the model runs, does no harm", async () => {
    using running = await RawConnection.open(server.port);
    await running.write(SLOW + ROWS);
    await expectModelAtWork();
    running.socket.destroy();
    await expectNothingLeft();
    await expectAlive();
  });

  it("while its answer is sent, does no harm", async () => {
    const elements = 100_000;
    const body = `{"inputs":[{"name":"INPUT","datatype":"FP32","shape":[1,${elements}],"data":[${"0.1,".repeat(elements - 1)}0.1]}]}`;
    const head = `POST /v2/models/fp32/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
    const all = await connections(5);
    for (const connection of all) {
      await connection.write(head + body);
      // The first bytes of some two megabytes.
      await new Promise((resolve) => connection.socket.once("readable", resolve));
      connection.socket.resetAndDestroy();
    }
    await expectNothingLeft();
    await expectAlive();
  });
});

it("no stack and no error was logged through all of this", () => {
  const errors = server.process.logLines.filter(({ level }) => level === "error");
  expect(errors).toEqual([]);
});
