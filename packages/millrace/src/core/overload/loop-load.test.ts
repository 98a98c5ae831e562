import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { LoopLoad, type LoopLoadOptions } from "./loop-load.ts";

/** Knows that an answer takes 0.02 ms and a refusal 0.006. */
function setUp(options: LoopLoadOptions = {}): LoopLoad {
  const load = new LoopLoad(options);
  load.record(1_000, 20, 1_000, 6);
  return load;
}

test("plan() answers everything that fits into 0.3 of the objective", () => {
  expect(setUp().plan(1_500, 0)).toEqual({ answers: 1_500, refusals: 0 });
  expect(setUp({ objectiveMs: 200 }).plan(3_000, 0)).toEqual({ answers: 3_000, refusals: 0 });
});

test("plan() fills the turn with answers and refusals and leaves nobody when there is more", () => {
  const plan = setUp().plan(3_000, 0);
  expect(plan.answers).toBe(Math.floor((30 - 3_000 * 0.006) / 0.014));
  expect(plan.answers + plan.refusals).toBe(3_000);
});

test("plan() keeps a tenth of the turn for answers and holds the rest when refusing alone would fill it", () => {
  const load = setUp();
  expect(load.plan(10_000, 0)).toEqual({ answers: 150, refusals: 5_754 });
});

test("plan() refuses within its share when it is told to hold, and beyond it only above heldMax", () => {
  const options = { refusalShareMax: 0.1, heldMax: 3_000 };
  expect(setUp(options).plan(3_000, 0)).toEqual({ answers: 1_350, refusals: 500 });
  expect(setUp(options).plan(3_000, 2_000)).toEqual({ answers: 1_350, refusals: 650 });
});

test("plan() refuses those that were held when the load is over", () => {
  expect(setUp().plan(10, 500)).toEqual({ answers: 10, refusals: 500 });
});

test("plan() shortens the turns of an overload that goes on, and lengthens them after it", () => {
  const load = setUp();
  const lengths: number[] = [];
  for (const fresh of [3_000, 1_500, 1_000, 1_000, 10, 10, 1_200, 1_200]) {
    const { answers, refusals } = load.plan(fresh, 0);
    lengths.push(Math.round(answers * 0.02 + refusals * 0.006));
  }
  expect(lengths).toEqual([30, 15, 10, 10, 0, 0, 24, 24]);
});

test("plan() refuses nobody before a thousand were answered, however slow the first ones are", () => {
  const load = new LoopLoad();
  for (let i = 0; i < 999; i++) {
    expect(load.plan(4_000, 0).answers).toBe(4_000);
    load.record(1, 5, 0, 0);
  }
  expect(load.plan(4_000, 0).answers).toBe(4_000);
});

test("record() forgets a slow beginning and does not take a pause for a cost", () => {
  const load = new LoopLoad();
  for (let i = 0; i < 100; i++) load.record(1, 1, 0, 0);
  for (let i = 0; i < 10_000; i++) load.record(1, 0.02, 0, 0);
  expect(load.answerMs).toBeLessThan(0.021);
  load.record(1, 80, 0, 0);
  expect(load.answerMs).toBeLessThan(0.021);
  for (let i = 0; i < 10_000; i++) load.record(1, 0.2, 0, 0);
  expect(load.answerMs).toBeGreaterThan(0.19);
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
      const { answers, refusals } = loop.plan(fresh, held);
      held += fresh - answers - refusals;
      const refusalsMs = refusals * refusalCost * answerMs;
      loop.record(answers, answers * answerMs, refusals, refusalsMs);
      turnMs = answers * answerMs + refusalsMs;
      if (turn < 1_000) continue;
      totalMs += turnMs;
      answered += answers;
    }
    expect(Math.abs((answered * answerMs) / totalMs - expected)).toBeLessThan(0.02);
    expect(totalMs / 3_000).toBeLessThan(15); // the mean turn: 0.1 of 100 ms, and a little to settle
  },
);

test("plan() never plans more than there is, nor holds more than heldMax, whatever was measured", () => {
  const random = new TestRandom(Date.now() | 0);
  let turns = 0;
  for (let round = 0; round < 300; round++) {
    const heldMax = random.below(5_000);
    const load = new LoopLoad({
      objectiveMs: 1 + random.next() * 500,
      refusalShareMax: random.next(),
      heldMax,
    });
    let held = 0;
    for (let turn = 0; turn < 200; turn++) {
      const fresh = random.below(3_000);
      const { answers, refusals } = load.plan(fresh, held);
      const left = fresh + held - answers - refusals;
      const isWhole = Number.isInteger(answers) && Number.isInteger(refusals);
      const isWithin = answers >= 0 && refusals >= 0 && answers <= fresh && left >= 0;
      if (!isWhole || !isWithin || left > heldMax) {
        expect.fail(`seed ${random.seed}: ${answers} and ${refusals} of ${fresh} and ${held}`);
      }
      turns++;
      held = left;
      load.record(answers, answers * random.next(), refusals, refusals * random.next());
    }
  }
  expect(turns).toBe(60_000);
});
