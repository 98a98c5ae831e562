import { joinedSql } from "../evaluation/joined-sql.ts";
import { PREDICTED } from "../evaluation/predicted-sql.ts";
import { requestSql, scopeTables, unitsTable, type ExperimentScope } from "./experiment-scope.ts";
import { SqlParameters } from "./sql-parameters.ts";

/**
 * Sums over units of their labelled predictions (x) and those of them that are right (y). Predictions and labels meet as in
 * evaluations; each prediction has the whole window for its label to come, so an arm whose labels come slowly loses
 * none of them.
 */
export function labelSumsSql(
  scope: ExperimentScope,
  windowMs: number,
): { readonly sql: string; readonly parameters: SqlParameters } {
  const joined = joinedSql({
    service: scope.service,
    sinceMs: scope.sinceMs,
    untilMs: scope.nowMs - windowMs,
    windowMs,
    by: ["variant"],
    countMin: 1,
  });
  const parameters = new SqlParameters(joined.parameters);
  const experiment = parameters.text(scope.experiment);
  const columns = ["label", "score", "threshold", "experiment", "propensity"];
  const unit = scope.isByUnit ? "unit" : requestSql("prediction_id");
  const sql = `${joined.tables(columns)},
${scopeTables(scope, parameters)},
judged AS MATERIALIZED (
  SELECT hash(${unit}) AS unit, actual = ${PREDICTED} AS is_right
  FROM labelled
  WHERE experiment = ${experiment} AND propensity IS NOT NULL AND is_right IS NOT NULL),
${unitsTable(scope, "judged")},
sums AS (
  SELECT phase, arm, count(*)::DOUBLE AS x, (count(*) FILTER (is_right))::DOUBLE AS y
  FROM judged JOIN units USING (unit) GROUP BY unit, phase, arm)
SELECT phase, arm, count(*) AS units,
  sum(y) AS y, sum(x) AS x, sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
FROM sums GROUP BY phase, arm`;
  return { sql, parameters };
}
