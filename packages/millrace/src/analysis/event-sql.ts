import type { MetricConfig } from "../config/experiment-config.ts";
import {
  requestSql,
  scopeTables,
  unitsTable,
  unitSql,
  type ExperimentScope,
} from "./experiment-scope.ts";
import type { SqlParameters } from "./sql-parameters.ts";

export type EventMetric = MetricConfig & {
  readonly source: { readonly kind: "event" };
};

/**
 * Sums over the units that have events, one row for each metric, phase and arm: units without any count as 0, and only
 * their number is needed.
 *
 * reported  events, each once, however often it was sent
 * events    with the unit they are of: theirs, or that of their prediction
 * outcomes  what each matured unit counts as by each metric, after its first exposure (y) and beside it (x): before it, or
 *           of an average the number of values. What came later than the window is late, as in evaluations: what a unit
 *           counts as does not change once it is matured, however slowly one arm's events come.
 */
export function eventSumsSql(
  scope: ExperimentScope,
  metrics: readonly (EventMetric & { readonly windowMs: number })[],
  parameters: SqlParameters,
): string {
  const tables = scopeTables(scope, parameters);
  const rows = metrics.map(({ source, windowMs, lookbackMs }, index) =>
    [
      String(index),
      parameters.text(source.event),
      `'${source.aggregate}'`,
      parameters.span(windowMs),
      parameters.span(lookbackMs ?? 0),
    ].join(", "),
  );
  const longest = Math.max(...metrics.map(({ lookbackMs }) => lookbackMs ?? 0));
  const since = parameters.time(scope.sinceMs - longest);
  const now = parameters.time(scope.nowMs);
  const service = parameters.text(scope.service);
  return `WITH ${tables},
metrics(metric, event, aggregate, after, before) AS (VALUES ${rows.map((row) => `(${row})`).join(", ")}),
reported AS MATERIALIZED (
  SELECT service, event, ts, received_ts, value, unit_hash, ${requestSql("prediction_id")} AS request
  FROM feedback
  WHERE kind = 'event' AND event IN (SELECT event FROM metrics)
    AND received_ts >= ${since} AND received_ts < ${now}
    AND (service = ${service} OR prediction_id IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY service, feedback_id ORDER BY received_ts) = 1),
events AS MATERIALIZED (${eventsSql(scope, since, parameters)}),
${unitsTable(scope, "events")},
outcomes AS (
  SELECT metric, aggregate, phase, arm,
    count(*) FILTER (ts >= first_ts) AS events, count(value) FILTER (ts >= first_ts) AS values,
    COALESCE(sum(value) FILTER (ts >= first_ts), 0) AS total,
    count(*) FILTER (ts < first_ts) AS events_before,
    COALESCE(sum(value) FILTER (ts < first_ts), 0) AS total_before
  FROM events JOIN metrics USING (event) JOIN units USING (unit)
  WHERE first_ts <= ${now} - after AND received_ts <= first_ts + after
    AND ts <= first_ts + after AND ts >= first_ts - before
  GROUP BY metric, aggregate, unit, phase, arm),
sums AS (
  SELECT metric, phase, arm,
    (${ofAggregate("events", "total")})::DOUBLE AS y,
    CASE aggregate WHEN 'average' THEN values ELSE ${ofAggregate("events_before", "total_before")} END::DOUBLE AS x
  FROM outcomes)
SELECT metric, phase, arm, count(*) AS units,
  sum(y) AS y, sum(x) AS x, sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
FROM sums GROUP BY metric, phase, arm`;
}

/** An event of a prediction is of the unit of that prediction, in the experiment already or not yet. */
function eventsSql(scope: ExperimentScope, since: string, parameters: SqlParameters): string {
  const columns = "event, ts, received_ts, value";
  if (!scope.isByUnit) {
    return `SELECT hash(request) AS unit, ${columns} FROM reported WHERE request IS NOT NULL`;
  }
  const service = parameters.text(scope.service);
  return `
  SELECT hash(unit_hash) AS unit, ${columns} FROM reported
  WHERE unit_hash IS NOT NULL AND service = ${service}
  UNION ALL
  SELECT unit, ${columns} FROM reported JOIN (
    SELECT ${requestSql("prediction_id")} AS request, ${unitSql(scope)} AS unit FROM predictions
    WHERE service = ${service} AND unit_hash IS NOT NULL AND row_index = 0
      AND role IN ('primary', 'fallback', 'cache') AND ts >= ${since}) answered USING (request)
  WHERE reported.unit_hash IS NULL`;
}

function ofAggregate(count: string, total: string): string {
  return `CASE aggregate WHEN 'converted' THEN (${count} > 0)::DOUBLE WHEN 'count' THEN ${count} ELSE ${total} END`;
}
