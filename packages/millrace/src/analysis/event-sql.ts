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
  const rows = metrics.map(({ source, windowMs, lookbackMs }, index) => {
    const after = parameters.span(windowMs);
    const before = parameters.span(lookbackMs ?? 0);
    return `(${index}, ${parameters.text(source.event)}, ${after}, ${before})`;
  });
  const longest = Math.max(...metrics.map(({ lookbackMs }) => lookbackMs ?? 0));
  const since = parameters.time(scope.sinceMs - longest);
  const now = parameters.time(scope.nowMs);
  const service = parameters.text(scope.service);
  const y = metrics.map(({ source }, index) => `WHEN ${index} THEN ${AFTER[source.aggregate]}`);
  const x = metrics.map(({ source }, index) => `WHEN ${index} THEN ${BESIDE[source.aggregate]}`);
  return `WITH ${tables},
metrics(metric, event, after, before) AS (VALUES ${rows.join(", ")}),
reported AS MATERIALIZED (
  SELECT event, ts, received_ts, value, service = ${service} AS is_ours,
    hash(unit_hash) AS unit, unit_hash IS NULL AS is_of_request, ${requestSql("prediction_id")} AS request
  FROM feedback
  WHERE kind = 'event' AND event IN (SELECT event FROM metrics)
    AND received_ts >= ${since} AND received_ts < ${now}
    AND (service = ${service} OR prediction_id IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY hash(service, feedback_id) ORDER BY received_ts) = 1),
events AS MATERIALIZED (${eventsSql(scope, since, parameters)}),
${unitsTable(scope, "events")},
outcomes AS (
  SELECT any_value(phase) AS phase, any_value(arm) AS arm, metric,
    count(*) FILTER (ts >= first_ts) AS events, count(value) FILTER (ts >= first_ts) AS values,
    sum(value) FILTER (ts >= first_ts) AS total,
    count(*) FILTER (ts < first_ts) AS events_before, sum(value) FILTER (ts < first_ts) AS total_before
  FROM events JOIN units USING (unit) JOIN metrics USING (event)
  WHERE first_ts <= ${now} - after AND received_ts <= first_ts + after
    AND ts <= first_ts + after AND ts >= first_ts - before
  GROUP BY metric, unit),
sums AS (
  SELECT metric, phase, arm,
    COALESCE(CASE metric ${y.join(" ")} END, 0)::DOUBLE AS y,
    COALESCE(CASE metric ${x.join(" ")} END, 0)::DOUBLE AS x
  FROM outcomes)
SELECT metric, phase, arm, count(*) AS units,
  sum(y) AS y, sum(x) AS x, sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
FROM sums GROUP BY metric, phase, arm`;
}

type Aggregate = EventMetric["source"]["aggregate"];

const AFTER: Readonly<Record<Aggregate, string>> = {
  converted: "(events > 0)::INTEGER",
  count: "events",
  sum: "total",
  average: "total",
};

const BESIDE: Readonly<Record<Aggregate, string>> = {
  converted: "(events_before > 0)::INTEGER",
  count: "events_before",
  sum: "total_before",
  average: "values",
};

/**
 * An event of a prediction is of the unit of that prediction, in the experiment already or not yet; but not where the request
 * had named another arm than control, which only tests do.
 */
function eventsSql(scope: ExperimentScope, since: string, parameters: SqlParameters): string {
  const columns = "event, ts, received_ts, value";
  if (!scope.isByUnit) {
    return `SELECT hash(request) AS unit, ${columns} FROM reported WHERE request IS NOT NULL`;
  }
  const service = parameters.text(scope.service);
  const experiment = parameters.text(scope.experiment);
  const control = parameters.text(scope.control);
  const isNamed = `experiment = ${experiment} AND propensity IS NULL AND variant <> ${control}`;
  return `
  SELECT unit, ${columns} FROM reported WHERE NOT is_of_request AND is_ours
  UNION ALL
  SELECT answered.unit, ${columns} FROM reported JOIN (
    SELECT ${requestSql("prediction_id")} AS request, ${unitSql(scope)} AS unit FROM predictions
    WHERE service = ${service} AND unit_hash IS NOT NULL AND row_index = 0
      AND role IN ('primary', 'fallback', 'cache') AND ts >= ${since}
      AND (${isNamed}) IS NOT TRUE) answered USING (request)
  WHERE is_of_request`;
}
