import { describe, expect, test } from "vitest";
import { ExecutorStates } from "./executor-states.ts";
import { testBatch } from "./test-batch.ts";

describe("ExecutorStates", () => {
  test("has none free or up at first", () => {
    const states = new ExecutorStates<string>();
    expect([states.hasFree, states.hasUp, states.hasRoomAhead, states.upCount]).toEqual([
      false,
      false,
      false,
      0,
    ]);
    expect(() => states.free()).toThrow("No executor is free");
  });

  test("free() names one without a batch, and hasFree ends with the last of them", () => {
    const states = new ExecutorStates<string>();
    states.up(7, 1);
    states.up(8, 1);
    states.start(testBatch({ executor: 7 }));
    expect([states.hasFree, states.free()]).toEqual([true, 8]);
    const batch = testBatch({ executor: 8 });
    states.start(batch);
    expect(states.hasFree).toBe(false);
    states.finish(batch, 5);
    expect([states.hasFree, states.free()]).toEqual([true, 8]);
  });

  test("withRoomAhead() names those of depth 2 that run exactly one batch", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    states.up(1, 2);
    states.up(2, 2);
    for (const executor of [0, 1]) states.start(testBatch({ executor }));
    expect([[...states.withRoomAhead()], states.hasRoomAhead]).toEqual([[1], true]);
    const ahead = testBatch({ executor: 1 });
    states.start(ahead);
    expect([[...states.withRoomAhead()], states.hasRoomAhead]).toEqual([[], false]);
    states.finish(ahead, 5);
    expect(states.hasRoomAhead).toBe(true);
    states.down(1, 50);
    expect(states.hasRoomAhead).toBe(false);
  });

  test("up() changes nothing when the executor is up already", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    const batch = testBatch();
    states.start(batch);
    states.up(0, 2);
    expect([states.hasFree, states.upCount, [...states.running()]]).toEqual([false, 1, [batch]]);
  });

  test("isHopeless says that none is up or expected", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    states.up(1, 1);
    states.down(0, Infinity);
    expect(states.isHopeless).toBe(false);
    states.down(1, 100);
    expect(states.isHopeless).toBe(false);
    states.down(1, Infinity);
    expect(states.isHopeless).toBe(true);
  });

  test("down() gives the batches it took along and forgets the executor", () => {
    const states = new ExecutorStates<string>();
    states.up(1, 2);
    const batches = [testBatch({ id: 1, executor: 1 }), testBatch({ id: 2, executor: 1 })];
    for (const batch of batches) states.start(batch);
    expect(states.down(1, Infinity)).toEqual(batches);
    expect([states.hasUp, states.hasRoomAhead, states.hasFree, [...states.running()]]).toEqual([
      false,
      false,
      false,
      [],
    ]);
    expect(states.down(1, Infinity)).toEqual([]);
  });

  test("down() of a free executor leaves none free, and up() makes it free again", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 2);
    states.down(0, 50);
    expect(states.hasFree).toBe(false);
    states.up(0, 1);
    expect([states.hasFree, states.hasRoomAhead, states.upCount]).toEqual([true, false, 1]);
  });

  test("finish() says that a batch sent ahead began when the one before it ended", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 2);
    const first = testBatch({ leftAtMs: 10 });
    const second = testBatch({ leftAtMs: 12 });
    states.start(first);
    states.start(second);
    expect(states.finish(first, 30)).toBe(10);
    expect(states.finish(second, 55)).toBe(30);
  });

  test("finish() changes nothing when the executor that ran the batch is gone or new", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    const lost = testBatch({ leftAtMs: 10 });
    states.start(lost);
    states.down(0, 20);
    expect(states.finish(lost, 15)).toBe(10);
    states.up(0, 1);
    expect(states.finish(lost, 25)).toBe(10);
    states.start(testBatch({ leftAtMs: 30 }));
    expect(states.hasFree).toBe(false);
  });
});

describe("ExecutorStates.readyInMs()", () => {
  test("is the rest of what runs and what waits, over all executors", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    expect(states.readyInMs(100, 6)).toBe(6);
    states.start(testBatch({ leftAtMs: 100, predictedMs: 10 }));
    expect(states.readyInMs(104, 6)).toBe(12);
    states.up(1, 1);
    expect(states.readyInMs(104, 6)).toBe(6);
  });

  test("expects a run that has outlasted its prediction to take a tenth longer", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    states.start(testBatch({ leftAtMs: 0, predictedMs: 10 }));
    expect(states.readyInMs(40, 0)).toBe(4);
  });

  test("counts a batch that stands ready with its whole time", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 2);
    states.start(testBatch({ leftAtMs: 0, predictedMs: 10 }));
    states.start(testBatch({ leftAtMs: 1, predictedMs: 20 }));
    expect(states.readyInMs(4, 0)).toBe(26);
  });

  test("is the time until the first executor is back when all are down", () => {
    const states = new ExecutorStates<string>();
    states.up(0, 1);
    states.up(1, 1);
    states.down(0, 150);
    states.down(1, 130);
    expect(states.readyInMs(100, 5)).toBe(35);
    expect(states.readyInMs(140, 5)).toBe(5);
  });
});
