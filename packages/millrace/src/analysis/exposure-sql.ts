import { scopeTables, type ExperimentScope } from "./experiment-scope.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** One row for each arm of each phase, those included that the experiment has not any more. */
export function phasesSql(scope: ExperimentScope, parameters: SqlParameters): string {
  return `WITH ${scopeTables(scope, parameters)}
SELECT phase, variant, max(propensity) AS propensity,
  epoch_us(min(ts)) AS first_us, epoch_us(max(ts)) AS last_us
FROM exposed GROUP BY phase, variant ORDER BY phase, variant`;
}

/**
 * Units of each arm of each phase, and how many of them were exposed so long ago: `matured_0`, … `arm` is 0 of units that
 * were in several arms.
 */
export function unitCountsSql(
  scope: ExperimentScope,
  windowsMs: readonly number[],
  parameters: SqlParameters,
): string {
  const known = 2 ** scope.arms.length - 1;
  const matured = windowsMs.map(
    (windowMs, index) =>
      `count(*) FILTER (first_ts <= ${parameters.time(scope.nowMs - windowMs)}) AS matured_${index}`,
  );
  return `WITH ${scopeTables(scope, parameters)},
units AS (
  SELECT min(ts) AS first_ts, min(phase) AS phase, bit_or(arm) AS arms
  FROM exposed GROUP BY unit)
SELECT ${["phase", `CASE WHEN bit_count(arms & ${known}) > 1 THEN 0 ELSE arms END AS arm`, "count(*) AS units", ...matured].join(", ")}
FROM units GROUP BY phase, arm ORDER BY phase, arm`;
}
