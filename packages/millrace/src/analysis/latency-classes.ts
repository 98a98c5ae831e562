import type { LatencyReport } from "../core/shadow/shadow-report.ts";

/** Classes of latency for a factor of e: each is one hundredth wide, so a quantile is right to half a hundredth. */
const CLASSES_PER_E = 100;

/** How many requests fell into a class. */
export interface LatencyClass {
  readonly index: number;
  /** Requests, or what they stand for. */
  readonly count: number;
}

/** Class of a column with microseconds. So counted, latencies of any number of requests take a few thousand rows. */
export function latencyClassSql(column: string): string {
  return `floor(ln(greatest(${column}, 1)) * ${CLASSES_PER_E})::INTEGER`;
}

/** Microseconds above which is what lies in higher classes. */
export function classEndUs(index: number): number {
  return Math.ceil(Math.exp((index + 1) / CLASSES_PER_E)) - 1;
}

/**
 * The class in which the quantile lies.
 * @param share 0 to 1.
 * @returns undefined without requests.
 */
export function quantileClass(classes: readonly LatencyClass[], share: number): number | undefined {
  const ascending = classes.filter(({ count }) => count > 0).toSorted((a, b) => a.index - b.index);
  const total = ascending.reduce((sum, { count }) => sum + count, 0);
  let below = 0;
  for (const { index, count } of ascending) {
    below += count;
    if (below >= share * total) return index;
  }
  return ascending.at(-1)?.index; // rounding of weights
}

/** The middle of its class, in milliseconds. */
export function quantileMs(classes: readonly LatencyClass[], share: number): number | undefined {
  const index = quantileClass(classes, share);
  return index === undefined ? undefined : Math.exp((index + 0.5) / CLASSES_PER_E) / 1000;
}

export function latencyReport(classes: readonly LatencyClass[]): LatencyReport | undefined {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantileMs(classes, share));
  if (p50 === undefined || p95 === undefined || p99 === undefined) return undefined;
  return { p50, p95, p99 };
}
