import { expect, it, vi } from "vitest";
import { applyLimits, limitLines, whyNotApplied, type ChangeOverrides } from "./apply-limits.ts";
import { testCapacityReport } from "./reports/test-capacity-report.ts";

const limits = (rate: number) => ({ concurrency: 19, rate, autoscale_target: 1 });

it("limitLines() are lines of the configuration file", () => {
  expect(limitLines("iris", testCapacityReport({ limits: limits(763.9) }))).toBe(`services:
  iris:
    limits:
      concurrency: 19
      rate: 763/s
`);
});

it.each([
  [12_345.6, "12345/s"],
  [10, "10/s"],
  [9.9, "594/m"],
  [0.5, "30/m"],
  [0.1, "360/h"],
  [0.0001, "1/h"],
])("limitLines() of %d/s has the rate as %s", (rate, text) => {
  expect(limitLines("iris", testCapacityReport({ limits: limits(rate) }))).toContain(
    `rate: ${text}\n`,
  );
});

it("applyLimits() sets both as overrides, with the reason", async () => {
  const change = vi.fn<ChangeOverrides>(() => Promise.resolve({ version: 7 }));
  const report = testCapacityReport({ rate: 954, limits: limits(763.2) });
  expect(await applyLimits("iris", report, change)).toEqual({ version: 7 });
  expect(change).toHaveBeenCalledExactlyOnceWith({
    set: {
      "services.iris.limits.concurrency": 19,
      "services.iris.limits.rate": "763/s",
    },
    reason: "load test: capacity 954/s at p99<50ms, errors<0.1%",
  });
});

it("whyNotApplied() says why a report is not to be relied on that far", () => {
  expect(whyNotApplied(testCapacityReport())).toBeUndefined();
  expect(whyNotApplied(testCapacityReport({ outcome: "none", rate: 0 }))).toMatch(/no rate/);
  const unfinished = testCapacityReport({ outcome: "unfinished", confirmations: 1 });
  expect(whyNotApplied(unfinished)).toBe("900/s was confirmed 1 times only");
  expect(whyNotApplied(testCapacityReport({ outcome: "at_least" }))).toMatch(/not the service/);
});

it("whyNotApplied() refuses a capacity that is the rate limit itself: each time it would fall by a fifth", () => {
  expect(whyNotApplied(testCapacityReport({ refused: { rate: 12 } }))).toMatch(/limits\.rate/);
  expect(whyNotApplied(testCapacityReport({ refused: { queue: 12 } }))).toBeUndefined();
});
