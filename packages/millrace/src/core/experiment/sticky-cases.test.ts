import { expect, it } from "vitest";
import { UnitAssigner, type ExperimentSplit, type KeptArm } from "./unit-assigner.ts";
import type { Assignment } from "./assignment.ts";

// The thirteen published cases of GrowthBook's sticky buckets, said in terms of phases and units. Nine hold here as they
// are. Three "resets" and one "upgrade" do not, on purpose:
//   - A bucket version is set by hand and begins anew; a phase is numbered by content and moves nobody. Whoever wants all
//     to be bucketed anew gives the experiment another salt or name; whoever wants the others out raises `minPhase`.
//   - A unit is the first value that is there. The record of another value is another unit's, so a visitor who logs in is
//     a new unit, instead of taking along the arm of the visitor.

const SPLIT: ExperimentSplit = {
  arms: [
    { name: "control", weight: 0.3334 },
    { name: "red", weight: 0.3333 },
    { name: "blue", weight: 0.3333 },
  ],
  control: "control",
  coverage: 1,
  salt: "feature-exp",
  namespace: undefined,
  isActive: true,
  winner: undefined,
  minPhase: 1,
};

const UNIT = ["id", "deviceId"];

/** Where they fall: "d123" in the part of red, "i123" in that of blue. */
const HASHES = { d123: 0.6468, i123: 0.9943 };

interface Case {
  readonly who: Readonly<Record<string, string>>;
  /** Arm and phase that are kept, by unit. */
  readonly kept: Readonly<Record<string, readonly [arm: string, phase: number]>>;
  readonly phase?: number;
  readonly minPhase?: number;
}

function assign({ who, kept, phase = 1, minPhase = 1 }: Case): Assignment {
  const keptArmOf = (unit: string): KeptArm | undefined => {
    const found = kept[unit];
    return found === undefined ? undefined : { arm: found[0], phase: found[1], propensity: 0.3333 };
  };
  return new UnitAssigner({ ...SPLIT, minPhase }, phase, keptArmOf).assign(unitOf(who));
}

function unitOf(who: Readonly<Record<string, string>>): string | undefined {
  return UNIT.map((name) => who[name]).find((value) => value !== undefined);
}

it("1 takes the second value where the first is not there", () => {
  expect(assign({ who: { deviceId: "d123" }, kept: {} })).toMatchObject({ hash: HASHES.d123 });
});

it("2 buckets by the hash where nothing is kept", () => {
  expect(assign({ who: { deviceId: "d123" }, kept: {} })).toMatchObject({
    arm: "red",
    isKept: false,
  });
});

it("3 gives the arm that is kept", () => {
  const kept = { d123: ["blue", 1] } as const;
  expect(assign({ who: { deviceId: "d123" }, kept })).toMatchObject({ arm: "blue", isKept: true });
});

it("4 takes no arm that is kept of somebody else", () => {
  const kept = { d456: ["blue", 1] } as const;
  expect(assign({ who: { deviceId: "d123" }, kept })).toMatchObject({ arm: "red", isKept: false });
});

it("5 does not hold here: the arm of the second value is not that of the first", () => {
  const kept = { d123: ["red", 1] } as const;
  const who = { id: "i123", deviceId: "d123" };
  expect(assign({ who, kept })).toMatchObject({ arm: "blue", hash: HASHES.i123, isKept: false });
});

it("6 takes what is kept of the first value, though there is something of the second", () => {
  const kept = { i123: ["red", 1], d123: ["blue", 1] } as const;
  const who = { id: "i123", deviceId: "d123" };
  expect(assign({ who, kept })).toMatchObject({ arm: "red", isKept: true });
});

it("7 does not hold here: a new phase moves nobody", () => {
  const kept = { i123: ["red", 1] } as const;
  expect(assign({ who: { id: "i123" }, kept, phase: 4 })).toMatchObject({ arm: "red", phase: 1 });
});

it("8 leaves out whoever is kept from a phase before the first that counts", () => {
  const kept = { i123: ["red", 1] } as const;
  const assignment = assign({ who: { id: "i123" }, kept, phase: 4, minPhase: 4 });
  expect(assignment).toMatchObject({ kind: "not_enrolled", reason: "earlier_phase" });
});

it("9 keeps an arm of the current phase, which is also the first that counts", () => {
  const kept = { i123: ["red", 3] } as const;
  const assignment = assign({ who: { id: "i123" }, kept, phase: 3, minPhase: 3 });
  expect(assignment).toMatchObject({ arm: "red", isKept: true });
});

it("10 leaves out whoever is kept from the phase just before the first that counts", () => {
  const kept = { i123: ["red", 2] } as const;
  const assignment = assign({ who: { id: "i123" }, kept, phase: 5, minPhase: 3 });
  expect(assignment).toMatchObject({ arm: "control", reason: "earlier_phase" });
});

it("11 does not hold here: going back to an earlier division moves nobody either", () => {
  const kept = { i123: ["red", 5] } as const;
  const assignment = assign({ who: { id: "i123" }, kept, phase: 3, minPhase: 3 });
  expect(assignment).toMatchObject({ arm: "red", phase: 5, isKept: true });
});

it("12 does not hold here: an arm of an earlier phase that counts is kept", () => {
  const kept = { i123: ["red", 3] } as const;
  const assignment = assign({ who: { id: "i123" }, kept, phase: 5, minPhase: 3 });
  expect(assignment).toMatchObject({ arm: "red", phase: 3, isKept: true });
});

it("13 keeps nothing where that is switched off", () => {
  const assignment = new UnitAssigner(SPLIT, 1).assign("i123");
  expect(assignment).toMatchObject({ arm: "blue", hash: HASHES.i123, isKept: false });
});
