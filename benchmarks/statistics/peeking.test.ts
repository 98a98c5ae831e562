import { expect, it } from "vitest";
import { PEEKING, simulatePeeking } from "./peeking.ts";

it("simulatePeeking() finds differences that are not there in more than a fifth of all runs with a test for one look, in at most 5 % with a sequential one", () => {
  const { naive, sequence, mixture } = simulatePeeking({ ...PEEKING, runs: 300 });
  expect(naive.at(-1)).toBeGreaterThan(0.2);
  expect(sequence.at(-1)).toBeLessThanOrEqual(0.05);
  expect(mixture.at(-1)).toBeLessThanOrEqual(0.05);
});
