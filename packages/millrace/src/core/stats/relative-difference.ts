import { isComparable, welchDegrees, type Difference } from "./difference.ts";
import type { SampleSummary } from "./sample-summary.ts";

/**
 * (m₂ − m₁)/|m₁| by the delta method: the squared standard error is v₂/(n₂m₁²) + v₁m₂²/(n₁m₁⁴). The degrees are those of
 * the absolute difference.
 * @returns undefined when the control arm's mean is 0, an arm has fewer than two units, or no mean.
 */
export function relativeDifference(
  control: SampleSummary,
  arm: SampleSummary,
): Difference | undefined {
  if (!isComparable(control) || !isComparable(arm) || control.mean === 0) return undefined;
  const ratio = arm.mean / control.mean;
  const squared =
    (arm.variance / arm.count + (ratio * ratio * control.variance) / control.count) /
    (control.mean * control.mean);
  return {
    // A share of the size, so that "more" stays positive where means are below 0.
    value: (arm.mean - control.mean) / Math.abs(control.mean),
    standardError: Math.sqrt(squared),
    degrees: welchDegrees(control, arm),
    count: control.count + arm.count,
  };
}
