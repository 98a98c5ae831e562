import { expect, it } from "vitest";
import type { LoadComparison } from "../../core/load/load-comparison.ts";
import { comparisonText } from "./comparison-text.ts";

const COMPARISON: LoadComparison = {
  format: 1,
  before: { name: "iris", started: "2026-11-21T17:00:00.000Z", arrivals: "500/s", valid: true },
  after: { name: "iris", started: "2026-11-21T18:00:00.000Z", arrivals: "500/s", valid: true },
  metrics: [
    {
      metric: "p99",
      before: 40,
      after: 44,
      change: 0.1,
      interval: { low: 0.05, high: 0.152 },
      verdict: "worse",
    },
    {
      metric: "throughput",
      before: 500,
      after: 499,
      change: -0.002,
      interval: { low: -0.01, high: 0.006 },
      verdict: "same",
    },
    {
      metric: "errors",
      before: 0,
      after: 0.005,
      change: 0.005,
      interval: null,
      verdict: "unknown",
    },
  ],
  statement: "With 95 % confidence the second one is worse: p99 is 10 % higher (5 to 15.2).",
  warnings: ["cores: 2 in the first, 4 in the second"],
};

it("comparisonText() has a line a metric, what is certain, and what else differs", () => {
  expect(comparisonText(COMPARISON)).toMatchInlineSnapshot(`
    "first   iris, 500/s, 2026-11-21 17:00:00 UTC
    second  iris, 500/s, 2026-11-21 18:00:00 UTC

                       first      second      change                interval
    p99                40 ms       44 ms       +10 %           +5 to +15.2 %  worse
    throughput         500/s       499/s      -0.2 %            -1 to +0.6 %  no difference
    errors               0 %       0.5 %     +0.5 pp                       –

    With 95 % confidence the second one is worse: p99 is 10 % higher (5 to 15.2).
    Intervals hold together with 95 %, for these two runs: repeat them to see how much runs differ.
    warning: cores: 2 in the first, 4 in the second
    "
  `);
});

it("comparisonText() has no change where there is nothing to divide by", () => {
  const [metric] = COMPARISON.metrics;
  const nothing = { ...metric, before: 0, change: null, interval: null, verdict: "unknown" };
  const text = comparisonText({ ...COMPARISON, metrics: [nothing as never] });
  expect(text).not.toMatch(/NaN|null|Infinity/);
  expect(text).toMatch(/p99 .*– +–/);
});
