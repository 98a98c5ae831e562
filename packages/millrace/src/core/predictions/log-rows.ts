import { shortElementJson, shortNestedJson, shortRowJson } from "../tensor/short-json.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LogFacts, LoggedPrediction, PredictionSummary } from "./logged-prediction.ts";
import type { PredictionRow } from "./prediction-row.ts";
import { summaryOf } from "./prediction-summary.ts";

/** A request of more rows is one row of the table, which has them as arrays. */
export const EXPANDED_ROWS_MAX = 1_024;

const NO_FACTS: LogFacts = {};
const NO_SUMMARY: PredictionSummary = { labels: undefined, scores: undefined };

/**
 * The rows of the table `predictions` that a record is: one for each row of the request, `<id>#<row>` where there are
 * several; one for all of them where inputs or outputs cannot be told apart by row, or there are too many.
 * @param node process that logged it.
 */
export function rowsOf(record: LoggedPrediction, node: string): PredictionRow[] {
  const { rowCount, outputs, context, facts: factsJson } = record;
  const facts = factsJson === "" ? NO_FACTS : (JSON.parse(factsJson) as LogFacts);
  const summary =
    record.summary ?? (outputs === undefined ? NO_SUMMARY : summaryOf(outputs, context));
  const source = { record, facts, summary, node };
  if (!isExpanded(record)) return [rowOf(source, undefined)];
  return Array.from({ length: rowCount }, (_, row) => rowOf(source, row));
}

/** Rows of the table that `rowsOf` makes of a record. */
export function rowCountOf(record: LoggedPrediction): number {
  const { rowCount } = record;
  return rowCount !== 1 && isExpanded(record) ? rowCount : 1;
}

/** Is it a row of the table for each row of the request? */
export function isExpanded({ rowCount, inputs, outputs }: LoggedPrediction): boolean {
  const isByRow = areByRow(inputs, rowCount) && areByRow(outputs, rowCount);
  return isByRow && rowCount >= 1 && rowCount <= EXPANDED_ROWS_MAX;
}

function areByRow(tensors: readonly Tensor[] | undefined, rowCount: number): boolean {
  return tensors === undefined || tensors.every(({ shape }) => shape[0] === rowCount);
}

interface RowSource {
  readonly record: LoggedPrediction;
  readonly facts: LogFacts;
  readonly summary: PredictionSummary;
  readonly node: string;
}

/** @param row undefined for all of them in one. */
function rowOf(
  { record, facts, summary, node }: RowSource,
  row: number | undefined,
): PredictionRow {
  const { context, inputs, outputs, rowCount } = record;
  return {
    ts: record.receivedUs,
    prediction_id:
      row === undefined || rowCount === 1 ? record.predictionId : `${record.predictionId}#${row}`,
    request_id: orNull(record.requestId),
    trace_id: orNull(record.traceId),
    service: context.service,
    endpoint: context.endpoint,
    model: context.model,
    version: context.version,
    model_digest: context.digest,
    models: orNull(facts.models),
    role: context.role,
    experiment: orNull(context.experiment),
    variant: orNull(context.variant),
    phase: orNull(context.phase),
    propensity: orNull(facts.propensity),
    unit_hash: orNull(record.unitHash),
    route_rule: orNull(context.rule),
    param_version: context.overrideVersion,
    status: record.errorCode === undefined ? "ok" : "error",
    error_code: orNull(record.errorCode),
    error: orNull(facts.error),
    degraded: orNull(facts.degraded),
    cache: orNull(facts.cache),
    queue_us: record.queueUs,
    batch_us: record.batchUs,
    infer_us: record.inferUs,
    total_us: record.totalUs,
    row_index: row ?? 0,
    row_count: rowCount,
    input_schema_ver: context.inputSchema,
    features: inputs === undefined ? null : featuresJson(inputs, context.columns, row),
    prediction:
      outputs === undefined ? null : predictionJson(outputs, context.predictionOutputs, row),
    label: orNull(ofRow(summary.labels, row)),
    score: finite(ofRow(summary.scores, row)),
    threshold: orNull(context.threshold),
    is_outlier: orNull(record.isOutlier),
    outlier_score: finite(record.outlierScore),
    attributes: jsonOf(facts.attributes),
    payload: record.payload,
    payload_ref: null,
    sampled_weight: record.weight,
    policy: context.policy === "" ? null : context.policy,
    steps: jsonOf(facts.steps),
    rules: jsonOf(facts.rules),
    observed: jsonOf(facts.observed),
    assignment: jsonOf(facts.assignment),
    shadow: orNull(context.shadow),
    ...comparisonColumns(facts.comparison),
    node,
  };
}

/** Of what was compared with an answer. */
function comparisonColumns(comparison: LogFacts["comparison"]) {
  return {
    is_agreed: orNull(comparison?.isAgreed),
    distance: finite(comparison?.distance),
    difference: orNull(comparison?.difference),
    primary_model: orNull(comparison?.primaryModel),
    primary_code: orNull(comparison?.primaryCode),
    primary_us: orNull(comparison?.primaryUs),
    primary_infer_us: orNull(comparison?.primaryInferUs),
  };
}

function featuresJson(
  inputs: readonly Tensor[],
  columns: Readonly<Record<string, readonly string[]>>,
  row: number | undefined,
): string {
  let json = "{";
  for (const input of inputs) {
    const names = row === undefined ? undefined : columns[input.name];
    const size = input.data.length / (input.shape[0] ?? 1);
    if (json !== "{") json += ",";
    if (row === undefined || names?.length !== size) {
      json += `${JSON.stringify(input.name)}:${tensorJson(input, row)}`;
      continue;
    }
    for (let i = 0; i < size; i++) {
      if (i > 0) json += ",";
      json += `${JSON.stringify(names[i])}:${shortElementJson(input, row * size + i)}`;
    }
  }
  return `${json}}`;
}

/** As `/predict` answers it; outputs that are not the prediction only where nothing else was asked for. */
function predictionJson(
  outputs: readonly Tensor[],
  names: readonly string[],
  row: number | undefined,
): string {
  const only = names.length === 1 ? outputs.find(({ name }) => name === names[0]) : undefined;
  if (only !== undefined) return tensorJson(only, row);
  const isPart = outputs.some(({ name }) => names.includes(name));
  const shown = isPart ? names : outputs.map(({ name }) => name);
  const members = shown.map((name) => {
    const output = outputs.find((tensor) => tensor.name === name);
    return `${JSON.stringify(name)}:${output === undefined ? "null" : tensorJson(output, row)}`;
  });
  return `{${members.join(",")}}`;
}

function tensorJson(tensor: Tensor, row: number | undefined): string {
  return row === undefined ? shortNestedJson(tensor) : shortRowJson(tensor, row);
}

/** Of all rows in one only where there is one. */
function ofRow<T>(values: readonly T[] | undefined, row: number | undefined): T | undefined {
  if (row !== undefined) return values?.[row];
  return values?.length === 1 ? values[0] : undefined;
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}

/** JSON has no other numbers. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
