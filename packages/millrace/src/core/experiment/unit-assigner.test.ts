import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { UnitAssigner, type ExperimentSplit, type KeptArm } from "./unit-assigner.ts";
import type { Assignment } from "./assignment.ts";

const PHASE = 3;

const SPLIT: ExperimentSplit = {
  arms: [
    { name: "control", weight: 0.5 },
    { name: "treatment", weight: 0.5 },
  ],
  control: "control",
  coverage: 1,
  salt: "rf-2026-11",
  namespace: undefined,
  isActive: true,
  winner: undefined,
  minPhase: 1,
};

const KEPT: KeptArm = { arm: "treatment", phase: 2, propensity: 0.2 };

function assigner(change: Partial<ExperimentSplit> = {}, kept?: KeptArm): UnitAssigner {
  return new UnitAssigner({ ...SPLIT, ...change }, PHASE, () => kept);
}

function arms(weights: Record<string, number>): ExperimentSplit["arms"] {
  return Object.entries(weights).map(([name, weight]) => ({ name, weight }));
}

function armOf(assignment: Assignment): string | undefined {
  return assignment.kind === "enrolled" ? assignment.arm : undefined;
}

it("assign() enrols a unit in the arm in whose part its hash lies", () => {
  expect(assigner({ salt: "seed" }).assign("a")).toEqual({
    kind: "enrolled",
    arm: "control",
    phase: 3,
    hash: 0.0505,
    propensity: 0.5,
    isKept: false,
    isMoved: false,
  });
  const uneven = arms({ control: 0.2, treatment: 0.8 });
  expect(assigner({ salt: "seed", arms: uneven }).assign("b")).toMatchObject({
    arm: "treatment",
    hash: 0.2696,
    propensity: 0.8,
  });
});

interface Asked {
  readonly split?: Partial<ExperimentSplit>;
  readonly unit?: string;
  readonly wanted?: string;
}

const WON = { winner: "treatment" };
const OFF = { isActive: false };
const NONE = { coverage: 0 };

it.each<[string, Asked, object]>([
  ["decided", { split: WON, unit: "u" }, { arm: "treatment", reason: "decided" }],
  ["decided, whatever it wants", { split: WON, wanted: "control" }, { reason: "decided" }],
  ["decided, though inactive", { split: { ...WON, ...OFF } }, { arm: "treatment" }],
  ["inactive", { split: OFF, unit: "u" }, { arm: "control", reason: "inactive" }],
  ["inactive, whatever it wants", { split: OFF, wanted: "treatment" }, { arm: "control" }],
  ["overridden", { split: NONE, unit: "u", wanted: "treatment" }, { kind: "overridden", phase: 3 }],
  ["overridden, without a unit", { wanted: "treatment" }, { arm: "treatment" }],
  ["without a unit", {}, { arm: "control", reason: "no_unit", phase: 3 }],
  ["without a unit, for an arm unknown", { wanted: "other" }, { reason: "no_unit" }],
  ["outside the coverage", { split: NONE, unit: "u" }, { arm: "control", reason: "coverage" }],
  ["outside, for an arm unknown", { split: NONE, unit: "u", wanted: "x" }, { reason: "coverage" }],
])("assign() of a request that is %s", (_what, { split, unit, wanted }, expected) => {
  expect(assigner(split).assign(unit, wanted)).toMatchObject(expected);
});

it("assign() tells the hash of a unit that takes no part", () => {
  const assignment = assigner({ salt: "seed", coverage: 0 }).assign("a");
  expect(assignment).toEqual({
    kind: "not_enrolled",
    arm: "control",
    phase: 3,
    reason: "coverage",
    hash: 0.0505,
  });
});

it("assign() enrols what lies in the namespace part, and answers the rest with control", () => {
  const parts = [
    { name: "checkout", from: 0, to: 0.5 },
    { name: "checkout", from: 0.5, to: 1 },
  ];
  const experiments = parts.map((namespace, i) => assigner({ namespace, salt: `rf-${i}` }));
  let enrolledTwice = 0;
  let treated = 0;
  for (let i = 0; i < 10_000; i++) {
    const [first, second] = experiments.map((experiment) => experiment.assign(`user-${i}`));
    if (first?.kind === second?.kind) enrolledTwice++;
    if (armOf(first as Assignment) === "treatment") treated++;
  }
  expect(enrolledTwice).toBe(0);
  // Half of half: four standard deviations of 10,000 draws at 25 % are 173.
  expect(Math.abs(treated - 2_500)).toBeLessThan(173);
});

it("assign() gives a unit the arm that is kept, in its phase and with its propensity", () => {
  for (let i = 0; i < 100; i++) {
    expect(assigner({}, KEPT).assign(`user-${i}`)).toMatchObject({
      kind: "enrolled",
      arm: "treatment",
      phase: 2,
      propensity: 0.2,
      isKept: true,
      isMoved: false,
    });
  }
});

it("assign() lets a unit go on that is outside of the coverage by now", () => {
  expect(assigner({ coverage: 0 }, KEPT).assign("u")).toMatchObject({ kind: "enrolled", phase: 2 });
});

it("assign() leaves out a unit whose arm is of a phase before minPhase", () => {
  const assignment = assigner({ minPhase: 3 }, KEPT).assign("u");
  expect(assignment).toMatchObject({ reason: "earlier_phase", arm: "control", phase: 3 });
  expect(assigner({ minPhase: 2 }, KEPT).assign("u")).toMatchObject({ kind: "enrolled" });
});

it("assign() buckets a unit anew whose arm is gone, within the coverage", () => {
  const gone = { ...KEPT, arm: "gone" };
  expect(assigner({}, gone).assign("u")).toMatchObject({
    kind: "enrolled",
    phase: 3,
    propensity: 0.5,
    isKept: false,
    isMoved: true,
  });
  expect(assigner({ coverage: 0 }, gone).assign("u")).toMatchObject({ reason: "coverage" });
});

it.each<[string, Partial<ExperimentSplit>, string | undefined, string | undefined]>([
  ["decided", { winner: "control" }, "u", undefined],
  ["inactive", { isActive: false }, "u", undefined],
  ["overridden", {}, "u", "treatment"],
  ["without a unit", {}, undefined, undefined],
  ["outside the namespace part", { namespace: { name: "n", from: 0, to: 0 } }, "u", undefined],
])("assign() asks for no kept arm of a request that is %s", (_what, split, unit, wanted) => {
  const keptArmOf = (): never => expect.fail("it was asked for");
  const asked = new UnitAssigner({ ...SPLIT, ...split }, PHASE, keptArmOf);
  expect(asked.assign(unit, wanted)).toBeDefined();
});

it("assign() gives an arm of weight 0 to nobody", () => {
  const split = arms({ none: 0, control: 0.5, nobody: 0, treatment: 0.5, last: 0 });
  const chosen = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    chosen.add(assigner({ arms: split }).assign(`user-${i}`).arm);
  }
  expect([...chosen].sort()).toEqual(["control", "treatment"]);
});

it("raising the coverage from 2 to 100 % moves none of 200,000 users and drops none", () => {
  const steps = [0.02, 0.1, 0.2, 0.5, 1];
  const assigners = steps.map((coverage) => assigner({ coverage }));
  const counts = steps.map(() => 0);
  for (let i = 0; i < 200_000; i++) {
    let before: string | undefined;
    for (const [step, current] of assigners.entries()) {
      const arm = armOf(current.assign(`user-${i}`));
      if (before !== undefined && arm !== before) expect.fail(`user-${i} left ${before}`);
      if (arm !== undefined) counts[step]! += 1;
      before = arm;
    }
  }
  for (const [step, coverage] of steps.entries()) {
    const deviation = Math.sqrt(200_000 * coverage * (1 - coverage));
    expect(Math.abs((counts[step] ?? 0) - 200_000 * coverage)).toBeLessThanOrEqual(4 * deviation);
  }
});

it("a change of weights moves no unit whose arm is kept, and many whose is not", () => {
  const kept = new Map<string, KeptArm>();
  const before = new UnitAssigner(SPLIT, 1);
  for (let i = 0; i < 10_000; i++) {
    const { arm, propensity } = before.assign(`user-${i}`) as KeptArm;
    kept.set(`user-${i}`, { arm, phase: 1, propensity });
  }
  const changed = { ...SPLIT, arms: arms({ control: 0.1, treatment: 0.9 }) };
  const sticky = new UnitAssigner(changed, 2, (unit) => kept.get(unit));
  const loose = new UnitAssigner(changed, 2);
  let moved = 0;
  for (const [unit, { arm }] of kept) {
    if (sticky.assign(unit).arm !== arm) expect.fail(`${unit} moved`);
    if (loose.assign(unit).arm !== arm) moved++;
  }
  // Those between 10 and 50 %: four standard deviations of 10,000 draws at 40 % are 196.
  expect(Math.abs(moved - 4_000)).toBeLessThan(196);
});

it("assign() divides 10,000 users 60 to 40", () => {
  const random = new TestRandom(Date.now() | 0);
  const split = assigner({ arms: arms({ control: 0.6, treatment: 0.4 }), salt: "sixty" });
  let control = 0;
  for (let i = 0; i < 10_000; i++) {
    if (split.assign(`${random.below(2 ** 31)}-${i}`).arm === "control") control++;
  }
  // Five standard deviations of 10,000 draws at 60 %: once in two million seeds.
  expect(Math.abs(control - 6_000), `seed ${random.seed}`).toBeLessThan(245);
});

it("two salts divide the same users independently", () => {
  const first = assigner({ salt: "first" });
  const second = assigner({ salt: "second", arms: arms({ a: 0.3, b: 0.3, c: 0.4 }) });
  const counts = new Map<string, number>();
  const total = 60_000;
  for (let i = 0; i < total; i++) {
    const cell = `${first.assign(`user-${i}`).arm} ${second.assign(`user-${i}`).arm}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  let chiSquare = 0;
  for (const mine of ["control", "treatment"]) {
    for (const [other, weight] of [
      ["a", 0.3],
      ["b", 0.3],
      ["c", 0.4],
    ] as const) {
      const expected = total * 0.5 * weight;
      chiSquare += ((counts.get(`${mine} ${other}`) ?? 0) - expected) ** 2 / expected;
    }
  }
  // 5 degrees of freedom: above 20.5 once in 1,000 times; the users are fixed.
  expect(chiSquare).toBeLessThan(20.5);
});

it("each request draws for itself where the unit is the prediction id", () => {
  const draw = new UnitAssigner(SPLIT, PHASE);
  let treated = 0;
  for (let i = 0; i < 10_000; i++) {
    if (draw.assign(`01jd${i.toString(32).padStart(22, "0")}`).arm === "treatment") treated++;
  }
  expect(Math.abs(treated - 5_000)).toBeLessThan(200);
});
