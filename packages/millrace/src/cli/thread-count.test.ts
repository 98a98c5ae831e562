import { describe, expect, it } from "vitest";
import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { RateProfilePlan } from "../core/load/rate-profile.ts";
import { threadCount } from "./thread-count.ts";

function open(profile: RateProfilePlan): ArrivalsPlan {
  return { kind: "open", profile, spacing: "constant" };
}

describe("threadCount()", () => {
  it.each([
    [open({ kind: "constant", rate: 500 }), 1],
    [open({ kind: "constant", rate: 5_001 }), 2],
    [open({ kind: "constant", rate: 1e6 }), 15],
    [open({ kind: "ramp", from: 12_000, to: 1 }), 3],
    [
      open({
        kind: "step",
        steps: [
          { fromMs: 0, rate: 1 },
          { fromMs: 9, rate: 6_000 },
        ],
      }),
      2,
    ],
    [open({ kind: "sine", mean: 4_000, amplitude: 2_000, periodMs: 1_000 }), 2],
    [open({ kind: "spike", base: 10, peak: 20_000, atMs: 1_000, forMs: 1 }), 4],
    [{ kind: "closed", clients: 65, thinkMs: 0 }, 2],
    [{ kind: "times", timesMs: Float64Array.of(0, 1, 2) }, 1],
  ] satisfies [ArrivalsPlan, number][])("gives %j %i of 16 cores", (arrivals, threads) => {
    expect(threadCount(arrivals, 16)).toBe(threads);
  });

  it("gives one where the machine has one core", () => {
    expect(threadCount(open({ kind: "constant", rate: 1e6 }), 1)).toBe(1);
  });
});
