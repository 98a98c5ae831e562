import { describe, expect, it } from "vitest";
import { hdrPlot, plottedShares } from "./hdr-plot.ts";
import { tallyOf, TEN_THOUSAND } from "./test-metrics.ts";

describe("plottedShares()", () => {
  it("comes ever closer to 1, in the steps of vegeta", () => {
    const shares = plottedShares();
    expect(shares).toHaveLength(94);
    expect(shares.slice(0, 17)).toEqual([
      0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.775, 0.8, 0.825, 0.85, 0.875,
      0.8875,
    ]);
    expect(shares).toEqual(
      expect.arrayContaining([0.985938, 0.989062, 0.994531, 0.998437, 0.99989]),
    );
    expect(shares.slice(-12)).toEqual([
      0.999988, 0.999989, 0.999991, 0.999992, 0.999993, 0.999994, 0.999995, 0.999996, 0.999997,
      0.999998, 0.999999, 1,
    ]);
  });
});

describe("hdrPlot()", () => {
  it("prints value, share, count and 1/(1 − share) with six digits, in columns", () => {
    const tally = tallyOf(TEN_THOUSAND);
    const lines = hdrPlot(tally.requests, (share) => tally.latencies.quantile(share)).split("\n");
    expect(lines).toHaveLength(1 + 94 + 1);
    expect(lines[0]).toBe("Value(ms)  Percentile  TotalCount  1/(1-Percentile)");
    expect(lines[1]).toBe("0.001000   0.000000    0           1.000000");
    expect(lines[6]).toBe("5.000500   0.500000    5000        2.000000");
    expect(lines[18]).toBe("9.000500   0.900000    9000        10.000000");
    expect(lines[94]).toBe("10.000000  1.000000    10000       10000000.000000");
  });
});
