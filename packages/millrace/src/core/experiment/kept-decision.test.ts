import { describe, expect, it } from "vitest";
import type { Decision } from "./experiment-report.ts";
import { keptDecision } from "./kept-decision.ts";

const SHIP: Decision = { kind: "ship", arm: "treatment", why: "purchase is better" };
const KEEP: Decision = { kind: "keep_running", why: "waits for units" };
const NOTHING: Decision = { kind: "inconclusive", reason: "too_long", why: "its one look" };
const WORSE: Decision = { kind: "rollback", why: "errors got worse" };
const BROKEN: Decision = { kind: "inconclusive", reason: "sample_ratio_mismatch", why: "split" };

describe("keptDecision()", () => {
  it("lets an experiment with one look find nothing later that its look did not find", () => {
    expect(keptDecision("fixed", NOTHING, SHIP)).toBe(NOTHING);
    expect(keptDecision("fixed", NOTHING, KEEP)).toBe(NOTHING);
    expect(keptDecision("fixed", SHIP, NOTHING)).toBe(SHIP);
  });

  it("lets guardrails and a broken split through, whatever the look found", () => {
    expect(keptDecision("fixed", SHIP, WORSE)).toBe(WORSE);
    expect(keptDecision("fixed", SHIP, BROKEN)).toBe(BROKEN);
  });

  it("takes what is new before the look, and where looks are always valid", () => {
    expect(keptDecision("fixed", undefined, SHIP)).toBe(SHIP);
    expect(keptDecision("fixed", BROKEN, SHIP)).toBe(SHIP);
    expect(keptDecision("fixed", WORSE, SHIP)).toBe(SHIP);
    expect(keptDecision("sequential", NOTHING, SHIP)).toBe(SHIP);
  });
});
