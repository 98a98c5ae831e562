import type { RecommendedLimits } from "./capacity.ts";

/** Of the capacity: what is above is refused, so that a wave of traffic meets a service that still holds its objectives. */
const BREAKER_SHARE = 0.8;

/** Of the capacity of one instance: another one has to be up before the breaker refuses anybody. */
const AUTOSCALE_SHARE = 0.7;

/**
 * What to write into the configuration of a service.
 * @param rate λ, in requests a second.
 * @param latencyMs W: mean time a request is under way at that rate. In work at a time are λ · W of them by Little's law.
 * @returns all 0 where the rate is 0.
 */
export function recommendedLimits(rate: number, latencyMs: number): RecommendedLimits {
  if (!(rate > 0)) return { concurrency: 0, rate: 0, autoscale_target: 0 };
  return {
    concurrency: Math.max(1, Math.ceil((rate * latencyMs) / 1000)),
    rate: rate * BREAKER_SHARE,
    autoscale_target: rate * AUTOSCALE_SHARE,
  };
}
