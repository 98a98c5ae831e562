import { expect, it } from "vitest";
import { simulateDelayedLabels } from "./delayed-labels.ts";
import { simulateRareErrors } from "./rare-errors.ts";
import { simulatePower } from "./power.ts";
import { simulateSimpson } from "./simpson.ts";

it("simulateDelayedLabels() finds at most 5 % in matured units, and nearly always something in those so far when labels of one arm are late", () => {
  const outcomes = simulateDelayedLabels(200);
  const matured = outcomes.filter(({ analysis }) => analysis === "matured");
  const misled = outcomes.filter(
    ({ analysis, scenario }) => analysis === "so far" && scenario !== "same delays, same pace",
  );
  expect([matured.length, misled.length]).toEqual([3, 2]);
  expect(Math.max(...matured.map(({ foundEver }) => foundEver))).toBeLessThanOrEqual(0.05);
  expect(Math.min(...misled.map(({ foundEver }) => foundEver))).toBeGreaterThan(0.5);
});

it("simulateSimpson() finds a difference that is not there in every run when units of ramped weights are added up, by phase in about 5 %", () => {
  const found = new Map(
    simulateSimpson(200)
      .filter(({ effect }) => effect === 0)
      .map((outcome) => [outcome.method, outcome.found]),
  );
  expect(found.get("weights ramped, units added up")).toBeGreaterThan(0.95);
  expect(found.get("weights ramped, combined over phases")).toBeLessThan(0.1);
  expect(found.get("coverage ramped, units added up")).toBeLessThan(0.1);
});

it("simulatePower() finds the planned effect with the planned power, and with a sequence in nearly every run", () => {
  const outcomes = simulatePower(100).filter(({ effect }) => effect === 0.02);
  const foundBy = (method: string): number =>
    outcomes.find((outcome) => outcome.method === method)?.found ?? NaN;
  expect(foundBy("fixed")).toBeGreaterThan(0.68);
  expect(foundBy("fixed")).toBeLessThan(0.92);
  expect(foundBy("sequence, N* 5,000")).toBeGreaterThan(0.95);
});

it("simulateRareErrors() does not call an arm on the margin safe or regressed, and finds one far beyond it", () => {
  const ours = simulateRareErrors(100).filter(({ summary }) => summary === "shareSummary");
  const [same, onMargin, far] = ours;
  expect([same?.worse, same?.regressed, same?.safe]).toEqual([0, 0, 1]);
  expect(onMargin?.safe).toBeLessThanOrEqual(0.05);
  expect(onMargin?.regressed).toBeLessThanOrEqual(0.05);
  expect(far?.regressed).toBe(1);
});
