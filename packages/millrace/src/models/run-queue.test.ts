import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { RunQueue, WAITING_MAX, type RunLimits } from "./run-queue.ts";

const LATER: RunLimits = { deadlineAtMs: 1_000, signal: undefined };

/** A run that lasts until the test ends it. */
class ManualRun {
  isStarted = false;
  end!: () => void;
  fail!: (error: Error) => void;
  readonly #ended: Promise<void>;

  constructor() {
    this.#ended = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  }

  readonly work = async (): Promise<string> => {
    this.isStarted = true;
    await this.#ended;
    return "done";
  };
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A rejected promise as the error it has; waiting for it later is no unhandled rejection. */
function outcomeOf(run: Promise<unknown>): Promise<unknown> {
  return run.catch((error: unknown) => error);
}

test("run() gives the result of the work when nothing is running", async () => {
  const queue = new RunQueue(new TestClock());
  expect(await queue.run(LATER, async () => 5)).toBe(5);
});

test("run() starts long runs one at a time, in order of arrival", async () => {
  const clock = new TestClock();
  const queue = new RunQueue(clock);
  const runs = [new ManualRun(), new ManualRun(), new ManualRun()];
  const results = runs.map((run) => queue.run(LATER, run.work));
  for (let i = 0; i < runs.length; i++) {
    await settle();
    expect(runs.map((run) => run.isStarted)).toEqual(runs.map((_run, other) => other <= i));
    expect(queue.waitingCount).toBe(runs.length - 1 - i);
    clock.advanceMs(10);
    runs[i]?.end();
  }
  expect(await Promise.all(results)).toEqual(["done", "done", "done"]);
});

test("run() starts as many short runs in one turn as take 5 ms together", async () => {
  const clock = new TestClock();
  const queue = new RunQueue(clock);
  await queue.run(LATER, async () => clock.advanceMs(2));
  const runs = [new ManualRun(), new ManualRun(), new ManualRun(), new ManualRun()];
  const results = runs.map((run) => queue.run(LATER, run.work));
  await settle();
  expect(runs.map((run) => run.isStarted)).toEqual([true, true, true, false]);
  for (const run of runs) run.end();
  expect(await Promise.all(results)).toEqual(["done", "done", "done", "done"]);
  expect(queue.waitingCount).toBe(0);
});

test("run() lets nobody pass when a run arrives between two others", async () => {
  const queue = new RunQueue(new TestClock());
  const order: string[] = [];
  const first = queue.run(LATER, async () => void order.push("first"));
  const second = queue.run(LATER, async () => void order.push("second"));
  await first; // the second one's turn has come, it may not have started
  const third = queue.run(LATER, async () => void order.push("third"));
  await Promise.all([second, third]);
  expect(order).toEqual(["first", "second", "third"]);
});

test("run() starts the next one when a run throws", async () => {
  const queue = new RunQueue(new TestClock());
  const first = new ManualRun();
  const failing = outcomeOf(queue.run(LATER, first.work));
  const next = queue.run(LATER, async () => "next");
  first.fail(new Error("broken"));
  expect(await failing).toEqual(new Error("broken"));
  expect(await next).toBe("next");
});

test("run() starts the next one when the work throws before its first await", async () => {
  const queue = new RunQueue(new TestClock());
  const broken = (): Promise<never> => {
    throw new Error("broken");
  };
  await expect(queue.run(LATER, broken)).rejects.toThrow("broken");
  expect(await queue.run(LATER, async () => "next")).toBe("next");
});

test("run() answers OVERLOADED with reason queue when WAITING_MAX wait, and takes one more afterwards", async () => {
  const queue = new RunQueue(new TestClock());
  const first = new ManualRun();
  const results = [queue.run(LATER, first.work)];
  for (let i = 0; i < WAITING_MAX; i++) results.push(queue.run(LATER, async () => "done"));
  expect(queue.waitingCount).toBe(WAITING_MAX);
  await expect(queue.run(LATER, async () => "refused")).rejects.toMatchObject({
    code: "OVERLOADED",
    reason: "queue",
    retryAfterSeconds: 1,
  });
  first.end();
  expect(new Set(await Promise.all(results))).toEqual(new Set(["done"]));
  expect(queue.waitingCount).toBe(0);
  expect(await queue.run(LATER, async () => "again")).toBe("again");
});

test("run() answers DEADLINE_EXCEEDED at the deadline and not at its turn", async () => {
  const clock = new TestClock();
  const queue = new RunQueue(clock);
  const first = new ManualRun();
  const result = queue.run(LATER, first.work);
  const late = new ManualRun();
  const outcome = outcomeOf(queue.run({ deadlineAtMs: 50, signal: undefined }, late.work));
  clock.advanceMs(49);
  expect(queue.waitingCount).toBe(1);
  clock.advanceMs(1);
  expect(queue.waitingCount).toBe(0);
  expect(await outcome).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  first.end();
  await result;
  expect(late.isStarted).toBe(false);
});

test("run() never starts when the deadline has passed at its turn and the timer is late", async () => {
  let nowMs = 0;
  const queue = new RunQueue({
    nowMs: () => nowMs,
    wallMs: () => 0,
    schedule: () => () => undefined,
  });
  const first = new ManualRun();
  const result = queue.run(LATER, first.work);
  const late = new ManualRun();
  const outcome = outcomeOf(queue.run({ deadlineAtMs: 50, signal: undefined }, late.work));
  nowMs = 50;
  first.end();
  await result;
  expect(await outcome).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect(late.isStarted).toBe(false);
});

test("run() leaves at once when it is cancelled while it waits, and its place is free", async () => {
  const queue = new RunQueue(new TestClock());
  const first = new ManualRun();
  const result = queue.run(LATER, first.work);
  const controller = new AbortController();
  const cancelled = new ManualRun();
  const limits = { deadlineAtMs: 1_000, signal: controller.signal };
  const outcome = outcomeOf(queue.run(limits, cancelled.work));
  const reason = new Error("gone");
  controller.abort(reason);
  expect(queue.waitingCount).toBe(0);
  expect(await outcome).toBe(reason);
  first.end();
  await result;
  expect(cancelled.isStarted).toBe(false);
});

test.each([
  [
    "its deadline has passed",
    { deadlineAtMs: 0, signal: undefined },
    { code: "DEADLINE_EXCEEDED" },
  ],
  [
    "it is cancelled",
    { deadlineAtMs: 1, signal: AbortSignal.abort(new Error("gone")) },
    { message: "gone" },
  ],
])("run() refuses at once when %s on arrival, running or not", async (_name, limits, expected) => {
  const queue = new RunQueue(new TestClock());
  const work = async (): Promise<never> => expect.fail("it was started");
  await expect(queue.run(limits, work)).rejects.toMatchObject(expected);
  const first = new ManualRun();
  const result = queue.run(LATER, first.work);
  await expect(queue.run(limits, work)).rejects.toMatchObject(expected);
  expect(queue.waitingCount).toBe(0);
  first.end();
  expect(await result).toBe("done");
});

test("run() keeps no timer and no listener when runs have started, expired and been cancelled", async () => {
  const clock = new TestClock();
  const queue = new RunQueue(clock);
  const first = new ManualRun();
  const result = queue.run(LATER, first.work);
  const controller = new AbortController();
  const other = new AbortController();
  const outcomes = [
    outcomeOf(queue.run({ ...LATER, signal: other.signal }, async () => "started")),
    outcomeOf(queue.run({ deadlineAtMs: 50, signal: undefined }, async () => "expired")),
    outcomeOf(queue.run({ deadlineAtMs: 90, signal: controller.signal }, async () => "cancelled")),
  ];
  expect(clock.timerCount).toBe(3);
  expect(getEventListeners(other.signal, "abort")).toHaveLength(1);
  clock.advanceMs(50);
  controller.abort();
  first.end();
  await Promise.all([result, ...outcomes]);
  expect(clock.timerCount).toBe(0);
  expect(getEventListeners(other.signal, "abort")).toEqual([]);
  expect(queue.waitingCount).toBe(0);
});
