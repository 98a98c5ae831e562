import { batchMeans } from "../stats/batch-means.ts";
import { blockJackknife, type JackknifeError } from "../stats/block-jackknife.ts";
import { seriesCorrelation } from "../stats/series-correlation.ts";
import type { LoadFacts, LoadWindow } from "./load-report.ts";
import { logQuantileOf } from "./window-mixture.ts";

/** A figure of a load test, and how far it can be trusted. */
export interface LoadEstimate {
  /** In the metric's own unit. */
  readonly value: number;
  /** Of the logarithm of a latency or of a throughput; of a share itself. Undefined where a test is too short to say. */
  readonly error: JackknifeError | undefined;
}

/** Fewer windows say nothing of how much they scatter. */
const WINDOWS_MIN = 8;

/** Windows that resemble each other so much that they tell no more than fewer independent ones would say nothing. */
const INDEPENDENT_MIN = 6;

/**
 * Batches of which neighbours do not show a correlation that are put into one block: of a service that is busy to 90 %,
 * blocks of one such batch made every eighth comparison of a test with itself a difference.
 */
const BLOCK_LENGTHS = 2;

/** Fewer have too few degrees of freedom to say anything. */
const BLOCKS_MIN = 6;

/** @param key of the percentile of this share, in the windows and in the whole. */
export function estimateLatency(
  facts: LoadFacts,
  key: "p50_ms" | "p90_ms" | "p99_ms",
  share: number,
): LoadEstimate {
  const windows = measuredWindows(facts).filter(({ ok, failed }) => ok + failed > 0);
  return {
    value: facts.response[key],
    error: errorOf(
      windows,
      (window) => logOf(window[key]),
      (kept) => logQuantileOf(kept, share),
    ),
  };
}

/** Successes a second of the measured time. */
export function estimateThroughput(facts: LoadFacts): LoadEstimate {
  const windows = measuredWindows(facts);
  const ok = total(windows, okOf);
  if (ok === 0) return { value: 0, error: undefined };
  return {
    value: (1000 * ok) / (windows.length * facts.window_ms),
    error: errorOf(windows, okOf, (kept) => Math.log(total(kept, okOf) / kept.length)),
  };
}

/** Failed and dropped, as a share of the starts. */
export function estimateErrors(facts: LoadFacts): LoadEstimate {
  const windows = measuredWindows(facts).filter(({ due }) => due > 0);
  if (windows.length === 0) return { value: 0, error: undefined };
  const shareOf = (kept: readonly LoadWindow[]): number => total(kept, badOf) / total(kept, dueOf);
  const value = shareOf(windows);
  const error = errorOf(windows, (window) => badOf(window) / window.due, shareOf);
  if (error === undefined) return { value, error };
  // No failure in any window is not certainty that there is none.
  const least = binomialError(total(windows, badOf), total(windows, dueOf));
  return { value, error: { ...error, standardError: Math.max(error.standardError, least) } };
}

/** Of a share, with one success and one failure more than there were (A. Agresti and B. Caffo, 2000). */
function binomialError(failures: number, count: number): number {
  const share = (failures + 1) / (count + 2);
  return Math.sqrt((share * (1 - share)) / (count + 2));
}

/**
 * Runs are too short for blocks that have nothing in common, so what is left between neighbouring blocks is taken from
 * the correlation of neighbouring windows.
 *
 * @param valueOf a window: what shows how far its values depend on each other.
 * @returns undefined where the windows are too few, or tell too little.
 */
function errorOf(
  windows: readonly LoadWindow[],
  valueOf: (window: LoadWindow) => number,
  statistic: (kept: readonly LoadWindow[]) => number,
): JackknifeError | undefined {
  if (windows.length < WINDOWS_MIN) return undefined;
  const values = windows.map(valueOf);
  // The median scatters least of all, so it shows best what they have in common.
  const medians = windows.map(({ p50_ms }) => logOf(p50_ms));
  const correlation = Math.max(seriesCorrelation(values), seriesCorrelation(medians));
  const independent = windows.length / inflation(correlation);
  if (independent < INDEPENDENT_MIN) return undefined;
  const length = BLOCK_LENGTHS * batchMeans(values).length;
  const { standardError, degrees } = blockJackknife(
    windows.length,
    Math.min(length, windows.length / BLOCKS_MIN),
    (from, until) => statistic(windows.filter((_, i) => i < from || i >= until)),
  );
  const between = correlation ** (windows.length / (degrees + 1));
  return {
    standardError: standardError * Math.sqrt(inflation(between)),
    degrees: Math.min(degrees, independent - 1),
  };
}

/** Of the variance of a mean, by the correlation of neighbours (a first-order autoregression). */
function inflation(correlation: number): number {
  return (1 + correlation) / (1 - correlation);
}

function logOf(ms: number): number {
  return Math.log(Math.max(ms, Number.MIN_VALUE));
}

/** Whole ones of the measured time. */
function measuredWindows({ timeline, window_ms, duration_ms }: LoadFacts): readonly LoadWindow[] {
  return timeline.filter(({ from_ms }) => from_ms + window_ms <= duration_ms + 1);
}

function okOf({ ok }: LoadWindow): number {
  return ok;
}

function badOf({ failed, dropped }: LoadWindow): number {
  return failed + dropped;
}

function dueOf({ due }: LoadWindow): number {
  return due;
}

function total(windows: readonly LoadWindow[], of: (window: LoadWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
