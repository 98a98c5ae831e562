/** The part of [0, 1) that belongs to an arm: from `from` to before `to`; nothing where they are equal. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** How far the sum of weights may lie from 1. */
const SUM_TOLERANCE = 0.01;

/**
 * The part of each arm: it begins where the full parts of the arms before it end, and is as much of its own full part as
 * the coverage says. A larger coverage therefore adds units to each arm and takes none away from another.
 *
 * As GrowthBook's: weights of another number than arms, or that do not add up to 1, count as equal.
 * @param coverage share of the units that take part; below 0 it is 0, above 1 it is 1.
 */
export function coverageRanges(
  armCount: number,
  coverage: number,
  weights?: readonly number[],
): readonly BucketRange[] {
  const share = Math.min(1, Math.max(0, coverage));
  let end = 0;
  return sharesOf(armCount, weights).map((weight) => {
    const from = end;
    end += weight;
    return { from, to: from + share * weight };
  });
}

/** @returns place of the arm whose part the number lies in; undefined where it lies between them. */
export function rangeOf(ranges: readonly BucketRange[], hash: number): number | undefined {
  for (let i = 0; i < ranges.length; i++) {
    const { from, to } = ranges[i] as BucketRange;
    if (hash >= from && hash < to) return i;
  }
  return undefined;
}

/** The weights when they can be used, else equal ones. */
export function sharesOf(armCount: number, weights?: readonly number[]): readonly number[] {
  const sum = weights?.reduce((total, weight) => total + weight, 0) ?? 0;
  // The smallest step beside the tolerance: 0.99 and 1.01 themselves are taken.
  const isUsable = weights?.length === armCount && Math.abs(sum - 1) <= SUM_TOLERANCE + 1e-9;
  return isUsable ? weights : new Array<number>(armCount).fill(1 / armCount);
}
