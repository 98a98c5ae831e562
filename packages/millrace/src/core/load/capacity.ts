import type { LoadFacts, ServerView } from "./load-report.ts";

/** One step of a capacity search: a constant rate for a while. */
export interface CapacityStep {
  /** `baseline` is one client that asks again when it is answered; `cool-down` waits until the service is itself again. */
  readonly phase: "baseline" | "double" | "bisect" | "confirm" | "cool-down";
  /** Starts a second; 0 of the baseline, whose rate is what comes of it. */
  readonly rate: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** What came of a step. */
export interface StepOutcome {
  readonly step: CapacityStep;
  /** That were sent. */
  readonly requests: number;
  /** With the warm-up and the wait for the last answers. */
  readonly tookMs: number;
  /** Starts a second that were sent, and answers 200 to 399 a second. */
  readonly sentRate: number;
  readonly goodput: number;
  /** Of response times, from when a request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  /** From the send to the last byte. */
  readonly serviceMeanMs: number;
  /** Share of starts that failed or were dropped. */
  readonly errors: number;
  /** Requests under way, on average over the step: sampled, not computed from the latency. */
  readonly underWayMean: number;
  /** Standard error of that average. */
  readonly underWayError: number;
  /** Objectives that were missed, as texts with the figure; empty when all were met. */
  readonly missed: readonly string[];
  /** Latency and requests under way both grew: it was ended early, or would have gone on so. */
  readonly isOversaturated: boolean;
  /** The three last windows agree. */
  readonly isSteady: boolean;
  /** Why the generator spoiled it; undefined where it did not. */
  readonly spoiled: string | undefined;
  readonly server: ServerView | undefined;
}

/** What `--find-capacity` has found. Rates in requests a second. */
export interface CapacityReport extends Pick<
  LoadFacts,
  "name" | "started" | "command" | "protocol" | "targets" | "arrivals" | "seed" | "environment"
> {
  readonly format: 1;
  /**
   * `found`: both ends of the interval were measured. `at_least`: what ended the search was not the service. `none`: not
   * even the lowest rate met the objectives. `unfinished`: time was up, or it was interrupted.
   */
  readonly outcome: "found" | "at_least" | "none" | "unfinished";
  readonly objectives: readonly string[];
  /** Highest rate that met the objectives the last times it was tried; 0 where none did. */
  readonly rate: number;
  /** How often in a row that was confirmed, of `CONFIRMATIONS`. */
  readonly confirmations: number;
  /** The highest rate that held is below, the least one that failed is above: null where the service failed at none. */
  readonly interval: { readonly low: number; readonly high: number | null };
  /** Half of the widest interval that is asked for, as a share: 0.05. */
  readonly precision: number;
  /** What stopped it: the objective missed above, or the generator's own limit. */
  readonly limited_by: string;
  readonly is_generator_bound: boolean;
  /** What to know before one relies on it. */
  readonly notes: readonly string[];
  readonly took_ms: number;
  /** One client that asks again when it is answered. */
  readonly one_client: { readonly rate: number; readonly p50_ms: number; readonly p99_ms: number };
  readonly curve: readonly KneePoint[];
  /** L = λ · W at the rate found. */
  readonly littles_law: LittlesLaw;
  /** Of the slowest step that confirmed the rate; the server's of the same step. */
  readonly client_p99_ms: number;
  readonly server_p99_ms: number | null;
  /** What the server refused at the rates that failed, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly limits: RecommendedLimits;
}

export interface LittlesLaw {
  /** L: requests under way, sampled. */
  readonly under_way: number;
  /** λ · W: requests sent a second by the seconds each took. */
  readonly rate_times_latency: number;
  /** L / (λ · W) */
  readonly ratio: number;
  /** Share the ratio may differ from 1 by: 5 %, or more where the samples scatter more. */
  readonly tolerance: number;
  readonly holds: boolean;
}

/** All 0 where no rate was found. */
export interface RecommendedLimits {
  /** λ · W, rounded up: requests in work at a time. */
  readonly concurrency: number;
  /** 80 % of the rate. */
  readonly rate: number;
  /** 70 % of the rate of one instance. */
  readonly autoscale_target: number;
}

export interface KneePoint {
  readonly phase: CapacityStep["phase"];
  /** Of the baseline what one client reached. */
  readonly rate: number;
  readonly goodput: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
  readonly met: boolean;
  /** It was missed, and the generator may be why. */
  readonly spoiled: boolean;
}
