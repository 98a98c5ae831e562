import { expect, test } from "vitest";
import { MillraceError } from "../core/errors.ts";
import { TestClock } from "../core/test-clock.ts";
import { ExecutorPool } from "./executor-pool.ts";
import { settled, TestModel } from "./test-loaded-model.ts";

const HANG = new MillraceError("EXECUTOR_LOST", "Cannot run the model: it hangs");

/** A pool that starts `TestModel`s; what it tells is in `told`, with times since the clock began. */
function createPool(count = 1) {
  const clock = new TestClock();
  const told: string[] = [];
  const started: TestModel[] = [];
  let next: () => Promise<TestModel> = () => Promise.resolve(new TestModel());
  const models = Array.from({ length: count }, () => new TestModel());
  const pool = new ExecutorPool(models, {
    clock,
    start: async () => {
      const model = await next();
      started.push(model);
      return model;
    },
    events: {
      up: (index) => told.push(`up ${index}`),
      down: (index, backAtMs) => told.push(`down ${index} until ${backAtMs}`),
      restartFailed: (index, backAtMs, reason) =>
        told.push(`failed ${index} until ${backAtMs}: ${(reason as Error).message}`),
    },
  });
  return {
    clock,
    told,
    started,
    models,
    pool,
    startWith: (start: () => Promise<TestModel>) => (next = start),
    advance: async (ms: number): Promise<void> => {
      clock.advanceMs(ms);
      await settled();
    },
  };
}

const current = (pool: ExecutorPool, index = 0): TestModel => pool.model(index) as TestModel;

test("model() is undefined from the death of an executor until another has started", async () => {
  const { pool, models, told, started, advance } = createPool();
  models[0]?.die();
  expect(pool.model(0)).toBeUndefined();
  await advance(99);
  expect([pool.model(0), told]).toEqual([undefined, ["down 0 until 100"]]);
  await advance(1);
  expect(pool.model(0)).toBe(started[0]);
  expect(told).toEqual(["down 0 until 100", "up 0"]);
});

test("the wait before a restart doubles with every death in a row, up to 30 s", async () => {
  const { pool, clock, told, advance } = createPool();
  const waits: number[] = [];
  for (let i = 0; i < 11; i++) {
    const before = clock.nowMs();
    current(pool).die();
    const waitMs = Number(/until (\d+)/.exec(told.at(-1) ?? "")?.[1]) - before;
    waits.push(waitMs);
    await advance(waitMs);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
});

test("the wait starts again from 100 ms when an executor has lived for more than a minute", async () => {
  const { pool, told, advance } = createPool();
  for (const waitMs of [100, 200]) {
    current(pool).die();
    await advance(waitMs);
  }
  expect(told).toEqual(["down 0 until 100", "up 0", "down 0 until 300", "up 0"]);
  await advance(60_001);
  current(pool).die();
  expect(told.at(-1)).toBe("down 0 until 60401");
});

test("a restart that fails is tried again after twice the wait, and the reason is told", async () => {
  const { pool, models, told, startWith, advance } = createPool();
  startWith(() => Promise.reject(new Error("the file is gone")));
  models[0]?.die();
  await advance(100);
  await advance(200);
  expect(told).toEqual([
    "down 0 until 100",
    "failed 0 until 300: the file is gone",
    "failed 0 until 700: the file is gone",
  ]);
  startWith(() => Promise.resolve(new TestModel()));
  await advance(400);
  expect(told.at(-1)).toBe("up 0");
  expect(pool.model(0)).toBeInstanceOf(TestModel);
});

test("the time a start takes is counted in when the next one is expected back", async () => {
  const { pool, models, told, startWith, advance } = createPool();
  const { promise, resolve } = Promise.withResolvers<TestModel>();
  startWith(() => promise);
  models[0]?.die();
  await advance(100);
  await advance(250);
  resolve(new TestModel());
  await settled();
  current(pool).die();
  expect(told.at(-1)).toBe("down 0 until 800"); // 350, a wait of 200, a start of 250
});

test("an executor that dies does not touch its neighbours", async () => {
  const { pool, models, told, advance } = createPool(3);
  models[1]?.die();
  expect([0, 1, 2].map((index) => pool.model(index) === models[index])).toEqual([
    true,
    false,
    true,
  ]);
  await advance(100);
  expect(told).toEqual(["down 1 until 100", "up 1"]);
});

test("close() starts nothing any more when a restart was due", async () => {
  const { pool, models, told, started, advance } = createPool();
  models[0]?.die();
  await pool.close();
  await advance(60_000);
  expect([started, told]).toEqual([[], ["down 0 until 100"]]);
});

test("close() during a restart closes what was started, and tells nobody", async () => {
  const { pool, models, told, startWith, advance } = createPool();
  const { promise, resolve } = Promise.withResolvers<TestModel>();
  startWith(() => promise);
  models[0]?.die();
  await advance(100);
  await pool.close();
  const late = new TestModel();
  resolve(late);
  await settled();
  expect([late.isClosed, told]).toEqual([true, ["down 0 until 100"]]);
});

test("close() hears of no death that comes after it", async () => {
  const { pool, models, told } = createPool();
  await pool.close();
  models[0]?.die();
  expect([models[0]?.isClosed, told]).toEqual([true, []]);
});

test("abandon() starts another executor, and closes the old one when its run ends after all", async () => {
  const { pool, models, told, advance } = createPool();
  const [old] = models as [TestModel];
  void old.run([], []);
  pool.abandon(0, HANG);
  expect([pool.model(0), told]).toEqual([undefined, ["down 0 until 100"]]);
  await advance(100);
  expect([told.at(-1), old.isClosed]).toEqual(["up 0", false]);
  old.runs[0]?.end([]);
  await settled();
  expect([told.length, old.isClosed]).toEqual([2, true]);
});

test("abandon() tells nobody when the one it left behind dies", async () => {
  const { pool, models, told, advance } = createPool();
  void models[0]?.run([], []).catch(() => undefined);
  pool.abandon(0, HANG);
  await advance(100);
  models[0]?.die();
  expect(told).toEqual(["down 0 until 100", "up 0"]);
  expect(pool.model(0)).not.toBe(models[0]);
});

test("abandon() replaces two at a time; a third waits until one of them has ended", async () => {
  const { pool, told, advance, clock } = createPool();
  const left: TestModel[] = [];
  for (let i = 0; i < 3; i++) {
    const model = current(pool);
    void model.run([], []);
    left.push(model);
    pool.abandon(0, HANG);
    await advance(200);
  }
  expect(told.at(-1)).toBe("down 0 until Infinity");
  await advance(600_000);
  expect(pool.model(0)).toBeUndefined();
  left[0]?.runs[0]?.end([]);
  await settled();
  await advance(30_000);
  expect([told.at(-1), pool.model(0) === undefined]).toEqual(["up 0", false]);
  expect(clock.timerCount).toBe(0);
});

test("close() does not wait for what was abandoned", async () => {
  const { pool, models } = createPool();
  void models[0]?.run([], []);
  pool.abandon(0, HANG);
  await pool.close();
  expect(models[0]?.isClosed).toBe(false);
});
