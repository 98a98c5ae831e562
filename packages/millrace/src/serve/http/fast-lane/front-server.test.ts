import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Cancellation } from "../../../core/cancellation.ts";
import { MillraceError } from "../../../core/errors.ts";
import { TestRandom } from "../../../core/test-random.ts";
import { Auth } from "../../auth.ts";
import type { Exchange, ExchangeHandler } from "../exchange.ts";
import { HEAD_MS_MAX, KEEP_ALIVE_MS, PIPELINE_MAX, REQUEST_MS_MAX } from "./lane-connection.ts";
import { echo, front, isFromNode, post, turns, type Reply } from "./test-front.ts";

describe("FrontServer, plain requests", () => {
  it("accept() answers with the ids, the date and keep-alive", async () => {
    const handler: ExchangeHandler = async (exchange) => {
      exchange.predictionId = "p-1";
      return { status: 200, headers: [["x-model", "iris@1"]], body: "é" };
    };
    const client = await (await front(handler)).connect();
    await client.write(post("x", ["X-Request-Id: r-1"]));
    const { status, headers, body } = await client.reply();
    expect(status).toBe(200);
    expect(Buffer.from(body, "latin1").toString()).toBe("é");
    expect(Object.fromEntries(headers)).toEqual({
      "x-model": "iris@1",
      "x-prediction-id": "p-1",
      "x-request-id": "r-1",
      "content-length": "2",
      date: "Tue, 14 Nov 2023 22:13:20 GMT",
      connection: "keep-alive",
      "keep-alive": "timeout=72",
    });
  });

  it("accept() gives the handler what stands in the request", async () => {
    let seen: Exchange | undefined;
    const server = await front(async (exchange) => {
      seen = exchange;
      return { status: 200, headers: [], body: new Uint8Array([0, 255]) };
    });
    server.clock.advanceMs(5);
    const client = await server.connect();
    await client.write(post("abc", ["Content-Type: application/json"], "/v2/models/m/infer"));
    expect((await client.reply()).body).toBe("\0\xff");
    expect(seen?.service).toBe("m");
    expect(seen?.version).toBeUndefined();
    expect(seen?.receivedMs).toBe(5);
    expect(seen?.bodyBytesMax).toBe(1_000_000);
    expect(seen?.header("content-type")).toBe("application/json");
    expect(seen?.header("prefer")).toBeUndefined();
    expect(seen?.requestId).toMatch(/^[\da-f-]{36}$/);
    expect(Buffer.from(seen?.body ?? []).toString()).toBe("abc");
  });

  it("accept() keeps every header where rules may ask for it, and only there", async () => {
    const asked: (string | undefined)[][] = [];
    const handler: ExchangeHandler = async (exchange) => {
      asked.push([exchange.pathText, exchange.anyHeader("target"), exchange.anyHeader("x-target")]);
      return { status: 200, headers: [], body: "{}" };
    };
    const server = await front(handler, { needsHead: ({ service }) => service === "m" });
    const client = await server.connect();
    const headers = ["X-Target: b", "Target: a b"];
    for (const path of ["/v2/models/m/infer", "/v2/models/n/infer"]) {
      await client.write(post("{}", headers, path));
      await client.reply();
    }
    expect(asked[0]).toEqual(["/v2/models/m/infer", "a b", "b"]);
    expect(asked[1]).toEqual(["/v2/models/n/infer", undefined, undefined]);
  });

  it("accept() serves many requests on one connection, split at every position", async () => {
    const client = await (await front()).connect();
    const request = post('{"data": [[1]]}', ["x-request-timeout: 1s"]);
    for (let at = 1; at < request.length; at++) {
      await client.write(request.slice(0, at));
      await turns(3);
      await client.write(request.slice(at));
      const reply = await client.reply();
      expect([at, reply.body, isFromNode(reply)]).toEqual([at, '{"data": [[1]]}', false]);
    }
  });

  it("accept() serves a request that comes byte by byte", async () => {
    const client = await (await front()).connect();
    for (const byte of Buffer.from(post("abcdef"))) {
      await client.write(Uint8Array.of(byte));
      await turns(2);
    }
    const reply = await client.reply();
    expect([reply.body, isFromNode(reply)]).toEqual(["abcdef", false]);
  });

  it("accept() keeps order and bodies whatever the parts, the pipelining and the odd ones between", async () => {
    const random = new TestRandom(20_261_121);
    const server = await front(async (exchange) => {
      for (let i = random.below(4); i > 0; i--) await nextTurn();
      return echo(exchange);
    });
    for (let round = 0; round < 60; round++) {
      const bodies = Array.from({ length: 1 + random.below(30) }, (_, i) =>
        `${round}.${i}:`.padEnd(random.pick([8, 9, 500, 70_000]), "x"),
      );
      const oddAt = random.below(60); // often behind the last one
      const bytes = bodies.map((body, i) => post(body, i === oddAt ? ["x-odd:  1"] : [])).join("");
      const client = await server.connect();
      const replies = (async () => {
        const read: Reply[] = [];
        for (const _ of bodies) read.push(await client.reply());
        return read;
      })();
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + random.below(random.pick([5, 300, 100_000]));
        if (bytes.length - at > 20_000 && end - at < 5_000) continue;
        await client.write(bytes.slice(at, end));
        if (random.below(2) === 0) await nextTurn();
        at = end;
      }
      const read = await replies;
      const expected = bodies.map((body, i) => [body, i >= oddAt]);
      expect([random.seed, round, read.map((reply) => [reply.body, isFromNode(reply)])]).toEqual([
        random.seed,
        round,
        expected,
      ]);
      client.socket.destroy();
    }
  });

  it("accept() aligns binary tensors, in memory of their own", async () => {
    const bodies: Uint8Array[] = [];
    const client = await (
      await front(async ({ body }) => {
        bodies.push(body);
        return { status: 200, headers: [], body: "" };
      })
    ).connect();
    const request = post("x".repeat(29), ["inference-header-content-length: 13"]);
    await client.write(request);
    await client.reply();
    await client.write(request.slice(0, -20));
    await turns();
    await client.write(request.slice(-20));
    await client.reply();
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toHaveLength(29);
      expect((body.byteOffset + 13) % 8).toBe(0);
      expect(body.buffer.byteLength).toBe(body.byteOffset + body.length);
    }
  });
});

describe("FrontServer, requests that are Node's", () => {
  it.each([
    [
      "chunks",
      "POST /predict HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
    ["another path", post("abc", [], "/other")],
    ["a query", post("abc", [], "/predict?x")],
    ["a longer body than allowed", post("x".repeat(1_000_001))],
    ["another media type", post("abc", ["content-type: image/png"])],
    ["a long head", post("abc", [`x-a: ${"y".repeat(9_000)}`])],
    ["an origin", post("abc", ["origin: http://a"])],
    ["a name with a byte that is none of a plain head", post("abc", ["x-a: caf\xe9"])],
  ])("accept() hands over %s, and the connection stays open", async (_name, bytes) => {
    const client = await (await front()).connect();
    await client.write(post("first"));
    expect(isFromNode(await client.reply())).toBe(false);
    await client.write(Buffer.from(bytes, "latin1"));
    const reply = await client.reply();
    expect([reply.status, isFromNode(reply)]).toEqual([200, true]);
    await client.write(post("last"));
    const last = await client.reply();
    expect([last.body, isFromNode(last)]).toEqual(["last", true]);
  });

  it("accept() hands over Expect: 100-continue, which is answered before the body comes", async () => {
    const client = await (await front()).connect();
    const request = post("abc", ["expect: 100-continue"]);
    await client.write(request.slice(0, -3));
    expect((await client.reply()).status).toBe(100);
    await client.write("abc");
    expect((await client.reply()).body).toBe("abc");
  });

  it.each([
    ["two lengths", post("abc", ["content-length: 3"])],
    ["a NUL in a header", post("abc", ["x-a: \0"])],
    ["TLS", "\x16\x03\x01\x02\0\x01\0"],
    ["no host", post("abc").replace("host: a", "x-a: a")],
  ])("accept() leaves the refusal to Node's parser: %s", async (_name, bytes) => {
    const client = await (await front()).connect();
    await client.write(Buffer.from(bytes, "latin1"));
    const { status, headers } = await client.reply();
    expect([status, headers.get("date") ?? "none"]).toEqual([
      400,
      expect.not.stringContaining("2023"),
    ]);
    await client.closed();
  });

  it("accept() hands over after the replies that are due", async () => {
    let finish = (): void => undefined;
    const client = await (
      await front(async (exchange) => {
        await new Promise<void>((resolve) => (finish = resolve));
        return echo(exchange);
      })
    ).connect();
    await client.write(post("first") + post("second", ["x-odd:  1"]) + post("third"));
    await turns();
    finish();
    expect(isFromNode(await client.reply())).toBe(false);
    const replies = [await client.reply(), await client.reply()];
    expect(replies.map(({ body }) => body)).toEqual(["second", "third"]);
    expect(replies.every(isFromNode)).toBe(true);
  });

  it("accept() hands over what lacks its key, and serves what has it", async () => {
    const key = { name: "k", secret: "s3cret", scopes: ["infer"] } as const;
    const client = await (await front(echo, { auth: new Auth([key]) })).connect();
    for (let i = 0; i < 2; i++) {
      await client.write(post("abc", ["authorization: Bearer s3cret"]));
      expect(isFromNode(await client.reply())).toBe(false);
    }
    await client.write(post("abc", ["authorization: Bearer other"]));
    expect(isFromNode(await client.reply())).toBe(true);
  });

  it("accept() lets Node collect bodies when too many bytes are announced", async () => {
    const server = await front(echo, { bodyBytesMax: 2 ** 30 });
    const first = await server.connect();
    await first.write("POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 268000000\r\n\r\nx");
    await turns();
    const second = await server.connect();
    const body = "x".repeat(500_000);
    await second.write(post(body));
    expect(isFromNode(await second.reply())).toBe(true);
    first.socket.destroy();
    await once(first.socket, "close");
    await turns();
    const third = await server.connect();
    await third.write(post(body));
    expect(isFromNode(await third.reply())).toBe(false);
  });
});

describe("FrontServer, replies", () => {
  it("accept() answers in the order of the requests", async () => {
    const finish = new Map<string, () => void>();
    const client = await (
      await front(async (exchange) => {
        const name = Buffer.from(exchange.body).toString();
        await new Promise<void>((resolve) => finish.set(name, resolve));
        return echo(exchange);
      })
    ).connect();
    await client.write(post("a") + post("b") + post("c"));
    await turns();
    for (const name of ["c", "b", "a"]) {
      finish.get(name)?.();
      await turns(2);
    }
    const bodies = [await client.reply(), await client.reply(), await client.reply()];
    expect(bodies.map(({ body }) => body)).toEqual(["a", "b", "c"]);
  });

  it(`accept() works on ${PIPELINE_MAX} requests of a connection at most`, async () => {
    const waiting: (() => void)[] = [];
    const client = await (
      await front(async (exchange) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return echo(exchange);
      })
    ).connect();
    const bodies = Array.from({ length: 50 }, (_, i) => `b${i}`);
    await client.write(bodies.map((body) => post(body)).join(""));
    await turns();
    expect(waiting).toHaveLength(PIPELINE_MAX);
    for (const body of bodies) {
      while (waiting.length === 0) await nextTurn();
      waiting.shift()?.();
      expect((await client.reply()).body).toBe(body);
      expect(waiting.length).toBeLessThanOrEqual(PIPELINE_MAX);
    }
  });

  it("accept() stops reading from a client that does not read", async () => {
    let count = 0;
    const reply = "x".repeat(1_000_000);
    const client = await (
      await front(async () => {
        count++;
        return { status: 200, headers: [], body: reply };
      })
    ).connect();
    client.socket.pause();
    client.socket.write(post("x").repeat(100));
    await turns(200);
    expect(count).toBeLessThan(40);
    client.socket.resume();
    for (let i = 0; i < 100; i++) expect((await client.reply()).body).toHaveLength(reply.length);
    expect(count).toBe(100);
  });

  it("accept() prints what a handler throws, and logs what is our fault", async () => {
    const errors = [
      new MillraceError("OVERLOADED", "Cannot predict: full", { retryAfterSeconds: 2 }),
      new TypeError("secret"),
    ];
    const server = await front(async (exchange) => {
      exchange.predictionId = "p-1";
      throw errors.shift() as Error;
    });
    const client = await server.connect();
    await client.write(post("x", ["x-request-id: r-1"]));
    const overloaded = await client.reply();
    expect(overloaded.status).toBe(503);
    expect(overloaded.headers.get("retry-after")).toBe("2");
    expect(overloaded.headers.get("x-error-code")).toBe("OVERLOADED");
    expect(overloaded.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(overloaded.body)).toMatchObject({ request_id: "r-1", prediction_id: "p-1" });
    await client.write(post("x", [], "/v2/models/m/infer"));
    const internal = await client.reply();
    expect([internal.status, internal.body]).toEqual([
      500,
      '{"error":"Cannot answer: internal error"}',
    ]);
    expect(server.logged).toMatchObject([
      { requestId: "r-1", status: 503, code: "OVERLOADED", route: "/predict", method: "POST" },
      { code: "INTERNAL", err: { message: "secret" } },
      { status: 500, route: "/v2/models/:model/infer", predictionId: "p-1" },
    ]);
  });

  it("admit() refuses before the body, which nobody reads, and the connection goes on", async () => {
    const refusal = { status: 503, headers: [["retry-after", "1"]], body: "no" } as const;
    let isFull = true;
    const bodies: string[] = [];
    const server = await front(
      async (exchange) => {
        bodies.push(Buffer.from(exchange.body).toString());
        return echo(exchange);
      },
      { admit: () => (isFull ? refusal : undefined) },
    );
    const client = await server.connect();
    await client.write(post("POST /predict HTTP/1.1"));
    const { status, headers, body } = await client.reply();
    expect([status, headers.get("retry-after"), body]).toEqual([503, "1", "no"]);
    const request = post("y".repeat(100_000));
    await client.write(request.slice(0, 70_000));
    expect((await client.reply()).body).toBe("no");
    await client.write(request.slice(70_000));
    await turns();
    isFull = false;
    await client.write(post("in"));
    expect((await client.reply()).body).toBe("in");
    expect(bodies).toEqual(["in"]);
  });
});

describe("FrontServer, ends", () => {
  async function gone(leave: (socket: Socket) => void): Promise<Error> {
    let cancellation: Cancellation | undefined;
    const client = await (
      await front(async (exchange) => {
        cancellation = exchange.cancellation;
        await new Promise(() => undefined);
        return expect.unreachable();
      })
    ).connect();
    await client.write(post("x") + post("y"));
    await turns();
    expect(cancellation?.isCancelled).toBe(false);
    leave(client.socket);
    while (cancellation?.isCancelled !== true) await nextTurn();
    return cancellation.reason as Error;
  }

  it.each([
    ["closes", (socket: Socket) => void socket.destroy()],
    ["resets", (socket: Socket) => void socket.resetAndDestroy()],
    ["ends its side", (socket: Socket) => void socket.end()],
  ])("accept() aborts what a client asked for that %s", async (_name, leave) => {
    expect(await gone(leave)).toMatchObject({ code: "CANCELLED" });
  });

  it("accept() gives up a head that does not come, with 408", async () => {
    const { clock, connect: open } = await front();
    const slow = await open();
    await slow.write("POST /pre");
    await turns();
    clock.advanceMs(HEAD_MS_MAX);
    await slow.write("dict HTTP");
    await turns();
    clock.advanceMs(1_001);
    const { status, headers } = await slow.reply();
    expect([status, headers.get("x-error-code")]).toEqual([408, "REQUEST_TIMEOUT"]);
    await slow.closed();
  });

  it("accept() keeps a connection that has asked nothing yet as long as an idle one", async () => {
    const { clock, connect: open } = await front();
    const early = await open();
    await turns();
    clock.advanceMs(HEAD_MS_MAX + 1_001);
    await early.write(post("abc"));
    expect((await early.reply()).status).toBe(200);
    const silent = await open();
    await turns();
    clock.advanceMs(1_001);
    clock.advanceMs(KEEP_ALIVE_MS + 1_001);
    await silent.closed();
  });

  it("accept() gives up a body that does not come, with 408", async () => {
    const { clock, connect: open } = await front();
    const client = await open();
    await client.write(post("abc").slice(0, -1));
    await turns();
    clock.advanceMs(REQUEST_MS_MAX);
    await turns();
    expect(client.socket.readyState).toBe("open");
    clock.advanceMs(1_001);
    expect((await client.reply()).status).toBe(408);
  });

  it("accept() closes a connection that stays silent after its reply", async () => {
    const { clock, connect: open } = await front();
    const client = await open();
    await client.write(post("abc"));
    await client.reply();
    clock.advanceMs(KEEP_ALIVE_MS);
    await turns();
    expect(client.socket.readyState).toBe("open");
    clock.advanceMs(3_000);
    await client.closed();
  });

  it("accept() sets no timer without connections", async () => {
    const { clock, connect: open } = await front();
    const client = await open();
    await turns();
    expect(clock.timerCount).toBe(1);
    client.socket.destroy();
    await turns();
    clock.advanceMs(1_000);
    expect(clock.timerCount).toBe(0);
  });

  it("close() ends idle connections at once and the others after their reply", async () => {
    let finish = (): void => undefined;
    const { server, connect: open } = await front(async (exchange) => {
      await new Promise<void>((resolve) => (finish = resolve));
      return echo(exchange);
    });
    const idle = await open();
    const busy = await open();
    const sending = await open();
    await busy.write(post("busy"));
    await sending.write(post("sending").slice(0, -3));
    await turns();
    const closed = once(server, "close");
    server.close();
    await idle.closed();
    finish();
    const reply = await busy.reply();
    expect([reply.body, reply.headers.get("connection")]).toEqual(["busy", "close"]);
    await busy.closed();
    await sending.write("ing");
    await turns();
    finish();
    expect((await sending.reply()).headers.get("connection")).toBe("close");
    await closed;
  });

  it("accept() closes after a reply while the process drains", async () => {
    let isDraining = false;
    const client = await (await front(echo, { isDraining: () => isDraining })).connect();
    await client.write(post("a"));
    expect((await client.reply()).headers.get("connection")).toBe("keep-alive");
    isDraining = true;
    await client.write(post("b") + post("c"));
    expect((await client.reply()).headers.get("connection")).toBe("keep-alive");
    expect((await client.reply()).headers.get("connection")).toBe("close");
    await client.closed();
  });

  it("closeAllConnections() ends every connection", async () => {
    const { server, connect: open } = await front(() => new Promise(() => undefined));
    const busy = await open();
    await busy.write(post("busy"));
    const handedOver = await open();
    await handedOver.write(post("x", ["expect: 100-continue"]).slice(0, -1));
    await turns();
    server.closeAllConnections();
    await Promise.all([busy.closed(), handedOver.closed()]);
    expect([busy.socket.destroyed, handedOver.socket.destroyed]).toEqual([true, true]);
  });
});
