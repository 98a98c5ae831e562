import { beforeEach, describe, expect, test } from "vitest";
import { ByteBudget } from "../../core/batch/byte-budget.ts";
import { TestClock } from "../../core/test-clock.ts";
import { LoopTurns } from "./loop-turns.ts";
import { ShadowPool, type CopyLimits, type PoolLimits } from "./shadow-pool.ts";

/** A copy that was started, and what ends it. */
interface Started {
  readonly copy: string;
  readonly limits: CopyLimits;
  readonly end: () => void;
}

describe("ShadowPool", () => {
  const TIMEOUT_MS = 100;
  let clock: TestClock;
  let budget: ByteBudget;
  let started: Started[];
  let skipped: string[];
  beforeEach(() => {
    clock = new TestClock();
    budget = new ByteBudget(1000);
    started = [];
    skipped = [];
  });

  /** Copies end as the test says, or when they are cancelled. */
  function open(limits: PoolLimits, gatherMs = 0): ShadowPool<string> {
    return new ShadowPool({
      clock,
      limits,
      budget,
      turns: new LoopTurns(clock),
      gatherMs,
      timeoutMs: () => TIMEOUT_MS,
      run: (copy, copyLimits) =>
        new Promise((resolve) => {
          copyLimits.cancellation.watch(resolve);
          started.push({ copy, limits: copyLimits, end: resolve });
        }),
      skipped: (reason, copy) => void skipped.push(`${copy} ${reason}`),
    });
  }

  const offer = (pool: ShadowPool<string>, ...copies: string[]): void => {
    for (const copy of copies) pool.offer(copy, 1);
  };

  const copies = (): string[] => started.map(({ copy }) => copy);

  test("offer() starts nothing before the loop has turned", async () => {
    offer(open({ concurrency: 2, queue: 0 }), "a");
    expect(copies()).toEqual([]);
    await turns();
    expect(copies()).toEqual(["a"]);
  });

  test("copies wait for company, and begin together", async () => {
    const pool = open({ concurrency: 4, queue: 0 }, 20);
    offer(pool, "a");
    clock.advanceMs(15);
    offer(pool, "b", "c");
    await turns();
    expect(copies()).toEqual([]);
    clock.advanceMs(5); // the first has waited for 20 ms
    await turns();
    expect(copies()).toEqual(["a", "b", "c"]);
    offer(pool, "d", "e");
    expect(skipped).toEqual(["e queue"]);
    clock.advanceMs(20);
    await turns();
    expect(copies()).toEqual(["a", "b", "c", "d"]);
  });

  test("what has waited for company long enough begins as soon as there is a place", async () => {
    const pool = open({ concurrency: 1, queue: 2 }, 20);
    offer(pool, "a", "b");
    clock.advanceMs(20);
    await turns();
    started[0]?.end();
    await turns();
    expect(copies()).toEqual(["a", "b"]);
  });

  test("offer() leaves out the newest when places and queue are full", async () => {
    const pool = open({ concurrency: 1, queue: 2 });
    offer(pool, "a", "b", "c", "d", "e");
    await turns();
    expect([copies(), skipped]).toEqual([["a"], ["d queue", "e queue"]]);
    started[0]?.end();
    await turns();
    started[1]?.end();
    await turns();
    expect(copies()).toEqual(["a", "b", "c"]);
    expect([pool.runningCount, pool.waitingCount]).toEqual([1, 0]);
  });

  test("offer() leaves out what takes more memory than there is, until some is given back", async () => {
    const pool = open({ concurrency: 1, queue: 10 });
    pool.offer("a", 600);
    pool.offer("b", 500);
    pool.offer("c", 400);
    expect(skipped).toEqual(["b queue"]);
    expect(budget.usedBytes).toBe(1000);
    await turns();
    started[0]?.end();
    await turns();
    expect(budget.usedBytes).toBe(400);
    started[1]?.end();
    await turns();
    expect(budget.usedBytes).toBe(0);
  });

  test("a copy that hangs loses its place at its deadline", async () => {
    const pool = open({ concurrency: 2, queue: 10 });
    offer(pool, "a", "b");
    await turns();
    clock.advanceMs(60);
    started[1]?.end();
    await turns();
    offer(pool, "c");
    await turns();
    expect(pool.runningCount).toBe(2);
    clock.advanceMs(40); // only the first was there for 100 ms
    await turns();
    expect(pool.runningCount).toBe(1);
    expect(started[0]?.limits.cancellation.reason).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(started[2]?.limits.cancellation.isCancelled).toBe(false);
    clock.advanceMs(60);
    await turns();
    expect(pool.runningCount).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  test("a copy that has waited for longer than it may take is left out", async () => {
    const pool = open({ concurrency: 1, queue: 10 });
    offer(pool, "a", "b");
    await turns();
    clock.advanceMs(50);
    offer(pool, "c");
    clock.advanceMs(51); // the deadline of the first, one after that of the second
    await turns();
    expect(skipped).toEqual(["b deadline"]);
    expect(copies()).toEqual(["a", "c"]);
  });

  test("configure() changes the places while copies wait", async () => {
    const pool = open({ concurrency: 1, queue: 10 });
    offer(pool, "a", "b", "c");
    await turns();
    pool.configure({ concurrency: 3, queue: 0 });
    started[0]?.end();
    await turns();
    expect(copies()).toEqual(["a", "b", "c"]);
    offer(pool, "d");
    await turns();
    expect(pool.runningCount).toBe(3);
    offer(pool, "e");
    expect(skipped).toEqual(["e queue"]);
  });

  test("close() gives up what runs, leaves out what waits and what still comes, and gives all memory back", async () => {
    const pool = open({ concurrency: 1, queue: 10 });
    offer(pool, "a", "b");
    await turns();
    pool.close();
    expect(started[0]?.limits.cancellation.reason).toMatchObject({ code: "CANCELLED" });
    offer(pool, "c");
    await turns();
    expect(skipped).toEqual(["b inactive", "c inactive"]);
    expect([budget.usedBytes, clock.timerCount]).toEqual([0, 0]);
  });

  test("close() leaves out a copy that was about to start", async () => {
    const pool = open({ concurrency: 1, queue: 10 });
    offer(pool, "a");
    pool.close();
    await turns();
    expect([copies(), skipped]).toEqual([[], ["a inactive"]]);
    expect(budget.usedBytes).toBe(0);
  });
});

describe("LoopTurns", () => {
  test("turn() gives the loop away in small pieces, in the order of the calls", async () => {
    const rounds: (() => void)[] = [];
    const clock = new (class extends TestClock {
      override soon(run: () => void): void {
        rounds.push(run);
      }
    })();
    const loop = new LoopTurns(clock);
    const done: number[] = [];
    for (let i = 0; i < 5; i++) void loop.turn().then(() => done.push(i));
    const seen: number[][] = [];
    while (rounds.length > 0) {
      expect(rounds).toHaveLength(1);
      rounds.shift()?.();
      await Promise.resolve();
      seen.push(done.splice(0));
    }
    expect(seen).toEqual([[0, 1], [2, 3], [4]]);
  });
});

/** Until all that can go on has gone on. */
async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
