import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { CallLimits, HttpReply } from "./http-call.ts";
import { HttpChannel, type Question } from "./http-channel.ts";
import { readAddress } from "./remote-address.ts";
import { reply, startServer, startTcpServer } from "./test-server.ts";

const GET: Question = { method: "GET", path: "/", headers: {}, body: undefined };
const POST: Question = {
  method: "POST",
  path: "/p",
  headers: { "content-length": "2" },
  body: "{}",
};

function channelTo(url: string, concurrency = 4): HttpChannel & Disposable {
  const channel = new HttpChannel({ remote: "far", address: readAddress("far", url), concurrency });
  return Object.assign(channel, { [Symbol.dispose]: () => channel.close() });
}

function limits(overrides: Partial<CallLimits> = {}): CallLimits {
  return {
    clock: new TestClock(),
    timeoutMs: 1_000,
    cancellation: undefined,
    replyBytesMax: 1_000,
    ...overrides,
  };
}

/** What was thrown, as `code: message`. */
async function thrownBy(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function textOf({ bytes }: HttpReply): string {
  return Buffer.from(bytes).toString();
}

const HEAD = "HTTP/1.1 200 OK\r\n";

describe("HttpChannel", () => {
  test("ask() gives status, headers and body, and keeps the connection", async () => {
    await using server = await startServer(({ path }, response) => reply(response, { path }, 418));
    using channel = channelTo(server.url);
    for (const path of ["/a", "/b?c=d"]) {
      const answer = await channel.ask({ ...GET, path }, limits());
      expect(answer.status).toBe(418);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(textOf(answer)).toBe(JSON.stringify({ path }));
    }
    expect(server.connectionCount).toBe(1);
  });

  test("ask() refuses one question more than the limit, and takes one when another has ended", async () => {
    const held: (() => void)[] = [];
    await using server = await startServer((_seen, response) => {
      held.push(() => reply(response, {}));
    });
    using channel = channelTo(server.url, 3);
    const asked = [1, 2, 3].map(() => channel.ask(GET, limits()));
    const refused = await Promise.all([1, 2].map(() => thrownBy(channel.ask(GET, limits()))));
    expect(new Set(refused)).toEqual(
      new Set(['OVERLOADED: Cannot predict: remote "far" works on 3 requests, its limit is 3']),
    );
    while (held.length < 3) await delay(1);
    for (const answer of held.splice(0)) answer();
    await Promise.all(asked);
    const next = channel.ask(GET, limits());
    while (held.length === 0) await delay(1);
    held[0]?.();
    expect((await next).status).toBe(200);
    expect(server.connectionCount).toBe(3);
  });

  test("ask() gives up a server that hangs at the timeout, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    const received = Promise.withResolvers<void>();
    await using server = await startTcpServer((socket) => {
      socket.once("data", () => received.resolve());
      socket.once("close", () => closed.resolve());
    });
    using channel = channelTo(server.url);
    const clock = new TestClock();
    const thrown = thrownBy(channel.ask(POST, limits({ clock, timeoutMs: 200 })));
    await received.promise;
    clock.advanceMs(199);
    expect(clock.timerCount).toBe(1);
    clock.advanceMs(1);
    expect(await thrown).toBe(
      'DEADLINE_EXCEEDED: Cannot predict: remote "far" did not answer within 200 ms',
    );
    await closed.promise;
  });

  test("ask() gives up a reply that only drips, however often a byte comes", async () => {
    await using server = await startTcpServer((socket) => {
      socket.write(`${HEAD}content-length: 1000\r\n\r\n`);
      const timer = setInterval(() => socket.write("x"), 1);
      socket.once("close", () => clearInterval(timer));
    });
    using channel = channelTo(server.url);
    const clock = new TestClock();
    const thrown = thrownBy(channel.ask(GET, limits({ clock, timeoutMs: 100 })));
    for (let i = 0; i < 10; i++) {
      await delay(2);
      clock.advanceMs(10);
    }
    expect(await thrown).toContain("DEADLINE_EXCEEDED");
  });

  test("ask() ends with the reason of the cancellation, and the server sees the connection close", async () => {
    const closed = Promise.withResolvers<void>();
    const received = Promise.withResolvers<void>();
    await using server = await startTcpServer((socket) => {
      socket.once("data", () => received.resolve());
      socket.once("close", () => closed.resolve());
    });
    using channel = channelTo(server.url);
    const cancellation = new Cancellation();
    const clock = new TestClock();
    const asked = channel.ask(GET, limits({ clock, cancellation }));
    await received.promise;
    const reason = new MillraceError("CANCELLED", "gone");
    cancellation.cancel(reason);
    await expect(asked).rejects.toBe(reason);
    await closed.promise;
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
    await expect(channel.ask(GET, limits({ cancellation }))).rejects.toBe(reason);
    expect(server.connectionCount).toBe(1);
  });

  test("ask() leaves no timer and no watcher behind when it was answered", async () => {
    await using server = await startServer((_seen, response) => reply(response, {}));
    using channel = channelTo(server.url);
    const cancellation = new Cancellation();
    const clock = new TestClock();
    await channel.ask(GET, limits({ clock, cancellation }));
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
  });

  test.each([
    ["closes without a word", "", "closed the connection before its reply was whole"],
    [
      "switches to another protocol",
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
      "closed the connection before its reply was whole",
    ],
    ["is no HTTP server", "SSH-2.0-x\r\n", "answered something that is not HTTP"],
    [
      "ends in the middle of a reply",
      `${HEAD}content-length: 10\r\n\r\nabc`,
      "closed the connection before its reply was whole",
    ],
    [
      "ends in the middle of a chunk",
      `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nab`,
      "closed the connection before its reply was whole",
    ],
    [
      "sends a chunk that is none",
      `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      "answered something that is not HTTP",
    ],
    [
      "sends two lengths",
      `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      "answered something that is not HTTP",
    ],
    [
      "sends headers without end",
      `${HEAD}x: ${"y".repeat(100_000)}`,
      "answered something that is not HTTP",
    ],
    [
      "announces more than is allowed",
      `${HEAD}content-length: 1001\r\n\r\n`,
      "answered with more than 1000 bytes",
    ],
    [
      "sends more than is allowed",
      `${HEAD}transfer-encoding: chunked\r\n\r\n${`64\r\n${"x".repeat(100)}\r\n`.repeat(11)}`,
      "answered with more than 1000 bytes",
    ],
    [
      "sends more than is allowed, a byte a chunk",
      `${HEAD}transfer-encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(1001)}`,
      "answered with more than 1000 bytes",
    ],
  ])("ask() says so when the server %s", async (_what, bytes, state) => {
    await using server = await startTcpServer((socket) => {
      socket.once("data", () => socket.end(bytes));
    });
    using channel = channelTo(server.url);
    expect(await thrownBy(channel.ask(POST, limits()))).toBe(
      `REMOTE_FAILED: Cannot predict: remote "far" ${state}`,
    );
    expect(server.connectionCount).toBe(1);
  });

  test("ask() takes a reply of exactly the size that is allowed, in as many chunks as it comes", async () => {
    const chunks = "1\r\nx\r\n".repeat(1000);
    await using server = await startTcpServer((socket) => {
      socket.once("data", () =>
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`),
      );
    });
    using channel = channelTo(server.url);
    expect(textOf(await channel.ask(GET, limits()))).toBe("x".repeat(1000));
  });

  test("ask() says so when nobody listens, and when the host is unknown", async () => {
    const server = await startServer(() => undefined);
    await server[Symbol.asyncDispose]();
    using closed = channelTo(server.url);
    expect(await thrownBy(closed.ask(GET, limits()))).toBe(
      'REMOTE_FAILED: Cannot predict: remote "far" cannot be reached: the connection is refused',
    );
    using unknown = channelTo("http://no-such-host.invalid");
    expect(await thrownBy(unknown.ask(GET, limits()))).toContain("cannot be reached");
  });

  test("ask() asks once more over a new connection when a kept one is closed under its question", async () => {
    const OK = `${HEAD}content-length: 2\r\n\r\nok`;
    await using server = await startTcpServer((socket, index) => {
      let count = 0;
      socket.on("data", () => {
        if (index === 0 && ++count === 2) socket.resetAndDestroy();
        else socket.write(OK);
      });
    });
    using channel = channelTo(server.url);
    expect(textOf(await channel.ask(POST, limits()))).toBe("ok");
    expect(textOf(await channel.ask(POST, limits()))).toBe("ok");
    expect(server.connectionCount).toBe(2);
  });

  test("ask() asks only once more, and not when a part of the reply had come", async () => {
    const OK = `${HEAD}content-length: 2\r\n\r\nok`;
    await using deaf = await startTcpServer((socket, index) => {
      let count = 0;
      socket.on("data", () => {
        if (index > 0 || ++count === 2) socket.resetAndDestroy();
        else socket.write(OK);
      });
    });
    using channel = channelTo(deaf.url);
    await channel.ask(POST, limits());
    expect(await thrownBy(channel.ask(POST, limits()))).toContain("closed the connection");
    expect(deaf.connectionCount).toBe(2);

    await using torn = await startTcpServer((socket) => {
      let count = 0;
      socket.on("data", () => {
        if (++count === 2) socket.write(OK.slice(0, -1), () => socket.resetAndDestroy());
        else socket.write(OK);
      });
    });
    using other = channelTo(torn.url);
    await other.ask(POST, limits());
    expect(await thrownBy(other.ask(POST, limits()))).toContain("closed the connection");
    expect(torn.connectionCount).toBe(1);
  });

  test("close() ends what is under way, which is not asked again, and what comes later asks nobody", async () => {
    const OK = `${HEAD}content-length: 2\r\n\r\nok`;
    const asked = Promise.withResolvers<void>();
    await using server = await startTcpServer((socket) => {
      let count = 0;
      socket.on("data", () => {
        if (++count === 1) socket.write(OK);
        else asked.resolve();
      });
    });
    const channel = channelTo(server.url);
    await channel.ask(POST, limits());
    const thrown = thrownBy(channel.ask(POST, limits()));
    await asked.promise;
    channel.close();
    const closed = 'MODEL_NOT_READY: Cannot predict: remote "far" is closed';
    expect(await thrown).toBe(closed);
    expect(await thrownBy(channel.ask(POST, limits()))).toBe(closed);
    expect(server.connectionCount).toBe(1);
  });

  test("ask() takes a reply that comes before all of the question was read, and drops that connection", async () => {
    await using server = await startTcpServer((socket, index) => {
      socket.pause();
      if (index > 0) socket.resume();
      socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
    });
    using channel = channelTo(server.url);
    const body = Buffer.alloc(16 * 1024 * 1024);
    const question = { ...POST, headers: { "content-length": String(body.length) }, body };
    expect((await channel.ask(question, limits())).status).toBe(413);
    expect((await channel.ask(POST, limits())).status).toBe(413);
    expect(server.connectionCount).toBe(2);
  });
});
