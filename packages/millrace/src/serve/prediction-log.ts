import type { ServiceConfig } from "../config/config.ts";
import type { ExposureRow } from "../core/predictions/exposure-row.ts";
import type { FeedbackRow } from "../core/predictions/feedback-row.ts";
import type { ShadowComparison } from "../core/predictions/logged-prediction.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { PredictionRecord } from "./recent-predictions.ts";
import type { Predictor } from "../models/predictor.ts";
import type { Job } from "./answers.ts";
import type { Prediction } from "./prediction.ts";

/** What became of a request, for the log. */
export interface PredictionOutcome {
  readonly job: Job;
  readonly record: PredictionRecord;
  /** Undefined when it failed. */
  readonly prediction: Prediction | undefined;
  /** Of a shadow's prediction; undefined of answers. */
  readonly shadow?: ShadowOutcome | undefined;
}

/** What became of a copy that a shadow got; its record has the role `shadow`. */
export interface ShadowOutcome {
  /** Of the shadow. */
  readonly name: string;
  readonly comparison: ShadowComparison;
}

/** The prediction log as the data plane sees it: a row more, never an error and never a wait the file does not ask for. */
export interface PredictionLog {
  /**
   * Asked before a prediction is made.
   * @returns undefined nearly always; with `whenFull: wait` when there is room, or 5 ms later.
   * @throws OVERLOADED with the reason `log` when it is full and `whenFull` is `refuse`.
   */
  admit(): Promise<void> | undefined;
  /** Are inputs to be there until `add`, so that nobody may take their memory before? */
  keepsInputs(service: ServiceConfig, predictor: Predictor, inputs: readonly Tensor[]): boolean;
  add(outcome: PredictionOutcome): void;
  /** @returns when it is written. @throws LOG_UNAVAILABLE when it cannot be. */
  addFeedback(rows: readonly FeedbackRow[]): Promise<void>;
  /**
   * Takes a row of the table `exposures`: written soon, and nobody waits for it.
   * @returns false when there is no room for it, which is counted.
   */
  addExposure(row: ExposureRow): boolean;
  /** Keyed hash of a unit, 32 hexadecimal digits; the same in every process of a state folder, and for good. */
  unitHash(unit: string): string;
  /** Name of this process in the rows: `p0-01992f3c7a5e`. */
  readonly node: string;
  /** Writes out what is in memory. */
  close(): Promise<void>;
}
