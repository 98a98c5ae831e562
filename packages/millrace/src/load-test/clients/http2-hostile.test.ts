import type { Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { testCertificate } from "./test-certificate.ts";
import { TestClientRun, testTarget, type TestPlan } from "./test-client-run.ts";
import { TestHostileServer, writeForever } from "./test-hostile-server.ts";

const TIMEOUT_MS = 200;
/** Requests of each case. */
const COUNT = 10;

const FRAME = { data: 0, headers: 1, rst: 3, settings: 4, ping: 6, goaway: 7, window: 8, more: 9 };
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

const SETTINGS = frame(FRAME.settings, 0, 0);
/** `:status: 200`, from the static table. */
const STATUS_200 = Buffer.of(0x88);

/** Answers when the first frame of headers has come; the first stream of a client has number 1. */
function onRequest(answer: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => {
      socket.write(SETTINGS);
      socket.once("data", () => answer(socket));
    });
  };
}

function sends(...frames: Uint8Array[]): (socket: Socket) => void {
  return onRequest((socket) => socket.write(Buffer.concat(frames)));
}

function run(server: TestHostileServer, plan: Partial<TestPlan> = {}): TestClientRun {
  return new TestClientRun({
    protocol: "http2",
    targets: [testTarget(`http://${server.address}/`)],
    timeoutMs: TIMEOUT_MS,
    connectionsMax: 50,
    ...plan,
  });
}

const LATE = `no answer within ${TIMEOUT_MS}ms`;

type Case = readonly [what: string, serve: (socket: Socket) => void, errors: RegExp];

const CASES: readonly Case[] = [
  ["reads and says nothing", (socket) => socket.resume(), RegExp(LATE)],
  ["does not even read", () => undefined, RegExp(LATE)],
  ["has settings and no answers", onRequest(() => undefined), RegExp(LATE)],
  [
    "answers as HTTP/1.1",
    (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    /^the server does not speak HTTP\/2/,
  ],
  [
    "answers with noise",
    (socket) => socket.once("data", () => socket.write(Buffer.alloc(100_000, 0xa5))),
    /^the server does not speak HTTP\/2/,
  ],
  ["ends each connection at once", (socket) => socket.end(), /closed by the server|ECONN|EPIPE/],
  [
    "resets each connection at once",
    (socket) => socket.resetAndDestroy(),
    /ECONNRESET|EPIPE|closed by the server/,
  ],
  [
    "half-closes a connection that it reads from",
    (socket) => socket.once("data", () => socket.resume().end(SETTINGS)),
    /closed by the server/,
  ],
  [
    "closes amid an answer",
    onRequest((socket) => {
      const head = frame(FRAME.headers, END_HEADERS, 1, STATUS_200);
      socket.end(Buffer.concat([head, frame(FRAME.data, 0, 1, Buffer.from("abc"))]));
    }),
    /closed by the server/,
  ],
  [
    "resets a stream amid an answer",
    sends(
      frame(FRAME.headers, END_HEADERS, 1, STATUS_200),
      frame(FRAME.data, 0, 1, Buffer.from("abc")),
      frame(FRAME.rst, 0, 1, numbers(2)),
    ),
    RegExp(`${/^stream reset by the server: INTERNAL_ERROR/.source}|${LATE}`),
  ],
  [
    "answers less than it promises and says that all is well",
    sends(
      // content-length: 10, a literal with the name of the static table.
      frame(FRAME.headers, END_HEADERS, 1, Buffer.from([0x88, 0x0f, 0x0d, 2, 0x31, 0x30])),
      frame(FRAME.data, 0, 1, Buffer.from("abc")),
      frame(FRAME.rst, 0, 1, numbers(0)),
    ),
    RegExp(`${/^answer cut: 3 of 10 bytes came/.source}|${LATE}`),
  ],
  [
    "answers where it was not asked",
    sends(frame(FRAME.headers, END_HEADERS | END_STREAM, 7_777_777, STATUS_200)),
    /^the server does not speak HTTP\/2/,
  ],
  [
    "says GOAWAY to whoever comes, and has begun nothing",
    sends(frame(FRAME.goaway, 0, 0, numbers(0, 0))),
    /REFUSED_STREAM/,
  ],
  [
    "says GOAWAY because it is asked too much",
    sends(frame(FRAME.goaway, 0, 0, numbers(0, 11))),
    /^connection ended by the server: GOAWAY ENHANCE_YOUR_CALM/,
  ],
  [
    "says GOAWAY, promises to answer and does not",
    sends(frame(FRAME.goaway, 0, 0, numbers(0x7fff_ffff, 0))),
    RegExp(LATE),
  ],
  [
    "refuses streams",
    onRequest((socket) => {
      for (let stream = 1; stream < 400; stream += 2) {
        socket.write(frame(FRAME.rst, 0, stream, numbers(7)));
      }
    }),
    /REFUSED_STREAM|^the server does not speak HTTP\/2/,
  ],
  [
    "takes no streams at all",
    (socket) => {
      socket.resume().write(frame(FRAME.settings, 0, 0, Buffer.from("000300000000", "hex")));
    },
    RegExp(LATE),
  ],
  [
    "has no window for bodies",
    (socket) => {
      socket.resume().write(frame(FRAME.settings, 0, 0, Buffer.from("000400000000", "hex")));
    },
    RegExp(LATE),
  ],
  [
    "never ends a head",
    onRequest((socket) => {
      socket.write(frame(FRAME.headers, 0, 1, STATUS_200));
      // "x-a: …" without indexing, again and again.
      const header = Buffer.concat([Buffer.from([0, 3]), Buffer.from("x-a"), Buffer.from([1, 97])]);
      const block = Buffer.concat(Array.from({ length: 500 }, () => header));
      writeForever(socket, frame(FRAME.more, 0, 1, block));
    }),
    /./,
  ],
  [
    "never ends a body",
    onRequest((socket) => {
      socket.write(frame(FRAME.headers, END_HEADERS, 1, STATUS_200));
      writeForever(socket, frame(FRAME.data, 0, 1, Buffer.alloc(16_000)));
    }),
    /./,
  ],
  [
    "has only interim answers",
    onRequest((socket) => {
      // :status: 103, a literal with the name of the static table.
      const head = Buffer.from([0x08, 3, 0x31, 0x30, 0x33]);
      writeForever(socket, frame(FRAME.headers, END_HEADERS, 1, head));
    }),
    /./,
  ],
  [
    "pings without end",
    onRequest((socket) => writeForever(socket, frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
    /./,
  ],
  ["sends settings without end", onRequest((socket) => writeForever(socket, SETTINGS)), /./],
];

describe("Http2Client, when the server", () => {
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
      const endings = await client.ask(COUNT);
      for (const { code, error, sentMs, doneMs } of endings) {
        expect(code).toBe(0);
        expect(error).toMatch(errors);
        expect(doneMs).toBeGreaterThanOrEqual(sentMs);
      }
    }
    expect(client.client.underWay).toBe(0);
    // None is left with what nobody read.
    client.client.close();
    expect(client.client.connectionsPeak).toBeLessThanOrEqual(50);
    // A request may be sent twice, each time over a new connection.
    expect(server.connections).toBeLessThanOrEqual(4 * COUNT);
  });
});

describe("Http2Client", () => {
  it("expire() leaves no connection behind on which nothing is read", async () => {
    await using server = await TestHostileServer.start(() => undefined);
    const body = [{ kind: "bytes", bytes: Buffer.alloc(1_000_000) }] as const;
    const target = testTarget(`http://${server.address}/`, { method: "POST", body });
    using client = run(server, { targets: [target] });
    await client.ask(COUNT);
    for (const socket of server.sockets) socket.resume();
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it("ends requests in time when a server of TLS never shakes hands", async () => {
    await using server = await TestHostileServer.start((socket) => socket.resume());
    using client = run(server, { targets: [testTarget(`https://${server.address}/`)] });
    await expect(client.client.open(1)).rejects.toThrow(LATE);
    for (const { error } of await client.ask(COUNT)) expect(error).toBe(LATE);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it("survives servers of TLS that close at whatever moment of the handshake", async () => {
    const { cert, key } = testCertificate();
    const tls = createTls({ cert, key, ALPNProtocols: ["h2"] }, (socket) => {
      socket.on("error", () => undefined);
      if (Math.floor(server.connections / 3) % 2 === 0) socket.destroy();
      else socket.end(SETTINGS);
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
      keepAlive: false,
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
