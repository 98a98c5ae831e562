import type { PredictionRole } from "./logged-prediction.ts";

/** A row of the table `predictions`: the columns of `LOG_COLUMNS.predictions`, null where there is nothing to say. */
export interface PredictionRow {
  /** Microseconds since 1970-01-01 UTC. */
  readonly ts: number;
  readonly prediction_id: string;
  readonly request_id: string | null;
  readonly trace_id: string | null;
  readonly service: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: string;
  readonly model_digest: string;
  readonly models: string | null;
  readonly role: PredictionRole;
  readonly experiment: string | null;
  readonly variant: string | null;
  readonly phase: number | null;
  readonly propensity: number | null;
  readonly unit_hash: string | null;
  readonly route_rule: string | null;
  readonly param_version: number;
  readonly status: "ok" | "error";
  readonly error_code: string | null;
  readonly error: string | null;
  readonly degraded: string | null;
  readonly cache: string | null;
  readonly queue_us: number;
  readonly batch_us: number;
  readonly infer_us: number;
  readonly total_us: number;
  readonly row_index: number;
  readonly row_count: number;
  readonly input_schema_ver: string;
  /** JSON */
  readonly features: string | null;
  /** JSON */
  readonly prediction: string | null;
  readonly label: string | null;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly is_outlier: boolean | null;
  readonly outlier_score: number | null;
  /** JSON */
  readonly attributes: string | null;
  readonly payload: string;
  readonly payload_ref: string | null;
  readonly sampled_weight: number;
  readonly policy: string | null;
  /** JSON */
  readonly steps: string | null;
  /** JSON */
  readonly rules: string | null;
  /** JSON */
  readonly observed: string | null;
  /** JSON */
  readonly assignment: string | null;
  readonly shadow: string | null;
  readonly is_agreed: boolean | null;
  readonly distance: number | null;
  readonly difference: string | null;
  readonly primary_model: string | null;
  readonly primary_code: string | null;
  readonly primary_us: number | null;
  readonly primary_infer_us: number | null;
  readonly node: string;
}
