import { describe, expect, test } from "vitest";
import type { CacheCounters } from "../core/cache/cache-counters.ts";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError } from "../core/errors.ts";
import { Counter } from "../core/metrics/metrics.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { TestClock } from "../core/test-clock.ts";
import type { CachedTensors, Lookup, TensorCache } from "../ports/tensor-cache.ts";
import { PredictionCache, type CacheAnswer, type PredictionRun } from "./prediction-cache.ts";

const TTL_MS = 1_000;
const patient = { cancellation: undefined, deadlineAtMs: Infinity };

interface Result {
  readonly outputs: readonly Tensor[];
  readonly degraded: boolean;
}

function resultOf(value: number, degraded = false): Result {
  const data = Float32Array.of(value);
  return { outputs: [{ name: "y", datatype: "FP32", shape: [1, 1], data }], degraded };
}

/** A cache that answers when the test says so, or at once. */
class TestCache implements TensorCache {
  readonly stored = new Map<string, { value: CachedTensors; untilMs: number }>();
  readonly clock: TestClock;
  /** While it is there, each look waits for it. */
  delay: Promise<void> | undefined;
  isAway = false;
  getCount = 0;

  constructor(clock: TestClock) {
    this.clock = clock;
  }

  get(key: string): Lookup | Promise<Lookup> {
    this.getCount++;
    if (this.delay === undefined) return this.#find(key);
    return this.delay.then(() => this.#find(key));
  }

  #find(key: string): Lookup {
    if (this.isAway) return "unavailable";
    const entry = this.stored.get(key);
    return entry === undefined || entry.untilMs < this.clock.nowMs() ? "missing" : entry.value;
  }

  set(key: string, value: CachedTensors, ttlMs: number): void {
    this.stored.set(key, { value, untilMs: this.clock.nowMs() + ttlMs });
  }

  setBounds(): void {}
  usage(): undefined {}
  async close(): Promise<void> {}
}

/** Runs of one prediction: counted, and ended by the test. */
class TestRuns {
  readonly runs: { cancellation: Cancellation; end: PromiseWithResolvers<Result> }[] = [];

  readonly start: PredictionRun<Result> = (cancellation) => {
    const end = Promise.withResolvers<Result>();
    cancellation.watch(() => end.reject(cancellation.reason));
    this.runs.push({ cancellation, end });
    return end.promise;
  };

  get count(): number {
    return this.runs.length;
  }

  end(index: number, result: Result): void {
    this.runs[index]?.end.resolve(result);
  }

  fail(index: number, error: unknown): void {
    this.runs[index]?.end.reject(error);
  }
}

function begin(options: { lookup?: "before" | "parallel"; keepMs?: number } = {}) {
  const clock = new TestClock();
  const store = new TestCache(clock);
  const counters: CacheCounters = {
    hit: new Counter(),
    miss: new Counter(),
    stale: new Counter(),
    error: new Counter(),
  };
  const cache = new PredictionCache<Result>({
    cache: store,
    clock,
    ttlMs: TTL_MS,
    keepMs: options.keepMs ?? TTL_MS,
    lookup: options.lookup ?? "before",
    isStorable: ({ degraded }) => !degraded,
    madeBy: () => "iris@1",
    counters,
  });
  const counts = (): Record<string, number> => {
    const all = Object.entries(counters).map(([name, { value }]) => [name, value] as const);
    return Object.fromEntries(all.filter(([, value]) => value > 0));
  };
  return { clock, store, cache, counts, runs: new TestRuns() };
}

type Answered = CacheAnswer<Result> | Promise<CacheAnswer<Result>>;

/** What came, as `hit 7`; of what failed its code, or what was thrown. */
async function textOf(answer: Answered): Promise<string> {
  try {
    const { cache, outputs } = await answer;
    return `${cache} ${outputs[0]?.data[0] as number}`;
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("answer()", () => {
  test("runs once, and answers at once from then on", async () => {
    const { cache, runs, counts } = begin();
    const first = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7));
    expect(await first).toEqual({
      cache: "miss",
      outputs: resultOf(7).outputs,
      result: resultOf(7),
    });
    const second = cache.answer("p:1", runs.start, patient);
    expect(second).toEqual({
      cache: "hit",
      outputs: resultOf(7).outputs,
      result: undefined,
      madeBy: "iris@1",
    });
    expect(runs.count).toBe(1);
    expect(counts()).toEqual({ hit: 1, miss: 1 });
    expect(cache.runCount).toBe(0);
  });

  test("runs again when the time of the prediction is over", async () => {
    const { clock, cache, runs } = begin();
    const first = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7));
    await first;
    clock.advanceMs(TTL_MS);
    expect(await textOf(cache.answer("p:1", runs.start, patient))).toBe("hit 7");
    clock.advanceMs(1);
    const again = cache.answer("p:1", runs.start, patient);
    runs.end(1, resultOf(8));
    expect(await textOf(again)).toBe("miss 8");
  });

  test("does not store what lacks something", async () => {
    const { store, cache, runs } = begin();
    const answer = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7, true));
    expect((await answer).result?.degraded).toBe(true);
    expect(store.stored.size).toBe(0);
  });

  test("counts a cache that cannot be asked as an error, and predicts", async () => {
    const { store, cache, runs, counts } = begin();
    store.isAway = true;
    const answer = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7));
    expect(await textOf(answer)).toBe("miss 7");
    expect(counts()).toEqual({ error: 1 });
  });
});

describe("answer() of several requests for the same", () => {
  test("runs once for all that come while it runs", async () => {
    const { cache, runs, counts } = begin();
    const answers = Array.from({ length: 100 }, () => cache.answer("p:1", runs.start, patient));
    expect(runs.count).toBe(1);
    runs.end(0, resultOf(7));
    const texts = await Promise.all(answers.map(textOf));
    expect(texts.filter((text) => text === "hit 7")).toHaveLength(99);
    expect(texts[0]).toBe("miss 7");
    expect(counts()).toEqual({ hit: 99, miss: 1 });
  });

  test("runs apart for other keys", async () => {
    const { cache, runs } = begin();
    const answers = ["p:1", "p:2"].map((key) => cache.answer(key, runs.start, patient));
    runs.end(0, resultOf(1));
    runs.end(1, resultOf(2));
    expect(await Promise.all(answers.map(textOf))).toEqual(["miss 1", "miss 2"]);
  });

  test("looks once for all of them where looking takes time", async () => {
    const { store, cache, runs } = begin();
    const delay = Promise.withResolvers<void>();
    store.delay = delay.promise;
    const answers = Array.from({ length: 3 }, () => cache.answer("p:1", runs.start, patient));
    expect([store.getCount, runs.count]).toEqual([1, 0]);
    delay.resolve();
    await turn();
    runs.end(0, resultOf(7));
    expect(await Promise.all(answers.map(textOf))).toEqual(["miss 7", "hit 7", "hit 7"]);
  });

  test("hands on what the run lacks to those that waited", async () => {
    const { cache, runs } = begin();
    const first = cache.answer("p:1", runs.start, patient);
    const second = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7, true));
    expect((await first).result?.degraded).toBe(true);
    expect((await second).result?.degraded).toBe(true);
  });

  test("gives all of them the error of the model, and stores nothing", async () => {
    const { store, cache, runs } = begin();
    const answers = Array.from({ length: 3 }, () => cache.answer("p:1", runs.start, patient));
    runs.fail(0, new MillraceError("MODEL_FAILED", "Cannot predict: broken"));
    expect(await Promise.all(answers.map(textOf))).toEqual(Array(3).fill("MODEL_FAILED"));
    expect([runs.count, store.stored.size, cache.runCount]).toEqual([1, 0, 0]);
    const next = cache.answer("p:1", runs.start, patient);
    runs.end(1, resultOf(7));
    expect(await textOf(next)).toBe("miss 7");
  });

  test("goes on for the others when the client of the first one goes", async () => {
    const { cache, runs } = begin();
    const cancellation = new Cancellation();
    const first = cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity });
    const second = cache.answer("p:1", runs.start, patient);
    cancellation.cancel("gone");
    expect(await textOf(first)).toBe("gone");
    expect(runs.runs[0]?.cancellation.isCancelled).toBe(false);
    runs.end(0, resultOf(7));
    expect(await textOf(second)).toBe("hit 7");
  });

  test("ends for a follower when its client goes or its time is over, and for nobody else", async () => {
    const { clock, cache, runs } = begin();
    const first = cache.answer("p:1", runs.start, patient);
    const cancellation = new Cancellation();
    const gone = cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity });
    const late = cache.answer("p:1", runs.start, { cancellation: undefined, deadlineAtMs: 10 });
    cancellation.cancel("gone");
    clock.advanceMs(10);
    expect(await textOf(gone)).toBe("gone");
    expect(await textOf(late)).toBe("DEADLINE_EXCEEDED");
    runs.end(0, resultOf(7));
    expect(await textOf(first)).toBe("miss 7");
    expect(runs.count).toBe(1);
  });

  test("cancels the run when nobody waits any more, and the next one begins anew", async () => {
    const { cache, runs } = begin();
    const clients = [new Cancellation(), new Cancellation()];
    const answers = clients.map((cancellation) =>
      cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity }),
    );
    clients[0]?.cancel("first");
    clients[1]?.cancel("second");
    expect(runs.runs[0]?.cancellation.reason).toBe("second");
    expect(cache.runCount).toBe(0);
    const next = cache.answer("p:1", runs.start, patient);
    expect(runs.count).toBe(2);
    runs.end(1, resultOf(7));
    expect(await Promise.all([...answers, next].map(textOf))).toEqual([
      "first",
      "second",
      "miss 7",
    ]);
  });

  test("is taken over by one of them when the first one runs out of its own time", async () => {
    const { cache, runs, counts } = begin();
    const answers = Array.from({ length: 4 }, () =>
      textOf(cache.answer("p:1", runs.start, patient)),
    );
    runs.fail(0, new MillraceError("DEADLINE_EXCEEDED", "Cannot predict: too late"));
    await turn();
    expect(runs.count).toBe(2);
    runs.end(1, resultOf(7));
    const texts = await Promise.all(answers);
    expect(texts).toEqual(["DEADLINE_EXCEEDED", "miss 7", "hit 7", "hit 7"]);
    expect(counts()).toEqual({ miss: 2, hit: 2 });
  });

  test("is run by each on its own when four others ran out of their time", async () => {
    const { cache, runs } = begin();
    const texts = Array.from({ length: 12 }, () =>
      textOf(cache.answer("p:1", runs.start, patient)),
    );
    for (let i = 0; i < 4; i++) {
      expect(runs.count).toBe(i + 1);
      runs.fail(i, new MillraceError("CANCELLED", "Cannot predict: gone"));
      await turn();
    }
    expect(runs.count).toBe(12);
    for (const { end } of runs.runs) end.resolve(resultOf(7));
    const all = await Promise.all(texts);
    expect(all).toEqual([
      ...Array<string>(4).fill("CANCELLED"),
      ...Array<string>(8).fill("miss 7"),
    ]);
    expect(cache.runCount).toBe(0);
  });

  test("throws at once for a client that has gone already, without a run", async () => {
    const { cache, runs } = begin();
    const cancellation = new Cancellation();
    cancellation.cancel("gone");
    expect(
      await textOf(cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity })),
    ).toBe("gone");
    expect([runs.count, cache.runCount]).toEqual([0, 0]);
  });
});

describe("answer() with lookup: before", () => {
  test("does not run while it looks, nor when it finds", async () => {
    const { clock, store, cache, runs, counts } = begin();
    store.set("p:1", { outputs: resultOf(7).outputs, storedWallMs: clock.wallMs() }, TTL_MS);
    store.delay = Promise.resolve();
    const answer = cache.answer("p:1", runs.start, patient);
    expect(answer).toBeInstanceOf(Promise);
    expect(await textOf(answer)).toBe("hit 7");
    expect(runs.count).toBe(0);
    expect(counts()).toEqual({ hit: 1 });
  });

  test("does not run when the client goes while it looks", async () => {
    const { store, cache, runs } = begin();
    const delay = Promise.withResolvers<void>();
    store.delay = delay.promise;
    const cancellation = new Cancellation();
    const answer = cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity });
    cancellation.cancel("gone");
    delay.resolve();
    expect(await textOf(answer)).toBe("gone");
    await turn();
    expect(runs.count).toBe(0);
  });
});

describe("answer() with lookup: parallel", () => {
  function beginLooking(isStored: boolean) {
    const world = begin({ lookup: "parallel" });
    const { store, clock, cache, runs } = world;
    const delay = Promise.withResolvers<void>();
    store.delay = delay.promise;
    if (isStored) {
      store.set("p:1", { outputs: resultOf(7).outputs, storedWallMs: clock.wallMs() }, TTL_MS);
    }
    return {
      ...world,
      look: () => delay.resolve(),
      answer: cache.answer("p:1", runs.start, patient),
    };
  }

  test("takes what it finds, and cancels the run", async () => {
    const { runs, look, answer, counts } = beginLooking(true);
    expect(runs.count).toBe(1);
    look();
    expect(await textOf(answer)).toBe("hit 7");
    expect(runs.runs[0]?.cancellation.reason).toMatchObject({ code: "CANCELLED" });
    expect(counts()).toEqual({ hit: 1 });
  });

  test("takes the run when that is there first", async () => {
    const { runs, look, answer, counts, store } = beginLooking(true);
    runs.end(0, resultOf(8));
    expect(await textOf(answer)).toBe("miss 8");
    look();
    await turn();
    expect(counts()).toEqual({ miss: 1 });
    expect(store.stored.get("p:1")?.value.outputs[0]?.data[0]).toBe(8);
  });

  test("waits for the run when it finds nothing", async () => {
    const { runs, look, answer } = beginLooking(false);
    look();
    await turn();
    runs.end(0, resultOf(8));
    expect(await textOf(answer)).toBe("miss 8");
  });

  test("takes what it finds when the run fails before", async () => {
    const { runs, look, answer } = beginLooking(true);
    runs.fail(0, new MillraceError("MODEL_FAILED", "Cannot predict: broken"));
    await turn();
    look();
    expect(await textOf(answer)).toBe("hit 7");
  });

  test("fails when the run fails and nothing is found", async () => {
    const { runs, look, answer } = beginLooking(false);
    runs.fail(0, new MillraceError("MODEL_FAILED", "Cannot predict: broken"));
    look();
    expect(await textOf(answer)).toBe("MODEL_FAILED");
  });

  test("cancels the run when the client goes", async () => {
    const { store, cache, runs } = begin({ lookup: "parallel" });
    store.delay = new Promise(() => undefined);
    const cancellation = new Cancellation();
    const answer = cache.answer("p:1", runs.start, { cancellation, deadlineAtMs: Infinity });
    cancellation.cancel("gone");
    expect(await textOf(answer)).toBe("gone");
    expect(runs.runs[0]?.cancellation.reason).toBe("gone");
  });
});

describe("stale()", () => {
  test("finds what has expired as long as it is kept, and answer() does not", async () => {
    const { clock, cache, runs, counts } = begin({ keepMs: 10 * TTL_MS });
    const first = cache.answer("p:1", runs.start, patient);
    runs.end(0, resultOf(7));
    await first;
    clock.advanceMs(TTL_MS + 1);
    const second = cache.answer("p:1", runs.start, patient);
    runs.fail(1, new MillraceError("OVERLOADED", "Cannot predict: full", { reason: "queue" }));
    expect(await textOf(second)).toBe("OVERLOADED");
    expect((await cache.stale("p:1"))?.outputs[0]?.data[0]).toBe(7);
    clock.advanceMs(9 * TTL_MS);
    expect(await cache.stale("p:1")).toBeUndefined();
    expect(counts()).toEqual({ miss: 2, stale: 1 });
  });

  test("finds nothing where nothing was predicted, or the cache is away", async () => {
    const { store, cache } = begin();
    expect(await cache.stale("p:1")).toBeUndefined();
    store.isAway = true;
    expect(await cache.stale("p:1")).toBeUndefined();
  });
});
