import type { Interval } from "../stats/interval.ts";
import type { LoadFacts } from "./load-report.ts";

/** Two load tests, the second one measured against the first. */
export interface LoadComparison {
  readonly format: 1;
  readonly before: ComparedLoad;
  readonly after: ComparedLoad;
  readonly metrics: readonly MetricComparison[];
  /** What is certain, in a sentence. */
  readonly statement: string;
  /** What else differs than what was to be compared. */
  readonly warnings: readonly string[];
}

export type ComparedLoad = Pick<LoadFacts, "name" | "started" | "arrivals" | "valid">;

export interface MetricComparison {
  readonly metric: "p50" | "p90" | "p99" | "throughput" | "errors";
  /** Latencies in ms, throughput a second, errors as a share. */
  readonly before: number;
  readonly after: number;
  /** after/before − 1; of errors after − before. Null where there is nothing to divide by. */
  readonly change: number | null;
  /** Of the change; null where a test is too short to say. All of them hold together with 95 %. */
  readonly interval: Interval | null;
  /** `better` and `worse` where the interval leaves out no change. */
  readonly verdict: "better" | "worse" | "same" | "unknown";
}
