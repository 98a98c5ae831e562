import { latencyClassSql } from "./latency-classes.ts";
import { scopeTables, type ExperimentScope } from "./experiment-scope.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** Requests of each phase and arm by class of latency. */
export function requestLatencySql(scope: ExperimentScope, parameters: SqlParameters): string {
  return `WITH ${scopeTables(scope, parameters)}
SELECT phase, arm, ${latencyClassSql("total_us")} AS class, count(*) AS count,
  count(*) FILTER (is_error) AS errors, epoch_us(max(ts)) AS last_us
FROM requests GROUP BY phase, arm, class`;
}

export interface RequestSumsOptions {
  /** A request that took longer is slow. */
  readonly slowUs: number;
  /** Only one of so many units is summed, a power of two; 1 takes all. */
  readonly oneOf: number;
}

/**
 * Sums over units for `errors` and `slow`, each by the requests of the unit. Units tell their arm and phase themselves: to
 * look them up among the exposures would double the time. Those that were in several arms are left out.
 */
export function requestSumsSql(
  scope: ExperimentScope,
  { slowUs, oneOf }: RequestSumsOptions,
  parameters: SqlParameters,
): string {
  const slow = parameters.integer(slowUs);
  const known = 2 ** scope.arms.length - 1;
  const products = ["x", "e", "s"]
    .map((a) => `sum(${a})::DOUBLE AS ${a}, sum(${a} * ${a})::DOUBLE AS ${a}${a}`)
    .join(", ");
  return `WITH ${scopeTables(scope, parameters)},
units AS (
  SELECT min(phase) AS phase, bit_or(arm) AS arm, count(*) AS x,
    count(*) FILTER (is_error) AS e, count(*) FILTER (total_us > ${slow}) AS s
  FROM requests WHERE unit % ${oneOf} = 0 GROUP BY unit
  HAVING bit_count(arm) = 1 AND arm & ${known} > 0)
SELECT phase, arm, count(*) AS units, ${products},
  sum(x * e)::DOUBLE AS xe, sum(x * s)::DOUBLE AS xs
FROM units GROUP BY phase, arm`;
}
