import { describe, expect, it } from "vitest";
import type { Assignment, NotEnrolledReason } from "./assignment.ts";
import { explainAssignment } from "./explain-assignment.ts";

const EXPERIMENT = {
  name: "rf",
  coverage: 0.5,
  minPhase: 3,
  namespace: { name: "checkout" },
  unit: [{}],
};

const ENROLLED: Assignment = {
  kind: "enrolled",
  arm: "treatment",
  phase: 2,
  hash: 0.7516,
  propensity: 0.4,
  isKept: false,
  isMoved: false,
};

describe("explainAssignment()", () => {
  it("tells what an enrolled unit fell into", () => {
    expect(explainAssignment(EXPERIMENT, ENROLLED)).toEqual({
      experiment: "rf",
      variant: "treatment",
      phase: 2,
      kind: "enrolled",
      hash: 0.7516,
      coverage: 0.5,
      propensity: 0.4,
      is_kept: false,
      why: "the unit fell at 0.7516, in the part of treatment: 40% of those that take part, which 50% do",
    });
  });

  it("tells that an arm was kept, and that a request draws for itself", () => {
    expect(explainAssignment(EXPERIMENT, { ...ENROLLED, isKept: true })).toMatchObject({
      is_kept: true,
      why: "the unit has treatment since phase 2 and keeps it",
    });
    expect(explainAssignment({ ...EXPERIMENT, unit: [] }, ENROLLED).why).toMatch(
      /^the request fell/,
    );
  });

  it("has no propensity for a request that names its arm", () => {
    const overridden = { kind: "overridden", arm: "treatment", phase: 2 } as const;
    expect(explainAssignment(EXPERIMENT, overridden)).toEqual({
      experiment: "rf",
      variant: "treatment",
      phase: 2,
      kind: "overridden",
      coverage: 0.5,
      why: "the request names treatment, so it is answered by it and not counted",
    });
  });

  it.each<[NotEnrolledReason, RegExp]>([
    ["no_unit", /names nobody, so it gets control/],
    ["coverage", /fell at 0\.93, outside the 50% that take part/],
    ["namespace", /another experiment of namespace checkout/],
    ["inactive", /switched off/],
    ["decided", /gets control, the winner/],
    ["earlier_phase", /before phase 3/],
  ])("says of %s why it is not counted", (reason, why) => {
    const assignment = {
      kind: "not_enrolled",
      arm: "control",
      phase: 3,
      reason,
      hash: 0.93,
    } as const;
    const explained = explainAssignment(EXPERIMENT, assignment);
    expect(explained).toMatchObject({
      kind: "not_enrolled",
      reason,
      hash: 0.93,
      variant: "control",
    });
    expect(explained.why).toMatch(why);
    expect(explained.why).toMatch(/ and is not counted$/);
    expect(explained).not.toHaveProperty("propensity");
  });
});
