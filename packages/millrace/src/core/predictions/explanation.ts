import type { ExplainedAssignment } from "../experiment/explain-assignment.ts";
import type { StepRecord } from "../graph/describe-trace.ts";
import type { JsonValue } from "../json.ts";
import type { RuleExplanation } from "../rules/rule-set.ts";
import type { PredictionRow } from "./prediction-row.ts";

/**
 * Where the answer was found: a serve process remembers it, or its row is in the log, not yet or already a Parquet file.
 * `log` is either of them, where nothing runs that tells.
 */
export type ExplanationSource = "memory" | "segment" | "parquet" | "log";

/**
 * What was decided for a prediction, as `GET /api/v1/predictions/{id}` answers it: the same members wherever it was
 * found. What is not known, or is not so, is left out.
 */
export interface Explanation {
  readonly prediction_id: string;
  readonly source: ExplanationSource;
  readonly request_id?: string;
  readonly trace_id?: string;
  readonly service: string;
  /** Route or call it came by. */
  readonly endpoint?: string;
  /** Versions that answered, or were to: `iris@1`; of a graph those that ran. */
  readonly model: string;
  /** Of the model's files, or of the graph. */
  readonly digest?: string;
  readonly role?: string;
  readonly received_at: string;
  /** `ok`, or the code of the error. */
  readonly status: string;
  readonly error?: string;
  readonly degraded?: string;
  readonly cache?: string;
  /** Of the live changes that were in force; 0 is none. */
  readonly override_version: number;
  /** Those changes, as far as the history still has them. */
  readonly overrides?: readonly ExplainedOverride[];
  readonly duration_ms: {
    readonly total: number;
    readonly queue: number;
    readonly batch: number;
    readonly infer: number;
  };
  /** Rule that chose the model; `default` when none matched, absent where there is none. */
  readonly rule?: string;
  readonly rules?: readonly ExplainedRule[];
  readonly experiment?: string;
  readonly variant?: string;
  readonly phase?: number;
  readonly propensity?: number;
  /** How the arm of the experiment was found. */
  readonly assignment?: ExplainedAssignment;
  /** Steps of a graph with their times. */
  readonly graph?: StepRecord;
  /** Predictions that were nobody's answer, by output. */
  readonly observed?: JsonValue;
  /** What the shadows of the service made of the same request, as far as it is known by now. */
  readonly shadows?: readonly ExplainedShadow[];
  /** Rows of the request. */
  readonly row_count: number;
  /** What the log has of them; absent in an answer from memory. At most `EXPLAINED_ROWS_MAX`. */
  readonly rows?: readonly ExplainedRow[];
  /** Is there all that may be logged, or why not? */
  readonly payload?: string;
  /** Predictions each row stands for. */
  readonly sampled_weight?: number;
  readonly unit_hash?: string;
  readonly attributes?: JsonValue;
  /** Version of the rules of privacy. */
  readonly policy?: string;
  /** Process that answered. */
  readonly node?: string;
}

/** Why it matched or did not is left out of rows that have rules of privacy: it names values of the request. */
export type ExplainedRule = Omit<RuleExplanation, "why"> & Partial<Pick<RuleExplanation, "why">>;

export interface ExplainedRow {
  readonly row: number;
  readonly features?: JsonValue;
  readonly prediction?: JsonValue;
  readonly label?: string;
  readonly score?: number;
  readonly threshold?: number;
  readonly is_outlier?: boolean;
  readonly outlier_score?: number;
}

/** A prediction beside the answer, which nobody was given. */
export interface ExplainedShadow {
  /** Of the shadow. */
  readonly name: string;
  /** Version that predicted: `iris-rf@2`. */
  readonly model: string;
  /** `ok`, or the code of its error. */
  readonly status: string;
  readonly error?: string;
  /** From the start of the copy. */
  readonly duration_ms: number;
  /** Is it as good as the answer? Absent unless both answered. */
  readonly agreed?: boolean;
  readonly distance?: number;
  /** What differs, for people. */
  readonly difference?: string;
}

/** A live change that was in force. */
export interface ExplainedOverride {
  readonly path: string;
  readonly value: JsonValue;
  readonly version: number;
  readonly by: string;
  readonly reason: string;
}

/** Rows of one request that are shown. */
export const EXPLAINED_ROWS_MAX = 16;

/** Shadows of one request that are shown: as many as a service may have. */
export const EXPLAINED_SHADOWS_MAX = 8;

/** Rows of a prediction that were found in the log. */
export interface FoundRows {
  readonly source: Exclude<ExplanationSource, "memory">;
  /** Of one request, by row, at most `EXPLAINED_ROWS_MAX`; and the first row of each of its shadows. */
  readonly rows: readonly PredictionRow[];
}
