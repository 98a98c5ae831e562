import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadPlan } from "../load-plan.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { testLoadPlan } from "../test-load-plan.ts";
import { Http1Client } from "./http1-client.ts";
import { testCertificate } from "./test-certificate.ts";
import { testTarget } from "./test-client-run.ts";
import { TestContext } from "./test-context.ts";
import { startHttp1Server } from "./test-http1-server.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Run extends TestContext implements Disposable {
  readonly client: Http1Client;

  constructor(url: string, overrides: Partial<LoadPlan> = {}) {
    super();
    this.client = new Http1Client(testLoadPlan(url, overrides), this);
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** @returns once that is so; a test that waits in vain runs into its limit. */
async function until(isReached: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  while (!isReached()) await turn();
}

describe("Http1Client", () => {
  it("send() tells all about an answer", async () => {
    await using server = await startHttp1Server(
      "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nabcd",
    );
    const body: LoadTarget["body"] = [{ kind: "seq" }];
    using run = new Run(server.url, {
      targets: [testTarget(server.url, { method: "POST", body })],
    });
    const ending = await run.ask(run.client);
    expect(ending).toMatchObject({ code: 201, bytesOut: 6, bytesIn: 4, error: "" });
    expect(ending.start.seq).toBe(0);
    const { start, sentMs, firstByteMs, doneMs } = ending;
    const times = [start.intendedMs, sentMs, firstByteMs, doneMs];
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(run.client.underWay).toBe(0);
    expect(server.text()).toMatch(/^POST \/ HTTP\/1.1\r\n[^]*\r\n\r\nbody 0$/);
  });

  it("send() goes on over the same connection, whatever the answers look like", async () => {
    const answers = [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Here\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n",
      OK,
    ];
    await using server = await startHttp1Server((socket, i) => void socket.write(answers[i]!));
    using run = new Run(server.url);
    const seen: unknown[] = [];
    for (const _ of answers) {
      const { code, bytesIn, error } = await run.ask(run.client);
      seen.push([code, bytesIn, error]);
    }
    expect(seen).toEqual([
      [404, 1, "404 Not Found"],
      [204, 0, ""],
      [304, 0, ""],
      [200, 3, ""],
      [799, 0, "799"],
      [200, 2, ""],
    ]);
    expect(server.sockets.length).toBe(1);
  });

  it("send() waits for an answer that comes in pieces, and knows when the first one came", async () => {
    const pieces = [
      "HTTP/1.1 200 OK\r\nTransfer-",
      "Encoding: chunked\r\n\r\n3\r",
      "\nabc\r\n0\r\n\r\n",
    ];
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url);
    run.send(run.client);
    await until(() => server.text() !== "");
    for (const piece of pieces) {
      expect(run.endings).toEqual([]);
      server.sockets[0]!.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [ending] = await run.ends(1);
    expect(ending).toMatchObject({ code: 200, bytesIn: 3 });
    expect(ending!.doneMs - ending!.firstByteMs).toBeGreaterThan(5);
  });

  it("send() reads a HEAD's answer without a body", async () => {
    await using server = await startHttp1Server("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
    using run = new Run(server.url, { targets: [testTarget(server.url, { method: "HEAD" })] });
    expect(await run.ask(run.client)).toMatchObject({ code: 200, bytesIn: 0 });
    expect(await run.ask(run.client)).toMatchObject({ code: 200, bytesIn: 0 });
    expect(server.sockets.length).toBe(1);
  });

  it("send() reads a body up to the end of the connection, and opens another one", async () => {
    await using server = await startHttp1Server((socket) =>
      socket.end("HTTP/1.1 200 OK\r\n\r\nall of it"),
    );
    using run = new Run(server.url);
    expect(await run.ask(run.client)).toMatchObject({ code: 200, bytesIn: 9, error: "" });
    expect(await run.ask(run.client)).toMatchObject({ code: 200, bytesIn: 9, error: "" });
    expect(server.sockets.length).toBe(2);
  });

  it.each([
    ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    [
      "a keep-alive that is over",
      "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n",
    ],
  ])("send() does not use a connection again after %s", async (_, answer) => {
    await using server = await startHttp1Server(answer);
    using run = new Run(server.url);
    await run.ask(run.client);
    expect((await run.ask(run.client)).code).toBe(200);
    expect(server.sockets.length).toBe(2);
  });

  it("send() has a connection for each request where none is kept", async () => {
    await using server = await startHttp1Server(OK);
    using run = new Run(server.url, { keepAlive: false });
    for (let i = 0; i < 3; i++) expect((await run.ask(run.client)).code).toBe(200);
    expect(server.sockets.length).toBe(3);
    expect(run.client.connectionsPeak).toBe(1);
    expect(server.text().match(/connection: close/g)?.length).toBe(3);
  });

  it.each([
    ["is closed without an answer", (socket: Socket) => void socket.end(), "socket hang up"],
    [
      "is closed amid the answer",
      (socket: Socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"),
      "socket hang up amid the answer",
    ],
    ["is reset", (socket: Socket) => void socket.resetAndDestroy(), "read ECONNRESET"],
    [
      "brings more than an answer",
      (socket: Socket) => void socket.write(`${OK}surplus`),
      "bad answer: more came than it has bytes",
    ],
    [
      "brings no HTTP",
      (socket: Socket) => void socket.write("220 smtp.example\r\n"),
      "bad answer: it is no HTTP/1.1",
    ],
  ])(
    "send() ends with an error when the connection %s, and the next one works",
    async (_, act, error) => {
      await using server = await startHttp1Server((socket) =>
        server.sockets.length === 1 ? act(socket) : socket.write(OK),
      );
      using run = new Run(server.url);
      expect(await run.ask(run.client)).toMatchObject({ code: 0, error });
      expect(run.client.underWay).toBe(0);
      expect(await run.ask(run.client)).toMatchObject({ code: 200, error: "" });
      expect(server.sockets.length).toBe(2);
    },
  );

  it("send() leaves a connection that the server has ended meanwhile, or on which it said what nobody asked", async () => {
    await using server = await startHttp1Server(OK);
    using run = new Run(server.url);
    const leave = [
      (socket: Socket) => void socket.end(),
      (socket: Socket) => void socket.write("HTTP/1.1 408 Request Timeout\r\n\r\n"),
    ];
    for (const act of leave) {
      await run.ask(run.client);
      const socket = server.sockets.at(-1)!;
      act(socket);
      await until(() => socket.destroyed);
    }
    expect((await run.ask(run.client)).code).toBe(200);
    expect(server.sockets.length).toBe(3);
    expect(run.endings.length).toBe(3);
  });

  it("send() ends with the system's words when nobody listens", async () => {
    const server = await startHttp1Server(OK);
    await server[Symbol.asyncDispose]();
    using run = new Run(server.url);
    expect(await run.ask(run.client)).toMatchObject({
      code: 0,
      bytesOut: 0,
      firstByteMs: NaN,
      error: `connect ECONNREFUSED 127.0.0.1:${server.port}`,
    });
  });

  it("send() has words too when nobody listens at any address of a name", async () => {
    const server = await startHttp1Server(OK);
    await server[Symbol.asyncDispose]();
    using run = new Run(server.url.replace("127.0.0.1", "localhost"));
    const { error } = await run.ask(run.client);
    expect(error).toContain(`connect ECONNREFUSED 127.0.0.1:${server.port}`);
  });

  it("send() takes the connection used last, opens more up to the limit, and then drops", async () => {
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url, { connectionsMax: 2 });
    expect([run.send(run.client), run.send(run.client), run.send(run.client)]).toEqual([
      true,
      true,
      false,
    ]);
    await until(() => (server.text().match(/GET/g) ?? []).length === 2);
    server.sockets[0]!.write(OK);
    await run.ends(1);
    server.sockets[1]!.write(OK);
    await run.ends(2);
    run.send(run.client);
    const answered = run.ends(3);
    server.sockets[1]!.write(OK);
    expect((await answered)[2]?.code).toBe(200);
    expect([run.client.underWay, run.client.connectionsPeak]).toEqual([0, 2]);
  });

  it("send() opens as many connections as it needs, and keeps no more than it may", async () => {
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url, { connectionsKept: 1 });
    for (let i = 0; i < 3; i++) run.send(run.client);
    await until(() => (server.text().match(/GET/g) ?? []).length === 3);
    const closed = [1, 2].map(
      (number) => new Promise((resolve) => server.sockets[number]!.once("close", resolve)),
    );
    for (const [number, socket] of server.sockets.entries()) {
      socket.write(OK);
      await run.ends(number + 1);
    }
    await Promise.all(closed);
    run.send(run.client);
    const answered = run.ends(4);
    server.sockets[0]!.write(OK);
    expect((await answered)[3]?.code).toBe(200);
    expect(server.sockets.length).toBe(3);
  });

  it("send() closes a connection to a server that is not asked to open one to another", async () => {
    await using server = await startHttp1Server(OK);
    const urls = [server.url, server.url.replace("127.0.0.1", "localhost")];
    using run = new Run(server.url, {
      targets: urls.map((url) => testTarget(url)),
      connectionsMax: 1,
    });
    for (const target of [0, 1, 0]) expect((await run.ask(run.client, target)).code).toBe(200);
    expect(server.sockets.length).toBe(3);
    expect(run.client.connectionsPeak).toBe(1);
  });

  it("expire() gives up what has no answer in time, and resets its connection", async () => {
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url, { timeoutMs: 1500 });
    run.send(run.client);
    await until(() => server.text() !== "");
    const reset = new Promise<string>((resolve) => {
      server.sockets[0]!.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    const nowMs = run.now();
    run.client.expire(nowMs);
    expect(run.endings).toEqual([]);
    run.client.expire(nowMs + 1500);
    expect(run.endings[0]).toMatchObject({ code: 0, error: "no answer within 1500ms" });
    expect(run.client.underWay).toBe(0);
    expect(await reset).toBe("ECONNRESET");
    expect(run.send(run.client)).toBe(true);
    await until(() => server.sockets.length === 2);
  });

  it("expire() gives up in the order of sending, a few at a time", async () => {
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url, { timeoutMs: 1000 });
    for (let i = 0; i < 50; i++) run.send(run.client);
    for (let rest = 50; rest > 0; rest = run.client.underWay) {
      run.client.expire(run.now() + 1000);
      expect(run.client.underWay).toBeLessThan(rest);
    }
    expect(run.endings.map(({ start }) => start.seq)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  it("open() opens connections that requests then use", async () => {
    await using server = await startHttp1Server(OK);
    using run = new Run(server.url, { connectionsMax: 100 });
    await run.client.open(90);
    await until(() => server.sockets.length === 90);
    expect((await run.ask(run.client)).code).toBe(200);
    expect([server.sockets.length, run.client.connectionsPeak]).toEqual([90, 90]);
  });

  it("open() says what is against the address", async () => {
    const server = await startHttp1Server(OK);
    await server[Symbol.asyncDispose]();
    using run = new Run(server.url);
    await expect(run.client.open(2)).rejects.toThrow(
      new LoadInputError(
        `Cannot connect to http://127.0.0.1:${server.port}: connect ECONNREFUSED 127.0.0.1:${server.port}`,
      ),
    );
  });

  it("close() ends nothing that is under way", async () => {
    await using server = await startHttp1Server(() => undefined);
    using run = new Run(server.url);
    run.send(run.client);
    await until(() => server.text() !== "");
    run.client.close();
    await until(() => server.sockets[0]!.destroyed);
    expect(run.endings).toEqual([]);
  });
});

describe("Http1Client elsewhere than on plain TCP", () => {
  const tls = testCertificate();
  const tlsPlan = { rootCertificates: [], certificate: undefined, privateKey: undefined };

  it("asks over TLS, checks the certificate, and keeps the connection", async () => {
    const large = `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${"x".repeat(300_000)}`;
    await using server = await startHttp1Server(large, { tls });
    const url = `https://localhost:${server.port}/`;
    using run = new Run(url, {
      tls: { ...tlsPlan, insecure: false, rootCertificates: [tls.cert] },
    });
    await run.client.open(1);
    for (let i = 0; i < 3; i++) {
      expect(await run.ask(run.client)).toMatchObject({ code: 200, bytesIn: 300_000, error: "" });
    }
    expect(server.sockets.length).toBe(1);
  });

  it("refuses a certificate that nobody vouches for, unless it is not to be checked", async () => {
    await using server = await startHttp1Server(OK, { tls });
    const url = `https://localhost:${server.port}/`;
    using strict = new Run(url);
    await expect(strict.client.open(1)).rejects.toThrow(/Cannot connect to https:.*self-signed/);
    const ending = await strict.ask(strict.client);
    expect(ending).toMatchObject({ code: 0, error: expect.stringContaining("self-signed") });
    using lax = new Run(url, { tls: { ...tlsPlan, insecure: true } });
    expect((await lax.ask(lax.client)).code).toBe(200);
  });

  it("gives up over TLS too", async () => {
    await using server = await startHttp1Server(() => undefined, { tls });
    using run = new Run(`https://localhost:${server.port}/`, {
      tls: { ...tlsPlan, insecure: true },
    });
    await run.client.open(1);
    run.send(run.client);
    await until(() => server.text() !== "");
    run.client.expire(run.now() + 30_000);
    expect(run.endings[0]?.error).toBe("no answer within 30s");
    await until(() => server.sockets[0]!.destroyed);
  });

  it("asks over a Unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-http1-"));
    const unixSocket = join(folder, "socket");
    await using server = await startHttp1Server(OK, { unixSocket });
    using run = new Run("http://model.example/predict", {
      connect: { unixSocket, localAddress: undefined },
    });
    await run.client.open(1);
    expect((await run.ask(run.client)).code).toBe(200);
    expect(server.text()).toContain("host: model.example\r\n");
    run.send(run.client);
    run.client.expire(run.now() + 30_000);
    expect(run.client.underWay).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it("asks from the address it is told", async () => {
    await using server = await startHttp1Server(OK);
    using run = new Run(server.url, {
      connect: { unixSocket: undefined, localAddress: "127.0.0.2" },
    });
    expect((await run.ask(run.client)).code).toBe(200);
    expect(server.sockets[0]!.remoteAddress).toBe("127.0.0.2");
  });
});
