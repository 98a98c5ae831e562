import type { ExperimentConfig } from "../../config/experiment-config.ts";
import type { ShadowConfig } from "../../config/shadow-config.ts";

/** An experiment, as it is in force and as the file alone has it. */
export interface ReportedExperiment {
  readonly service: string;
  readonly config: ExperimentConfig;
  /** Without live changes. */
  readonly file: Pick<ExperimentConfig, "coverage" | "isActive" | "winner">;
}

export interface ReportedShadow {
  readonly service: string;
  readonly config: ShadowConfig;
  readonly file: Pick<ShadowConfig, "isExcluded">;
}

/** The experiments and shadows of all services, as every process has them. */
export interface TrafficReport {
  /** Of the overrides that are in it. */
  readonly overrideVersion: number;
  readonly experiments: readonly ReportedExperiment[];
  readonly shadows: readonly ReportedShadow[];
  /** Why what an arm leads to cannot answer, by its name; of what can answer there is nothing. */
  readonly unready: Readonly<Record<string, string>>;
}

/** Copies that a shadow did not get since the processes started. */
export interface SkippedCopies {
  readonly service: string;
  readonly shadow: string;
  readonly reason: string;
  readonly count: number;
}

/** What is asked of the processes that divide the traffic, through their supervisor. */
export interface TrafficSource {
  report(): Promise<TrafficReport>;
  skippedCopies(): Promise<readonly SkippedCopies[]>;
}
