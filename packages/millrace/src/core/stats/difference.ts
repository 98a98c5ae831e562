import type { SampleSummary } from "./sample-summary.ts";

/** An arm less the control arm. */
export interface Difference {
  readonly value: number;
  readonly standardError: number;
  /** Of freedom, by Welch and Satterthwaite. */
  readonly degrees: number;
  /** Units of both arms. */
  readonly count: number;
}

/** Fewer have no variance. */
const UNITS_MIN = 2;

/** @returns whether the arm can be compared at all. */
export function isComparable({ count, mean, variance }: SampleSummary): boolean {
  return count >= UNITS_MIN && Number.isFinite(mean) && Number.isFinite(variance);
}

/**
 * (v₁/n₁ + v₂/n₂)² / ((v₁/n₁)²/(n₁ − 1) + (v₂/n₂)²/(n₂ − 1)) (B. L. Welch, Biometrika 34, 1947).
 * @returns n₁ + n₂ − 2 where neither arm varies.
 */
export function welchDegrees(control: SampleSummary, arm: SampleSummary): number {
  const first = control.variance / control.count;
  const second = arm.variance / arm.count;
  const sum = first + second;
  if (sum === 0) return control.count + arm.count - 2;
  return sum ** 2 / (first ** 2 / (control.count - 1) + second ** 2 / (arm.count - 1));
}
