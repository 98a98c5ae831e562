import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { LoopLoad, type LoopLoadOptions } from "./loop-load.ts";

/** Knows that an answer takes 0.02 ms and a refusal 0.006. */
function setUp(options: LoopLoadOptions = {}): LoopLoad {
  const load = new LoopLoad(options);
  load.record(1_000, 0, 20);
  for (let i = 0; i < 100; i++) load.record(0, 1_000, 6);
  expect(load.answerMs).toBeCloseTo(0.02, 6);
  expect(load.refusalMs).toBeCloseTo(0.006, 6);
  load.endTurn(1, 0);
  return load;
}

test("allowance is what fits into 0.3 of the objective", () => {
  expect(setUp().allowance).toBe(1_500);
  expect(setUp({ objectiveMs: 200 }).allowance).toBe(3_000);
  const load = setUp();
  load.setObjectiveMs(50);
  load.endTurn(1, 0);
  expect(load.allowance).toBe(750);
});

test("allowance has no bound before a thousand were answered, however slow the first ones are", () => {
  const load = new LoopLoad();
  for (let i = 0; i < 999; i++) {
    load.record(1, 0, 5);
    load.endTurn(1, 0);
    expect(load.allowance).toBe(Infinity);
  }
  load.record(1, 0, 5);
  load.endTurn(1, 0);
  expect(load.allowance).toBe(6);
});

test("endTurn() refuses what its share of the turn has room for, and more when answers left room", () => {
  expect(setUp().endTurn(1_500, 1_500)).toBe(1_500);
  expect(setUp().endTurn(1_500, 10_000)).toBe(4_500);
  expect(setUp({ refusalShareMax: 0.1 }).endTurn(1_500, 4_000)).toBe(500);
  expect(setUp({ refusalShareMax: 0.1 }).endTurn(10, 4_000)).toBe(4_000);
  expect(setUp({ refusalShareMax: 0 }).endTurn(1_500, 4_000)).toBe(1);
});

test("endTurn() plans answers and refusals that fill the next turn, which is half as long", () => {
  const load = setUp();
  load.endTurn(1_500, 1_500);
  const answers = Math.floor((15 - 1_500 * 0.006) / 0.014);
  expect(load.allowance).toBe(answers);
  expect(answers * 0.02 + (1_500 - answers) * 0.006).toBeCloseTo(15, 1);
});

test("endTurn() keeps answers their share of the turn when refusing alone would fill it", () => {
  const load = setUp({ refusalShareMax: 0.875 });
  load.endTurn(1_500, 100_000);
  expect(load.allowance).toBe(93);
});

test("endTurn() shortens the turns of an overload that goes on, and lengthens them after it", () => {
  const load = setUp({ refusalShareMax: 0 });
  const lengths = [1, 1, 1, 0, 0, 0].map((held) => {
    load.endTurn(1, held);
    return Math.round(load.allowance * 0.02);
  });
  expect(lengths).toEqual([15, 10, 10, 20, 30, 30]);
});

test("record() forgets a slow beginning and does not take a pause for a cost", () => {
  const load = new LoopLoad();
  for (let i = 0; i < 100; i++) load.record(1, 0, 1);
  for (let i = 0; i < 10_000; i++) load.record(1, 0, 0.02);
  expect(load.answerMs).toBeLessThan(0.021);
  load.record(1, 0, 80);
  expect(load.answerMs).toBeLessThan(0.021);
  for (let i = 0; i < 10_000; i++) load.record(1, 0, 0.2);
  expect(load.answerMs).toBeGreaterThan(0.19);
});

test("record() finds what a refusal costs from turns that hold both", () => {
  const load = new LoopLoad();
  load.record(1_000, 0, 20);
  for (let i = 0; i < 200; i++) load.record(300, 900, 300 * 0.02 + 900 * 0.003);
  expect(load.answerMs).toBeCloseTo(0.02, 6);
  expect(load.refusalMs).toBeCloseTo(0.003, 6);
});

test("record() gives to answers what a refusal cannot have cost", () => {
  const load = new LoopLoad();
  load.record(1_000, 0, 20);
  for (let i = 0; i < 200; i++) load.record(300, 300, 300 * 0.05 + 300 * 0.04);
  expect(load.refusalMs / load.answerMs).toBeCloseTo(0.8, 3);
  expect(300 * load.answerMs + 300 * load.refusalMs).toBeCloseTo(27, 3);
});

test.each([
  [1.5, 0.3, 0.786],
  [2, 0.1, 0.889],
  [2, 0.3, 0.571],
  [2, 0.4, 0.333],
  [3, 0.3, 0.143],
])(
  "LoopLoad reaches (1 − ρ·d/c) / (1 − d/c) when the load is %d and a refusal costs %d",
  (load, refusalCost, expected) => {
    const loop = new LoopLoad();
    const answerMs = 1 / 70;
    let turnMs = 1;
    let totalMs = 0;
    let answered = 0;
    let held = 0;
    for (let turn = 0; turn < 4_000; turn++) {
      const fresh = Math.round((load * turnMs) / answerMs);
      const answers = Math.min(fresh, loop.allowance);
      held += fresh - answers;
      const refusals = loop.endTurn(answers, held);
      held -= refusals;
      turnMs = answers * answerMs + refusals * refusalCost * answerMs;
      loop.record(answers, refusals, turnMs);
      if (turn < 1_000) continue;
      totalMs += turnMs;
      answered += answers;
    }
    expect(Math.abs((answered * answerMs) / totalMs - expected)).toBeLessThan(0.02);
    expect(totalMs / 3_000).toBeLessThan(15); // the mean turn: 0.1 of 100 ms, and a little to settle
  },
);

test("LoopLoad plans whole numbers and always lets one in and one out, whatever was measured", () => {
  const random = new TestRandom(Date.now() | 0);
  for (let round = 0; round < 300; round++) {
    const load = new LoopLoad({
      objectiveMs: 1 + random.next() * 500,
      refusalShareMax: random.next(),
    });
    let held = 0;
    for (let turn = 0; turn < 200; turn++) {
      const fresh = random.below(3_000);
      const answers = Math.min(fresh, load.allowance);
      held += fresh - answers;
      const refusals = load.endTurn(answers, held);
      const isRight = Number.isInteger(refusals) && refusals >= Math.min(1, held);
      if (!isRight || refusals > held || !(load.allowance >= 1)) {
        expect.fail(`seed ${random.seed}: ${refusals} of ${held}, then ${load.allowance}`);
      }
      held -= refusals;
      load.record(answers, refusals, (answers + refusals) * random.next());
    }
  }
});
