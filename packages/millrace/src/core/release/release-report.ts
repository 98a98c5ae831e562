import type { ExperimentAnalysis } from "../experiment/experiment-report.ts";
import type { ShadowAnalysis } from "../shadow/shadow-report.ts";
import type { RampState } from "./ramp-state.ts";

/** Something that happened to an experiment or a shadow. */
export interface ReleaseEvent {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** `ramp` and `verdict`, or who did it. */
  readonly by: string;
  /** `started`, `step 2`, `paused`, `rolled back`, `decision: ship`, `excluded`, … */
  readonly what: string;
  readonly why: string;
}

/** `GET /api/v1/experiments/{name}` */
export interface ExperimentStatus {
  readonly name: string;
  readonly service: string;
  /** Of the weights as they are now. */
  readonly phase: number;
  readonly arms: readonly { readonly name: string; readonly to: string; readonly weight: number }[];
  readonly control: string;
  /** As it is in force. */
  readonly coverage: number;
  readonly isActive: boolean;
  readonly winner: string | undefined;
  /** Undefined where the file has none. */
  readonly ramp:
    | {
        readonly state: RampState;
        readonly steps: readonly {
          readonly coverage: number;
          readonly holdMs: number;
          readonly unitsMin: number;
          readonly needsApproval: boolean;
        }[];
      }
    | undefined;
  /** The latest; undefined before the first. */
  readonly analysis: ExperimentAnalysis | undefined;
  /** What the latest decision but `keep_running` was made of; undefined before there is one. */
  readonly decided: ExperimentAnalysis | undefined;
  /** Why there is no newer analysis, as when the log cannot be asked; undefined when all is well. */
  readonly problem: string | undefined;
  /** The newest first. */
  readonly events: readonly ReleaseEvent[];
}

/** `GET /api/v1/shadows/{name}` */
export interface ShadowStatus {
  readonly name: string;
  readonly service: string;
  readonly to: string;
  readonly share: number;
  /** `label`, `tolerance 0.01`, … as the file says it. */
  readonly compare: string;
  readonly isExcluded: boolean;
  readonly required: {
    readonly agreementMin: number;
    readonly errorDifferenceMax: number;
    readonly latencyRatioMax: number;
    readonly pairsMin: number;
    readonly lengthMinMs: number;
  };
  /** Copies that were left out since the processes started, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly analysis: ShadowAnalysis | undefined;
  readonly problem: string | undefined;
  readonly events: readonly ReleaseEvent[];
}
