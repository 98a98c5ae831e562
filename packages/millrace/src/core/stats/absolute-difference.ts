import { isComparable, welchDegrees, type Difference } from "./difference.ts";
import type { SampleSummary } from "./sample-summary.ts";

/**
 * m₂ − m₁, with the standard error √(v₁/n₁ + v₂/n₂).
 * @returns undefined when an arm has fewer than two units, or no mean.
 */
export function absoluteDifference(
  control: SampleSummary,
  arm: SampleSummary,
): Difference | undefined {
  if (!isComparable(control) || !isComparable(arm)) return undefined;
  return {
    value: arm.mean - control.mean,
    standardError: Math.sqrt(control.variance / control.count + arm.variance / arm.count),
    degrees: welchDegrees(control, arm),
    count: control.count + arm.count,
  };
}
