import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Percentiles } from "./replay-report.ts";

/** Percentiles of times, to three digits, in memory that does not grow. */
export class LatencyRecorder {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 });
  /** The histogram knows nothing below 1. */
  #max = 0;

  /** @param us microseconds, at least 0. */
  record(us: number): void {
    this.#max = Math.max(this.#max, Math.round(us));
    this.#histogram.record(Math.max(1, Math.round(us)));
  }

  /** Undefined when nothing was recorded. */
  percentiles(): Percentiles | undefined {
    if (this.#histogram.count === 0) return undefined;
    const at = (share: number): number => Math.min(this.#max, this.#histogram.percentile(share));
    return { p50: at(50), p90: at(90), p99: at(99), max: this.#max };
  }
}
