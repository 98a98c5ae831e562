import type { SampleSummary } from "./sample-summary.ts";

/** Sums over the units of one arm: x from before they were exposed, y from after. */
export interface CupedSums {
  readonly count: number;
  /** Σx */
  readonly sumX: number;
  /** Σy */
  readonly sumY: number;
  /** Σx² */
  readonly squaresX: number;
  /** Σy² */
  readonly squaresY: number;
  /** Σxy */
  readonly products: number;
}

export interface CupedResult {
  /** cov(x, y)/var(x), of all arms together; 0 where x does not vary. */
  readonly theta: number;
  /** Each arm's y − θ(x − x̄), with x̄ of all arms together. */
  readonly arms: readonly SampleSummary[];
  /** Share of the variance within arms that is gone, from 0 to 1: ρ² of one arm. */
  readonly varianceReduction: number;
}

/**
 * Takes out of y what was to be expected of the unit anyway (A. Deng, Y. Xu, R. Kohavi, T. Walker, WSDM 2013). θ is pooled
 * of the deviations within arms: the effect of the arm must not leak into it, and one θ for all keeps their difference
 * unbiased.
 */
export function cuped(arms: readonly CupedSums[]): CupedResult {
  const within = arms.map(deviationsOf);
  const total = (key: keyof Deviations): number => within.reduce((sum, arm) => sum + arm[key], 0);
  const theta = total("x") > 0 ? total("xy") / total("x") : 0;
  const meanX =
    arms.reduce((sum, { sumX }) => sum + sumX, 0) / arms.reduce((sum, { count }) => sum + count, 0);
  const left = within.map(({ x, y, xy }) => Math.max(0, y - 2 * theta * xy + theta * theta * x));
  const before = total("y");
  const after = left.reduce((sum, squares) => sum + squares, 0);
  return {
    theta,
    arms: arms.map(({ count, sumX, sumY }, i) => ({
      count,
      mean: sumY / count - theta * (sumX / count - meanX),
      variance: count > 1 ? (left[i] as number) / (count - 1) : NaN,
    })),
    varianceReduction: before > 0 ? Math.max(0, 1 - after / before) : 0,
  };
}

interface Deviations {
  /** Σ(x − x̄)² */
  readonly x: number;
  readonly y: number;
  readonly xy: number;
}

function deviationsOf({ count, sumX, sumY, squaresX, squaresY, products }: CupedSums): Deviations {
  if (count === 0) return { x: 0, y: 0, xy: 0 };
  return {
    x: Math.max(0, squaresX - (sumX * sumX) / count),
    y: Math.max(0, squaresY - (sumY * sumY) / count),
    xy: products - (sumX * sumY) / count,
  };
}
