import { describe, expect, test } from "vitest";
import { MID } from "./cells.ts";
import { independentFigures } from "./independent-figures.ts";
import { POLICIES, type PolicyName } from "./policies.ts";
import { simulate, type Outcome } from "./simulate.ts";
import type { ArrivalKind } from "./workload.ts";

function outcomeOf(policy: PolicyName, load: number, arrivals: ArrivalKind = "Poisson"): Outcome {
  return simulate({ model: MID, arrivals, load, durationMs: 800, seed: 3 }, POLICIES[policy]);
}

describe("simulate()", () => {
  test("gives the same outcome when the seed is the same", () => {
    expect(outcomeOf("Millrace", 1.1)).toEqual(outcomeOf("Millrace", 1.1));
  });

  test("offers the load that was asked for", () => {
    const { offered } = outcomeOf("greedy", 0.5);
    expect(offered / (0.5 * 29_630 * 0.8)).toBeCloseTo(1, 1);
  });

  test("collapses without refusals and spirals with smaller batches when overloaded", () => {
    expect(outcomeOf("batch 1", 2).goodputPercent).toBeLessThan(5);
    expect(outcomeOf("greedy", 2).goodputPercent).toBeLessThan(10);
    expect(outcomeOf("trim", 2).goodputPercent).toBeLessThan(15);
  });

  test("finds what an independent simulation found for the peers", () => {
    const figures = independentFigures().filter(
      ({ model, arrivals, load }) => model === "mid" && arrivals === "Poisson" && load <= 0.6,
    );
    expect(figures).toHaveLength(12);
    for (const { policy, load, p50Ms, p99Ms } of figures.filter((figure) => figure.load > 0.05)) {
      const found = outcomeOf(policy, load);
      expect(Math.abs(found.p50Ms - p50Ms), `${policy} ${load}`).toBeLessThan(0.1);
      expect(Math.abs(found.p99Ms - p99Ms), `${policy} ${load}`).toBeLessThan(0.15);
    }
  });
});

describe("Batcher in the simulator", () => {
  test("has the latency of greedy when the load is at most 0.9", () => {
    for (const load of [0.1, 0.3, 0.6, 0.9]) {
      const [ours, greedy] = [outcomeOf("Millrace", load), outcomeOf("greedy", load)];
      expect(ours.p50Ms / greedy.p50Ms, `p50 at ${load}`).toBeLessThan(1.05);
      expect(ours.p99Ms / greedy.p99Ms, `p99 at ${load}`).toBeLessThan(1.05);
      expect(ours.goodputPercent).toBe(100);
    }
  });

  test("answers at least 90 % of capacity in time when twice as much is offered", () => {
    const { goodputPercent, p99Ms } = outcomeOf("Millrace", 2);
    expect(2 * goodputPercent).toBeGreaterThan(90);
    expect(p99Ms).toBeLessThan(MID.sloMs);
  });

  test("is within 2 points of early drop and of CORK in bursts", () => {
    const { goodputPercent } = outcomeOf("Millrace", 0.6, "bursty");
    for (const policy of ["early drop", "CORK"] as const) {
      expect(outcomeOf(policy, 0.6, "bursty").goodputPercent - goodputPercent).toBeLessThan(2);
    }
  });
});
