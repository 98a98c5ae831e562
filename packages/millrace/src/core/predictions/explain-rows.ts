import { readExactJson } from "../exact-json.ts";
import type { ExplainedAssignment } from "../experiment/explain-assignment.ts";
import type { StepRecord } from "../graph/describe-trace.ts";
import type { JsonValue } from "../json.ts";
import {
  EXPLAINED_ROWS_MAX,
  type ExplainedRule,
  type Explanation,
  type ExplainedRow,
  type ExplainedShadow,
  type FoundRows,
} from "./explanation.ts";
import { knownMembers } from "./known-members.ts";
import { requestOf } from "./prediction-key.ts";
import type { PredictionRow } from "./prediction-row.ts";

/** What the log says of a prediction; the first of its rows tells what they have in common. */
export function explainRows(found: FoundRows): Explanation | undefined {
  const { source } = found;
  const rows = found.rows.filter(({ role }) => role !== "shadow");
  const [row] = rows;
  if (row === undefined) return undefined;
  const rules = parse(row.rules) as readonly ExplainedRule[] | undefined;
  return knownMembers<Explanation>({
    prediction_id: rows.length === 1 ? row.prediction_id : requestOf(row.prediction_id),
    source,
    request_id: row.request_id,
    trace_id: row.trace_id,
    service: row.service,
    endpoint: row.endpoint,
    model: row.models ?? `${row.model}@${row.version}`,
    digest: row.model_digest,
    role: row.role,
    received_at: new Date(row.ts / 1000).toISOString(),
    status: row.error_code ?? "ok",
    error: row.error,
    degraded: row.degraded,
    cache: row.cache,
    override_version: row.param_version,
    duration_ms: {
      total: row.total_us / 1000,
      queue: row.queue_us / 1000,
      batch: row.batch_us / 1000,
      infer: row.infer_us / 1000,
    },
    rule: row.route_rule ?? (rules === undefined ? undefined : "default"),
    rules,
    experiment: row.experiment,
    variant: row.variant,
    phase: row.phase,
    propensity: row.propensity,
    assignment: parse(row.assignment) as ExplainedAssignment | undefined,
    graph: parse(row.steps) as StepRecord | undefined,
    observed: parse(row.observed),
    shadows: explainShadows(found.rows),
    row_count: row.row_count,
    rows: rows.slice(0, EXPLAINED_ROWS_MAX).map(explainRow),
    payload: row.payload,
    sampled_weight: row.sampled_weight,
    unit_hash: row.unit_hash,
    attributes: parse(row.attributes),
    policy: row.policy,
    node: row.node,
  });
}

/** What a shadow says is about the whole request, and the same in each of its rows. */
function explainShadows(rows: readonly PredictionRow[]): readonly ExplainedShadow[] | undefined {
  const first = rows.filter(({ role, row_index }) => role === "shadow" && row_index === 0);
  if (first.length === 0) return undefined;
  return first.map((row) =>
    knownMembers<ExplainedShadow>({
      name: row.shadow ?? "",
      model: row.models ?? `${row.model}@${row.version}`,
      status: row.error_code ?? "ok",
      error: row.error,
      duration_ms: row.total_us / 1000,
      agreed: row.is_agreed,
      distance: row.distance,
      difference: row.difference,
    }),
  );
}

function explainRow(row: PredictionRow): ExplainedRow {
  return knownMembers<ExplainedRow>({
    row: row.row_index,
    features: parse(row.features),
    prediction: parse(row.prediction),
    label: row.label,
    score: row.score,
    threshold: row.threshold,
    is_outlier: row.is_outlier,
    outlier_score: row.outlier_score,
  });
}

/** @param text undefined also where an older file lacks the column. @returns the text itself where it is no JSON. */
function parse(text: string | null | undefined): JsonValue | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    return readExactJson(text);
  } catch {
    return text;
  }
}
