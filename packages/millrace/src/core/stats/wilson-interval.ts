import { CONFIDENCE, type Interval } from "./interval.ts";
import { normalQuantile } from "./normal-quantile.ts";

/**
 * Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927): it stays within 0 and 1, and says something of a
 * share of 0 or 1 too.
 *
 * centre = (x + z²/2) / (n + z²), half width = z·√(x(n − x)/n + z²/4) / (n + z²)
 *
 * @param successes need not be whole: of weighted rows the share times the effective count.
 * @param count 0 gives 0 to 1.
 */
export function wilsonInterval(
  successes: number,
  count: number,
  confidence = CONFIDENCE,
): Interval {
  if (!(count > 0)) return { low: 0, high: 1 };
  const z = normalQuantile(0.5 + confidence / 2);
  const inside = Math.min(Math.max(successes, 0), count); // rounding of weighted sums may lead beyond
  const centre = (inside + (z * z) / 2) / (count + z * z);
  const spread = Math.sqrt((inside * (count - inside)) / count + (z * z) / 4);
  const half = (z * spread) / (count + z * z);
  return {
    low: inside === 0 ? 0 : Math.max(0, centre - half),
    high: inside === count ? 1 : Math.min(1, centre + half),
  };
}
