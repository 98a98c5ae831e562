import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { RedisTensorCache } from "../../packages/millrace/src/adapters/cache-redis/redis-tensor-cache.ts";
import type { Lookup } from "../../packages/millrace/src/ports/tensor-cache.ts";
import { valueOf } from "../contract/tensor-cache-contract.ts";
import { openTestCache, until, type OpenedCache, type OpenOptions } from "../redis-cache.ts";
import { TestRedis } from "../redis-server.ts";

const HOUR_MS = 3_600_000;
const PREFIX = "millrace:1:";
const opened: RedisTensorCache[] = [];
let redis: TestRedis;
let direct: Redis;

beforeAll(async () => {
  redis = await TestRedis.start();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  await redis.restart();
  direct = new Redis(redis.url, { protocol: 2, retryStrategy: () => 20 });
  direct.on("error", () => undefined);
});
afterEach(async () => {
  direct.disconnect();
  for (const cache of opened.splice(0)) await cache.close();
});

async function open(options?: OpenOptions, url = redis.url): Promise<OpenedCache> {
  const one = await openTestCache(url, options);
  opened.push(one.cache);
  return one;
}

/** Always a promise, whether it is answered at once or not. */
const ask = async (cache: RedisTensorCache, key: string): Promise<Lookup> => cache.get(key);

const levelsOf = ({ lines }: OpenedCache): string[] => lines.map(({ level }) => level);

test("a server that is killed makes everything unavailable at once, and is used again when it is back", async () => {
  const one = await open();
  const { cache } = one;
  cache.set("p:1", valueOf(1), HOUR_MS);
  expect(await cache.get("p:1")).toEqual(valueOf(1));

  const asked = Array.from({ length: 50 }, () => ask(cache, "p:1"));
  await redis.kill();
  const answers = await Promise.all(asked);
  expect(answers.every((answer) => answer === "unavailable" || typeof answer === "object")).toBe(
    true,
  );
  await until(() => !cache.isUp);
  for (let i = 0; i < 100; i++) {
    expect(cache.get("p:1")).toBe("unavailable"); // no promise: it costs nothing
    cache.set("p:1", valueOf(1), HOUR_MS);
  }

  await redis.restart();
  await until(() => cache.isUp);
  expect(await cache.get("p:1")).toBe("missing");
  cache.set("p:1", valueOf(2), HOUR_MS);
  expect(await cache.get("p:1")).toEqual(valueOf(2));
  expect(levelsOf(one)).toEqual(["info", "warn", "info"]);
});

test("a server that was never there is no reason not to start", async () => {
  await redis.kill();
  const one = await open({ isAwaited: false });
  expect(one.cache.get("p:1")).toBe("unavailable");
  await until(() => one.lines.length > 0);
  expect(one.lines[0]).toMatchObject({ level: "warn", fields: { cache: `${redis.url}` } });
  await redis.restart();
  await until(() => one.cache.isUp);
  expect(levelsOf(one)).toEqual(["warn", "info"]);
});

test("a server that hangs is waited for no longer than an answer may take, and then not at all", async () => {
  const one = await open({ answerMsMax: 50 });
  const { cache } = one;
  redis.suspend();
  try {
    const startedMs = performance.now();
    expect(await cache.get("p:1")).toBe("unavailable");
    expect(performance.now() - startedMs).toBeGreaterThan(40);
    await until(async () => {
      await Promise.all(Array.from({ length: 10 }, () => ask(cache, "p:1")));
      return cache.get("p:1") === "unavailable";
    });
    expect(cache.isUp).toBe(false);
    // Longer than it takes to give the connection up: the next one is as silent.
    await sleep(800);
    expect(cache.get("p:1")).toBe("unavailable");
  } finally {
    redis.resume();
  }
  await until(() => cache.isUp);
  cache.set("p:1", valueOf(1), HOUR_MS);
  await until(async () => (await cache.get("p:1")) !== "missing");
  expect(levelsOf(one)).toEqual(["info", "warn", "info"]);
});

test("a server that answers too late is not asked for a while", async () => {
  await using slow = await delayingProxy(redis.port, 150);
  const one = await open({ answerMsMax: 50 }, `redis://127.0.0.1:${slow.port}`);
  for (let i = 0; i < 20; i++) expect(await one.cache.get("p:1")).toBe("unavailable");
  expect(one.cache.get("p:1")).toBe("unavailable"); // no promise any more
  expect(one.cache.isUp).toBe(false);
  expect(one.lines.at(-1)).toMatchObject({
    level: "warn",
    fields: { reason: "no answer within 50 ms" },
  });
});

test("an answer that came while this thread was busy is in time", async () => {
  const { cache } = await open({ answerMsMax: 50 });
  await new Promise((resolve) => setImmediate(resolve)); // timers come before sockets now
  const looked = ask(cache, "p:1");
  const endMs = performance.now() + 200;
  while (performance.now() < endMs);
  expect(await looked).toBe("missing");
});

test("no more commands wait for a server that hangs than the bound says", async () => {
  const { cache } = await open();
  redis.suspend();
  try {
    const answers = Array.from({ length: 1_100 }, () => cache.get("p:1"));
    const refused = answers.filter((answer) => answer === "unavailable");
    expect(refused).toHaveLength(100);
    redis.resume();
    const others = answers.filter((answer): answer is Promise<Lookup> => answer instanceof Promise);
    expect(new Set(await Promise.all(others))).toEqual(new Set(["missing"]));
  } finally {
    redis.resume();
  }
});

test("two processes find what the other one has stored", async () => {
  const { cache } = await open();
  cache.set("p:shared", valueOf(4, 5, 6), HOUR_MS);
  expect(await cache.get("p:shared")).toEqual(valueOf(4, 5, 6));
  const script = fileURLToPath(new URL("../fixtures/read-cached.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=@millrace/source",
    script,
    redis.url,
    "p:shared",
  ]);
  expect(stdout.trim()).toBe("4 5 6");
});

test("values go to keys of their own, and leave with their time", async () => {
  const { cache } = await open();
  cache.set("p:1", valueOf(1), 60_000);
  await cache.get("p:1");
  expect(await direct.keys("*")).toEqual([`${PREFIX}p:1`]);
  const leftMs = await direct.pttl(`${PREFIX}p:1`);
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThanOrEqual(60_000);
});

test("a foreign or broken value is missing, and may be replaced", async () => {
  const { cache } = await open();
  cache.set("p:good", valueOf(1), HOUR_MS);
  await cache.get("p:good");
  const good = (await direct.getBuffer(`${PREFIX}p:good`)) as Buffer;
  const flipped = Buffer.from(good);
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
  const broken = [
    Buffer.from("hello"),
    Buffer.from('{"prediction":[1]}'),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.alloc(1)]),
    flipped,
    good, // of another key
    Buffer.alloc(17 * 1024 * 1024),
  ];
  for (const value of broken) {
    await direct.set(`${PREFIX}p:1`, value);
    expect(await cache.get("p:1")).toBe("missing");
  }
  cache.set("p:1", valueOf(2), HOUR_MS);
  expect(await cache.get("p:1")).toEqual(valueOf(2));
});

test("a key that holds another kind of thing is missing, is logged once, and harms no other", async () => {
  const one = await open();
  await direct.lpush(`${PREFIX}p:list`, "x");
  one.cache.set("p:1", valueOf(1), HOUR_MS);
  for (let i = 0; i < 30; i++) expect(await one.cache.get("p:list")).toBe("missing");
  expect(await one.cache.get("p:1")).toEqual(valueOf(1));
  expect(one.cache.isUp).toBe(true);
  expect(levelsOf(one)).toEqual(["info", "warn"]);
});

test("a value that is too large is not stored", async () => {
  const { cache } = await open();
  const data = new Float32Array(4 * 1024 * 1024);
  const large = { name: "y", datatype: "FP32" as const, shape: [1, data.length], data };
  cache.set("p:large", { outputs: [large], storedWallMs: 1 }, HOUR_MS);
  cache.set("p:small", valueOf(1), HOUR_MS);
  expect(await cache.get("p:large")).toBe("missing");
  expect(await cache.get("p:small")).toEqual(valueOf(1));
});

test("a server that is full refuses, which is logged once, and still answers what it has", async () => {
  const one = await open();
  one.cache.set("p:1", valueOf(1), HOUR_MS);
  await one.cache.get("p:1");
  await direct.config("SET", "maxmemory", "1");
  for (let i = 0; i < 30; i++) one.cache.set(`p:more${i}`, valueOf(i), HOUR_MS);
  await until(() => one.lines.length > 1);
  expect(await one.cache.get("p:1")).toEqual(valueOf(1));
  expect(await one.cache.get("p:more1")).toBe("missing");
  expect(one.lines.slice(1)).toMatchObject([
    { level: "warn", fields: { reason: expect.stringContaining("OOM") as string } },
  ]);
});

test("a password is used and never logged, be it right or wrong", async () => {
  const locked = await TestRedis.start("--requirepass", "tiger & 7");
  try {
    const address = (password: string): string =>
      `redis://:${encodeURIComponent(password)}@127.0.0.1:${locked.port}/3`;
    const right = await open({}, address("tiger & 7"));
    right.cache.set("p:1", valueOf(1), HOUR_MS);
    expect(await right.cache.get("p:1")).toEqual(valueOf(1));

    const wrong = await open({ isAwaited: false }, address("lion"));
    await until(() => wrong.lines.length > 0);
    expect(wrong.cache.get("p:1")).toBe("unavailable");
    const log = JSON.stringify([...right.lines, ...wrong.lines]);
    expect(log).toContain("WRONGPASS");
    expect(log).toContain(`redis://127.0.0.1:${locked.port}/3`);
    expect(log).not.toMatch(/tiger|lion/);
  } finally {
    await locked.stop();
  }
});

test("a password that the server quotes in what it says is not logged", async () => {
  await using quoting = await listen((socket) => {
    socket.on("data", () => socket.write("-ERR unknown command 'AUTH', with args: 'tiger7'\r\n"));
  });
  const url = `redis://:tiger7@127.0.0.1:${quoting.port}`;
  const { lines } = await open({ isAwaited: false }, url);
  await until(() => lines.length > 0);
  expect(JSON.stringify(lines)).toContain("with args: '***'");
  expect(JSON.stringify(lines)).not.toContain("tiger7");
});

type Listening = AsyncDisposable & { readonly port: number };

async function listen(serve: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Hands everything on to a port, and what comes back only after a while. */
function delayingProxy(port: number, delayMs: number): Promise<Listening> {
  return listen((socket) => {
    const upstream = connect(port, "127.0.0.1");
    upstream.on("error", () => undefined);
    socket.pipe(upstream);
    socket.on("close", () => upstream.destroy());
    upstream.on("data", (chunk: Buffer) => {
      setTimeout(() => socket.writable && socket.write(chunk), delayMs);
    });
  });
}
