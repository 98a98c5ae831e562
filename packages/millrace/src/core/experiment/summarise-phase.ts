import { cuped } from "../stats/cuped.ts";
import { ratioSummary, type RatioSums } from "../stats/ratio-summary.ts";
import { summaryOf, type SampleSummary } from "../stats/sample-summary.ts";
import { shareSummary } from "../stats/share-summary.ts";
import type { MetricDefinition } from "./metric.ts";
import type { UnitSums } from "./metric-sums.ts";

export interface PhaseSummary {
  /** As they are, to be shown. */
  readonly raw: readonly SampleSummary[];
  /** To be compared: less what CUPED explains. */
  readonly arms: readonly SampleSummary[];
  /** Of CUPED; undefined without it. */
  readonly varianceReduction: number | undefined;
}

/** The arms of one phase as what its metric is: means of units, shares, or ratios clustered by unit. */
export function summarisePhase(
  { source, lookbackMs }: MetricDefinition,
  arms: readonly UnitSums[],
): PhaseSummary {
  if (source.kind !== "event") return plain(arms.map((sums) => shareSummary(ratioOf(sums))));
  if (source.aggregate === "average") return plain(arms.map((sums) => ratioSummary(ratioOf(sums))));
  const isShare = source.aggregate === "converted";
  const raw = arms.map((sums) => (isShare ? shareSummary(convertedOf(sums)) : meanOf(sums)));
  return lookbackMs === undefined ? plain(raw) : lessBefore(arms, raw);
}

function plain(arms: readonly SampleSummary[]): PhaseSummary {
  return { raw: arms, arms, varianceReduction: undefined };
}

/** A share keeps the doubt that few successes leave: CUPED knows nothing of it. */
function lessBefore(arms: readonly UnitSums[], raw: readonly SampleSummary[]): PhaseSummary {
  const found = cuped(
    arms.map(({ units, y, x, yy, xx, xy }) => ({
      count: units,
      sumX: x,
      sumY: y,
      squaresX: xx,
      squaresY: yy,
      products: xy,
    })),
  );
  const adjusted = found.arms.map((arm, index) => {
    const doubted = (raw[index] as SampleSummary).variance;
    const { variance } = meanOf(arms[index] as UnitSums);
    return { ...arm, variance: variance > 0 ? arm.variance * (doubted / variance) : doubted };
  });
  return { raw, arms: adjusted, varianceReduction: found.varianceReduction };
}

function meanOf({ units, y, yy }: UnitSums): SampleSummary {
  return summaryOf({ count: units, sum: y, squares: yy });
}

function ratioOf({ units, y, x, yy, xx, xy }: UnitSums): RatioSums {
  return {
    count: units,
    numerator: y,
    denominator: x,
    numeratorSquares: yy,
    denominatorSquares: xx,
    products: xy,
  };
}

/** Each unit is its own denominator. */
function convertedOf({ units, y }: UnitSums): RatioSums {
  return ratioOf({ units, y, yy: y, x: units, xx: units, xy: y });
}
