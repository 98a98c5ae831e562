import { expect, it } from "vitest";
import { calibration } from "./calibration.ts";
import { brierOf, logLossOf } from "./probability-scores.ts";

it("calibration() measures how far confidence and truth are apart", () => {
  const found = calibration([
    { index: 9, count: 4, weight: 4, weightSquares: 4, confidence: 3.8, right: 3 },
    { index: 5, count: 6, weight: 6, weightSquares: 6, confidence: 3.3, right: 3 },
    { index: 2, count: 0, weight: 0, weightSquares: 0, confidence: 0, right: 0 },
  ]);
  // 0.6·|0.5 − 0.55| + 0.4·|0.75 − 0.95|
  expect(found?.expectedError).toBeCloseTo(0.03 + 0.08, 12);
  expect(found?.bins).toMatchObject([
    { from: 0.5, to: 0.6, count: 6, accuracy: 0.5 },
    { from: 0.9, to: 1, count: 4, accuracy: 0.75 },
  ]);
  const [first] = found?.bins ?? [];
  expect(first?.interval.low).toBeLessThan(0.5);
  expect(first?.interval.high).toBeGreaterThan(0.5);
  expect(calibration([])).toBeUndefined();
});

it("logLossOf() is finite of a row that was certain and wrong", () => {
  expect(logLossOf(0.5)).toBeCloseTo(Math.LN2, 12);
  expect(logLossOf(0)).toBeCloseTo(52 * Math.LN2, 12);
  expect(logLossOf(1)).toBeCloseTo(0, 12);
});

it("brierOf() sums squares over the classes, and halves those of two", () => {
  expect(brierOf([0.7, 0.2, 0.1], 1)).toBeCloseTo(0.49 + 0.64 + 0.01, 12);
  expect(brierOf([0.7, 0.3], 0)).toBeCloseTo(0.09, 12);
});
