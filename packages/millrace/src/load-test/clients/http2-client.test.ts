import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import { TestClientRun, testTarget, type TestPlan } from "./test-client-run.ts";

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

/** A server that answers when it has read a request; in clear, on a free port. */
class Server implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  readonly #server: Http2Server;
  url = "";
  /** In place of its answer: does not read the body. */
  onHead: ((stream: ServerHttp2Stream) => void) | undefined;

  private constructor(answer: Answer, settings: object) {
    this.#server = createServer({ settings });
    this.#server.on("session", (session) => this.sessions.push(session));
    this.#server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => undefined);
      if (this.onHead !== undefined) {
        this.onHead(stream);
        return;
      }
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => answer(stream, headers, Buffer.concat(chunks)));
    });
  }

  static async start(answer: Answer, settings = {}, place: number | string = 0): Promise<Server> {
    const server = new Server(answer, settings);
    await new Promise<void>((resolve) => {
      if (typeof place === "string") server.#server.listen(place, resolve);
      else server.#server.listen(place, "127.0.0.1", resolve);
    });
    const address = server.#server.address() as AddressInfo | string;
    server.url = typeof address === "string" ? "" : `http://127.0.0.1:${address.port}`;
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const OK: Answer = (stream) => {
  stream.respond({ ":status": 200 });
  stream.end("fine");
};

function run(server: Server, plan: Partial<TestPlan> = {}): TestClientRun {
  return new TestClientRun({
    protocol: "http2",
    targets: [testTarget(`${server.url}/p`)],
    ...plan,
  });
}

describe("Http2Client", () => {
  it("send() sends the target as it is, and tells times, sizes and status of the answer", async () => {
    const seen: unknown[] = [];
    await using server = await Server.start((stream, headers, body) => {
      seen.push([headers, body.toString()]);
      OK(stream, headers, body);
    });
    const target = testTarget(`${server.url}/a/b?c=d`, {
      method: "POST",
      headers: [
        ["Content-Type", "text/plain"],
        ["X-Tag", "1"],
        ["x-tag", "2"],
        ["Host", "other.example"],
        ["Connection", "keep-alive"],
      ],
      body: [{ kind: "bytes", bytes: Buffer.from("hello") }],
    });
    using client = run(server, { targets: [target] });
    const ending = await client.askOne();
    expect(seen).toEqual([
      [
        expect.objectContaining({
          ":method": "POST",
          ":scheme": "http",
          ":authority": "other.example",
          ":path": "/a/b?c=d",
          "content-type": "text/plain",
          "content-length": "5",
          "x-tag": "1, 2",
          "user-agent": "millrace",
        }),
        "hello",
      ],
    ]);
    expect(ending).toMatchObject({ code: 200, bytesOut: 5, bytesIn: 4, error: "" });
    expect(ending.start.intendedMs).toBeLessThanOrEqual(ending.sentMs);
    expect(ending.sentMs).toBeLessThanOrEqual(ending.firstByteMs);
    expect(ending.firstByteMs).toBeLessThanOrEqual(ending.doneMs);
  });

  it("send() has the body of each start where the target has a template", async () => {
    const seen: string[] = [];
    await using server = await Server.start((stream, headers, body) => {
      seen.push(`${headers["content-length"] ?? ""}:${body.toString()}`);
      OK(stream, headers, body);
    });
    const target = testTarget(server.url, { method: "POST", body: [{ kind: "seq" }] });
    const memory = Buffer.alloc(2);
    using client = new TestClientRun({ protocol: "http2", targets: [target] }, (seq) => {
      return memory.subarray(0, memory.write(String(seq)));
    });
    await client.ask(12);
    expect(seen.toSorted()).toEqual(
      Array.from({ length: 12 }, (_, seq) => `${String(seq).length}:${seq}`).toSorted(),
    );
  });

  it.each([
    [302, ""],
    [404, "404 Not Found"],
    [503, "503 Service Unavailable"],
    [599, "599"],
  ])("ended() has code %d and error %j when the server answers so", async (status, error) => {
    await using server = await Server.start((stream) => {
      stream.additionalHeaders({ ":status": 103 });
      stream.respond({ ":status": status }, { endStream: true });
    });
    using client = run(server);
    expect(await client.askOne()).toMatchObject({ code: status, error, bytesIn: 0 });
  });

  it("send() uses the connections that are open in turn, and opens none while they have room", async () => {
    await using server = await Server.start(OK);
    using client = run(server);
    await client.client.open(3);
    await client.ask(30);
    expect(server.sessions).toHaveLength(3);
    expect(client.client.connectionsPeak).toBe(3);
    expect(client.endings.filter(({ code }) => code === 200)).toHaveLength(30);
  });

  it("send() never has more streams on a connection than the server takes, and opens more instead", async () => {
    let [underWay, most] = [new Map<unknown, number>(), 0];
    await using server = await Server.start(
      (stream, headers, body) => {
        const { session } = stream;
        const streams = (underWay.get(session) ?? 0) + 1;
        underWay.set(session, streams);
        most = Math.max(most, streams);
        setTimeout(() => {
          underWay.set(session, (underWay.get(session) ?? 0) - 1);
          OK(stream, headers, body);
        }, 20);
      },
      { maxConcurrentStreams: 4 },
    );
    using client = run(server);
    await client.client.open(1);
    await client.ask(12);
    expect(most).toBe(4);
    expect(server.sessions).toHaveLength(3);
    expect(client.endings.every(({ code }) => code === 200)).toBe(true);
  });

  it("send() returns false when connectionsMax requests are under way, and true when one is over", async () => {
    const held: (() => void)[] = [];
    await using server = await Server.start((stream, headers, body) => {
      held.push(() => OK(stream, headers, body));
      if (held.length === 3) for (const answer of held) answer();
    });
    using client = run(server, { connectionsMax: 3 });
    const asked = client.ask(3);
    expect([client.send(), client.client.underWay]).toEqual([false, 3]);
    await asked;
    expect([client.send(), client.client.underWay]).toEqual([true, 1]);
  });

  it("send() has a connection for each request when keepAlive is false, and closes it behind it", async () => {
    await using server = await Server.start(OK);
    using client = run(server, { keepAlive: false });
    await client.client.open(2);
    for (let i = 0; i < 3; i++) await client.askOne();
    expect(server.sessions).toHaveLength(4);
    const open = server.sessions.filter((session) => !session.destroyed);
    await Promise.all(open.map((session) => once(session, "close")));
    expect(client.endings.map(({ code }) => code)).toEqual([200, 200, 200]);
  });

  it("send() makes place for another origin when all connections are open and one is idle", async () => {
    await using one = await Server.start(OK);
    await using other = await Server.start(OK);
    using client = run(one, {
      targets: [testTarget(one.url), testTarget(other.url)],
      connectionsMax: 1,
    });
    for (const target of [0, 1, 0, 1]) expect((await client.askOne(target)).code).toBe(200);
    expect([one.sessions.length, other.sessions.length]).toEqual([2, 2]);
  });

  it("send() goes through a Unix socket when the plan has one", async () => {
    const path = join(tmpdir(), `millrace-http2-${process.pid}.sock`);
    await using server = await Server.start(OK, {}, path);
    using client = run(server, {
      targets: [testTarget("http://localhost/x")],
      connect: { localAddress: undefined, unixSocket: path },
    });
    expect(await client.askOne()).toMatchObject({ code: 200, bytesIn: 4 });
  });

  it("ended() comes once, with the status, when the server answers before it has read the body", async () => {
    await using server = await Server.start(() => undefined);
    server.onHead = (stream) => stream.respond({ ":status": 413 }, { endStream: true });
    const body = Buffer.alloc(8 * 1024 * 1024);
    const target = testTarget(server.url, {
      method: "POST",
      body: [{ kind: "bytes", bytes: body }],
    });
    using client = run(server, { targets: [target] });
    expect(await client.askOne()).toMatchObject({ code: 413, bytesOut: body.length });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.endings).toHaveLength(1);
  });

  it("new Http2Client() throws a LoadInputError when a target cannot be sent", () => {
    const plans: Partial<TestPlan>[] = [
      { targets: [testTarget("ftp://127.0.0.1/")] },
      { targets: [testTarget("nonsense")] },
      { targets: [testTarget("http://127.0.0.1", { headers: [["bad name", "x"]] })] },
      { targets: [testTarget("http://127.0.0.1", { headers: [["x", "a\nb"]] })] },
      { targets: [testTarget("http://127.0.0.1", { method: "G T" })] },
      { targets: [testTarget("http://127.0.0.1", { method: "CONNECT" })] },
    ];
    for (const plan of plans) {
      const create = () => new TestClientRun({ protocol: "http2", targets: [], ...plan });
      expect(create).toThrow(LoadInputError);
    }
  });

  it("open() rejects with what hinders it when nobody listens", async () => {
    using client = new TestClientRun({
      protocol: "http2",
      targets: [testTarget("http://127.0.0.1:1")],
    });
    await expect(client.client.open(2)).rejects.toThrow("connect ECONNREFUSED 127.0.0.1:1");
    expect(await client.askOne()).toMatchObject({
      code: 0,
      error: "connect ECONNREFUSED 127.0.0.1:1",
    });
    expect(client.endings[0]?.firstByteMs).toBeNaN();
  });

  it("expire() keeps a connection that answers others in the meantime, and replaces a silent one", async () => {
    let isSilent = false;
    await using server = await Server.start((stream, headers, body) => {
      if (stream.id !== 1 && !isSilent) OK(stream, headers, body);
    });
    using client = run(server, { timeoutMs: 200 });
    const late = client.ask(1);
    while (client.client.underWay > 0) {
      client.send();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await late;
    const [failed, ...others] = client.endings.filter(({ code }) => code !== 200);
    expect([failed?.error, others, server.sessions.length]).toEqual([
      "no answer within 200ms",
      [],
      1,
    ]);
    isSilent = true;
    expect((await client.askOne()).code).toBe(0);
    isSilent = false;
    await client.ask(2);
    expect(server.sessions).toHaveLength(2);
  });

  it("loses no request when servers say GOAWAY again and again, as they do when they restart", async () => {
    const asked = new Map<unknown, number>();
    await using server = await Server.start((stream, headers, body) => {
      const { session } = stream;
      const count = (asked.get(session) ?? 0) + 1;
      asked.set(session, count);
      if (count === 20) session?.goaway(0, stream.id ?? 0);
      if (count <= 20) OK(stream, headers, body);
    });
    using client = run(server, { targets: [testTarget(server.url, { method: "POST" })] });
    for (let round = 0; round < 60; round++) await client.ask(5);
    expect(client.endings.filter(({ code }) => code !== 200)).toEqual([]);
    expect(server.sessions.length).toBeGreaterThan(10);
    expect(client.client.connectionsPeak).toBeLessThan(5);
  });

  it("goes on when a server that was away is there again", async () => {
    const first = await Server.start(OK);
    using client = run(first, { targets: [testTarget(first.url)] });
    expect((await client.askOne()).code).toBe(200);
    await first[Symbol.asyncDispose]();
    expect((await client.ask(5)).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    await using _second = await Server.start(OK, {}, Number(new URL(first.url).port));
    expect((await client.ask(5)).map(({ code }) => code)).toEqual([200, 200, 200, 200, 200]);
  });

  it("close() ends no request any more", async () => {
    await using server = await Server.start(() => undefined);
    using client = run(server);
    await client.client.open(1);
    client.send();
    client.client.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.endings).toEqual([]);
  });
});
