import { CONFIDENCE, type Interval } from "./interval.ts";
import { quantile } from "./quantile.ts";

export interface BootstrapOptions {
  /** Rows, at least 1. */
  readonly count: number;
  /**
   * The statistic of a sample.
   * @param sample row numbers, as many as there are rows, some of them more than once; valid during the call only.
   */
  readonly statistic: (sample: Uint32Array) => number;
  /** 0 ≤ number < 1. The core has no randomness of its own. */
  readonly random: () => number;
  /** Default 1000: the ends of the interval are then known to about a tenth of its width. */
  readonly resamples?: number;
  readonly confidence?: number;
}

/**
 * The percentile interval of any statistic (B. Efron, Annals of Statistics 7, 1979): its quantiles over samples drawn
 * from the rows with replacement. It costs `resamples` × `count` draws; where a formula exists, take that.
 */
export function bootstrapInterval(options: BootstrapOptions): Interval {
  const { count, statistic, random, resamples = 1_000, confidence = CONFIDENCE } = options;
  const sample = new Uint32Array(count);
  const values = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < count; i++) sample[i] = Math.floor(random() * count);
    return statistic(sample);
  }).toSorted();
  const outside = (1 - confidence) / 2;
  return { low: quantile(values, outside), high: quantile(values, 1 - outside) };
}
