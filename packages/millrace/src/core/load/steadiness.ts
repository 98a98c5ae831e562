import { thirdsOf } from "./thirds.ts";

/** What a window has to tell. */
export interface SteadyWindow {
  /** Answers that came in it. */
  readonly answered: number;
  readonly p50_ms: number;
}

/** Share of their mean by which the three may differ. */
const TOLERANCE = 0.1;

/** Or so much: what a service of half a millisecond does is not unsteady, whatever share of it that is. */
const LATENCY_TOLERANCE_MS = 0.5;

/**
 * Widest range of three means that chance explains, in standard errors: the studentized range of three at 95 % (Tukey's
 * tables: 3.3 of infinite degrees, 3.6 of 20).
 */
const RANGE_BY_CHANCE = 3.5;

/** Values that resemble their neighbours more than that have no scatter to speak of. */
const CORRELATION_MAX = 0.9;

/**
 * Has a step settled? Its time is cut in three; the three agree when neither their throughput nor their median latency
 * differs by more than a tenth, or by more than the scatter within them explains: ten seconds of a hundred requests each
 * differ by more than that all the time.
 *
 * @param windows of equal length, one after the other; of fewer than three nothing can be said, and they pass.
 */
export function isSteady(windows: readonly SteadyWindow[]): boolean {
  if (windows.length < 3) return true;
  const answered = windows.map((window) => window.answered);
  const latencyMs = windows.map((window) => window.p50_ms);
  return agree(answered, 0) && agree(latencyMs, LATENCY_TOLERANCE_MS);
}

function agree(values: readonly number[], toleranceMin: number): boolean {
  const parts = thirdsOf(values);
  const means = parts.map(mean);
  const range = Math.max(...means) - Math.min(...means);
  const error = errorOf(parts.map((part, i) => part.map((value) => value - (means[i] as number))));
  return range <= Math.max(TOLERANCE * mean(means), toleranceMin, RANGE_BY_CHANCE * error);
}

/**
 * Standard error of the mean of a third. Of values whose correlation with the next one is r it is that of independent
 * ones times √((1 + r)/(1 − r)) (a first-order autoregression).
 * @param parts deviations from the mean of each third.
 */
function errorOf(parts: readonly (readonly number[])[]): number {
  let squares = 0;
  let products = 0;
  for (const part of parts) {
    for (const [i, deviation] of part.entries()) {
      squares += deviation * deviation;
      products += deviation * (part[i + 1] ?? 0);
    }
  }
  const length = parts[0]?.length ?? 0;
  if (length < 2 || squares === 0) return 0;
  const correlation = Math.min(CORRELATION_MAX, Math.max(0, products / squares));
  const variance = squares / (parts.length * (length - 1));
  return Math.sqrt((variance / length) * ((1 + correlation) / (1 - correlation)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
