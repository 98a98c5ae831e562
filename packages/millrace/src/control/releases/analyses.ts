import type { ExperimentConfig } from "../../config/experiment-config.ts";
import type { ShadowConfig } from "../../config/shadow-config.ts";
import type { ExperimentAnalysis } from "../../core/experiment/experiment-report.ts";
import type { ShadowAnalysis } from "../../core/shadow/shadow-report.ts";

export interface ExperimentOrder {
  readonly service: string;
  readonly config: ExperimentConfig;
  readonly phase: number;
  /** When the evidence began, milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface ShadowOrder {
  readonly service: string;
  readonly config: ShadowConfig;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What the prediction log says of releases. */
export interface Analyses {
  /** @throws LOG_UNAVAILABLE and other errors of a query. */
  experiment(order: ExperimentOrder, signal: AbortSignal): Promise<ExperimentAnalysis>;
  shadow(order: ShadowOrder, signal: AbortSignal): Promise<ShadowAnalysis>;
}
