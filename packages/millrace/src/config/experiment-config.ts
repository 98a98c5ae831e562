import type { MetricDefinition, MetricRole } from "../core/experiment/metric.ts";
import type { RequestValue } from "./request-value.ts";

export interface ArmConfig {
  readonly name: string;
  /** Model or service that answers; a step that is written in place has a service of its own, `<service>.<arm>`. */
  readonly to: string;
  /** Share of the units that take part; the shares of all arms add up to 1. */
  readonly weight: number;
}

/** `traffic.experiment` of a service. */
export interface ExperimentConfig {
  readonly name: string;
  /** Whom a request is for, the first of them that is there; empty draws for each request. */
  readonly unit: readonly RequestValue[];
  /** At least two, in the order of the file. */
  readonly arms: readonly ArmConfig[];
  /** Arm that the others are compared with, and that answers whoever takes no part. */
  readonly control: string;
  /** Share of the units that take part, 0 to 1. */
  readonly coverage: number;
  /** false: everyone gets the control arm. */
  readonly isActive: boolean;
  /** Arm that everyone gets; undefined while it is not decided. */
  readonly winner: string | undefined;
  readonly salt: string;
  /** Part of the units of the namespace, [from, to) in 0 to 1; undefined takes all. */
  readonly namespace:
    { readonly name: string; readonly from: number; readonly to: number } | undefined;
  /** Names the arm that a request wants; undefined where none may. */
  readonly override: RequestValue | undefined;
  readonly isSticky: boolean;
  readonly minPhase: number;
  /** Those of the file, and the guardrails `errors` and `latency` unless they are off. */
  readonly metrics: readonly MetricConfig[];
  readonly onRegression: "rollback" | "hold" | "warn";
  readonly onMismatch: "rollback" | "hold" | "warn";
  readonly analysis: AnalysisConfig;
  /** Undefined: the coverage stays as it is. */
  readonly ramp: RampConfig | undefined;
}

export interface MetricConfig extends MetricDefinition {
  readonly role: MetricRole;
}

export interface AnalysisConfig {
  readonly everyMs: number;
  readonly windowMs: number;
  readonly method: "sequential" | "fixed";
  /** Probability of an interval that misses the truth. */
  readonly alpha: number;
  /** Units of each arm. */
  readonly unitsMin: number;
  /** Units of all arms at which sequential intervals are tightest. */
  readonly unitsTuned: number;
  readonly lengthMinMs: number;
  readonly lengthMaxMs: number;
}

export interface RampStepConfig {
  /** 0 to 1; larger than that of the step before. */
  readonly coverage: number;
  readonly holdMs: number;
  /** Units that each arm has at least. */
  readonly unitsMin: number;
  /** Does somebody have to approve before the next step? */
  readonly needsApproval: boolean;
}

export interface RampConfig {
  readonly steps: readonly RampStepConfig[];
  readonly start: "auto" | "manual";
  /** Shadow of the service that has to have passed; undefined needs none. */
  readonly after: string | undefined;
  readonly promote: "auto" | "approval" | "off";
  readonly noData: "hold" | "fail" | "pass";
  readonly graceMs: number;
}
