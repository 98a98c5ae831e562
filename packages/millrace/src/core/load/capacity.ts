import type { ServerView } from "./load-report.ts";

/** One step of a capacity search: a constant rate for a while. */
export interface CapacityStep {
  readonly phase: "baseline" | "double" | "bisect" | "confirm" | "cool-down";
  /** Starts a second. */
  readonly rate: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** What came of a step. */
export interface StepOutcome {
  readonly step: CapacityStep;
  /** Starts a second that were sent, and answers 200 to 399 a second. */
  readonly sentRate: number;
  readonly goodput: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  /** Share of starts that failed or were dropped. */
  readonly errors: number;
  /** Requests under way, on average over the step: sampled, not computed from the latency. */
  readonly underWayMean: number;
  /** Objectives that were missed, as texts with the figure; empty when all were met. */
  readonly missed: readonly string[];
  /** It was ended early, because latency and requests under way both grew. */
  readonly isOversaturated: boolean;
  /** The three last windows agree. */
  readonly isSteady: boolean;
  /** Why the generator spoiled it; undefined where it did not. */
  readonly spoiled: string | undefined;
  readonly server: ServerView | undefined;
}

/** What `--find-capacity` has found. Rates in requests a second. */
export interface CapacityReport {
  readonly format: 1;
  readonly objectives: readonly string[];
  /** Highest rate that met the objectives, each time it was tried. */
  readonly rate: number;
  /** The least rate that failed is above, the highest one that held is below. */
  readonly interval: { readonly low: number; readonly high: number };
  /** What stopped it: the objective missed above, or the generator's own limit. */
  readonly limited_by: string;
  readonly is_generator_bound: boolean;
  readonly curve: readonly KneePoint[];
  /** L = λ · W at the rate found. */
  readonly littles_law: {
    readonly under_way: number;
    readonly rate_times_latency: number;
    readonly ratio: number;
    readonly holds: boolean;
  };
  readonly client_p99_ms: number;
  readonly server_p99_ms: number | null;
  readonly limits: {
    /** λ · W, rounded up: requests in work at a time. */
    readonly concurrency: number;
    /** 80 % of the rate. */
    readonly rate: number;
    /** 70 % of the rate of one instance. */
    readonly autoscale_target: number;
  };
}

export interface KneePoint {
  readonly phase: CapacityStep["phase"];
  readonly rate: number;
  readonly goodput: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
  readonly met: boolean;
}
