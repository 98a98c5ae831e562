import type { Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { testCertificate } from "./test-certificate.ts";
import { TestClientRun, testTarget, type TestPlan } from "./test-client-run.ts";
import { TestHostileServer, writeForever } from "./test-hostile-server.ts";

const TIMEOUT_MS = 200;
/** Requests of each case. */
const COUNT = 10;
const LATE = `no answer within ${TIMEOUT_MS}ms`;

const HEAD = "HTTP/1.1 200 OK\r\n";

function onRequest(answer: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => socket.once("data", () => answer(socket.resume()));
}

function says(text: string): (socket: Socket) => void {
  return onRequest((socket) => socket.write(text));
}

/** Says something once, and then something else again and again. */
function repeats(begin: string, again: string): (socket: Socket) => void {
  const bytes = Buffer.from(again.repeat(Math.ceil(16_384 / again.length)));
  return onRequest((socket) => {
    socket.write(begin);
    writeForever(socket, bytes);
  });
}

function run(server: TestHostileServer, plan: Partial<TestPlan> = {}): TestClientRun {
  return new TestClientRun({
    protocol: "http1",
    targets: [testTarget(`http://${server.address}/`)],
    timeoutMs: TIMEOUT_MS,
    connectionsMax: COUNT,
    ...plan,
  });
}

type Case = readonly [what: string, serve: (socket: Socket) => void, error: RegExp];

const CASES: readonly Case[] = [
  ["reads and says nothing", (socket) => socket.resume(), RegExp(LATE)],
  ["does not even read", () => undefined, RegExp(LATE)],
  ["ends each connection at once", (socket) => socket.end(), /hang up|ECONNRESET|EPIPE/],
  [
    "resets each connection at once",
    (socket) => socket.resetAndDestroy(),
    /hang up|ECONNRESET|EPIPE/,
  ],
  ["half-closes a connection that it reads from", onRequest((socket) => socket.end()), /hang up/],
  [
    "half-closes amid an answer",
    onRequest((socket) => socket.end(`${HEAD}Content-Length: 10\r\n\r\nabc`)),
    /hang up amid the answer/,
  ],
  [
    "resets amid an answer",
    onRequest((socket) => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\nabc`, () => socket.resetAndDestroy());
    }),
    /hang up|ECONNRESET/,
  ],
  ["answers with noise", onRequest((socket) => socket.write(Buffer.alloc(100_000, 0xa5))), /./],
  ["answers as HTTP/2", onRequest((socket) => socket.write(Buffer.alloc(9))), RegExp(LATE)],
  ["answers as a mail server", says("220 mail.example ESMTP\r\n"), /^bad answer/],
  ["has a status that is no number", says("HTTP/1.1 2OO OK\r\n\r\n"), /^bad answer/],
  ["has a negative length", says(`${HEAD}Content-Length: -5\r\n\r\n`), /^bad answer/],
  [
    "has a length beyond all numbers",
    says(`${HEAD}Content-Length: ${"9".repeat(40)}\r\n\r\n`),
    /./,
  ],
  [
    "has two lengths",
    says(`${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`),
    /^bad answer/,
  ],
  ["has a chunk of no size", says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n\r\n`), /^bad answer/],
  [
    "has a chunk beyond all numbers",
    says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${"f".repeat(40)}\r\n`),
    /^bad answer/,
  ],
  [
    "has a chunk that is longer than it says",
    says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`),
    /^bad answer/,
  ],
  ["never ends a status", repeats("HTTP/1.1 200 ", "O"), /^bad answer: its head is longer/],
  ["never ends a head", repeats(HEAD, "X-A: b\r\n"), /^bad answer: its head is longer/],
  ["never ends a header", repeats(`${HEAD}X-A: `, "b"), /^bad answer: its head is longer/],
  ["has only interim answers", repeats("", "HTTP/1.1 100 Continue\r\n\r\n"), /./],
  ["never ends a body", repeats(`${HEAD}\r\n`, "x"), RegExp(LATE)],
  [
    "has chunks without end",
    repeats(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "1\r\na\r\n"),
    RegExp(LATE),
  ],
  [
    "never ends the size of a chunk",
    repeats(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1;`, "x"),
    /^bad answer/,
  ],
  [
    "never ends its trailers",
    repeats(`${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n`, "X-A: b\r\n"),
    /^bad answer/,
  ],
  ["switches protocols", says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), /^bad answer/],
  [
    "answers twice",
    says(`${HEAD}Content-Length: 0\r\n\r\n`.repeat(2)),
    /^bad answer|more came than was asked for/,
  ],
];

describe("Http1Client, when the server", () => {
  it.each(CASES)("%s, ends every request in time and goes on", async (_what, serve, errors) => {
    await using server = await TestHostileServer.start(serve);
    const target = testTarget(`http://${server.address}/`, {
      method: "POST",
      body: [{ kind: "bytes", bytes: Buffer.alloc(100_000) }],
    });
    // What ends by itself has all the time a busy machine takes.
    const timeoutMs = errors.test(LATE) ? TIMEOUT_MS : 20_000;
    using client = run(server, { targets: [target], timeoutMs });
    for (let round = 0; round < 2; round++) {
      for (const { code, error, sentMs, doneMs } of await client.ask(COUNT)) {
        expect(error).toMatch(errors);
        expect(code).toBe(0);
        expect(doneMs).toBeGreaterThanOrEqual(sentMs);
      }
    }
    expect(client.client.underWay).toBe(0);
    expect(server.connections).toBeLessThanOrEqual(2 * COUNT);
    // Who does not read does not notice that he is alone.
    for (const socket of server.sockets) socket.resume();
    await expect.poll(() => server.sockets.size).toBe(0);
  });
});

describe("Http1Client", () => {
  it("reads a header of 60,000 blanks and commas without holding up its thread", async () => {
    const header = `Connection: a${" ".repeat(60_000)}b\r\n`;
    const commas = `Connection: ${",".repeat(60_000)}close\r\n`;
    for (const line of [header, commas]) {
      const serve = onRequest((socket) => {
        socket.write(`${HEAD}${line}Content-Length: 0\r\n\r\n`);
      });
      await using server = await TestHostileServer.start(serve);
      using client = run(server, { timeoutMs: 20_000 });
      const { code, sentMs, doneMs } = await client.askOne();
      expect(code).toBe(200);
      // Looking at each blank once for each blank takes several seconds.
      expect(performance.now() - client.startMs - sentMs).toBeLessThan(1000);
      expect(doneMs).toBeGreaterThanOrEqual(sentMs);
    }
  });

  it("closes a connection whose server talks while nothing was asked", async () => {
    await using server = await TestHostileServer.start((socket) => {
      socket.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    });
    using client = run(server);
    await client.client.open(3);
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(client.client.underWay).toBe(0);
    expect(client.endings).toEqual([]);
  });

  it("ends requests in time when a server of TLS never shakes hands", async () => {
    await using server = await TestHostileServer.start((socket) => socket.resume());
    using client = run(server, { targets: [testTarget(`https://${server.address}/`)] });
    for (const { error } of await client.ask(COUNT)) expect(error).toBe(LATE);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it("survives servers of TLS that close at whatever moment of the handshake", async () => {
    const { cert, key } = testCertificate();
    const tls = createTls({ cert, key }, (socket) => {
      socket.on("error", () => undefined);
      if (Math.floor(server.connections / 3) % 2 === 0) socket.destroy();
      else socket.end(HEAD);
    });
    tls.on("tlsClientError", () => undefined);
    const server = await TestHostileServer.start((socket) => {
      if (server.connections % 3 === 0) socket.once("data", () => socket.resetAndDestroy());
      else if (server.connections % 3 === 1) tls.emit("connection", socket);
      else {
        tls.emit("connection", socket);
        setTimeout(() => socket.resetAndDestroy(), server.connections % 7);
      }
    });
    await using _closed = server;
    using client = run(server, {
      targets: [testTarget(`https://${server.address}/`)],
      tls: {
        insecure: true,
        rootCertificates: [],
        certificate: undefined,
        privateKey: undefined,
      },
    });
    for (let round = 0; round < 6; round++) {
      for (const { code, error } of await client.ask(COUNT)) {
        expect(code).toBe(0);
        expect(error).not.toBe("");
      }
    }
    expect(client.client.underWay).toBe(0);
  });
});
