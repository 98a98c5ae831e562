import { latencyClassSql } from "./latency-classes.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** What is analysed: one shadow, from `sinceMs` up to `nowMs`. */
export interface ShadowScope {
  readonly service: string;
  readonly shadow: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** Differences and errors that are told. */
const DIFFERENCES_MAX = 10;

/**
 * `pairs`: a row for each request that the shadow got, of the version it has now.
 *
 * w          requests it stands for
 * primary_us what the answer took
 * shadow_us  what it would have taken with the shadow in its place: a shadow runs behind everything else, so how long it had
 *            to wait says nothing of its model
 */
function pairsTable(scope: ShadowScope, parameters: SqlParameters): string {
  const service = parameters.text(scope.service);
  const shadow = parameters.text(scope.shadow);
  const since = parameters.time(scope.sinceMs);
  const now = parameters.time(scope.nowMs);
  return `WITH rows AS NOT MATERIALIZED (
  SELECT * FROM predictions
  WHERE role = 'shadow' AND service = ${service} AND shadow = ${shadow} AND row_index = 0
    AND ts >= ${since} AND ts < ${now}),
latest AS MATERIALIZED (
  SELECT arg_max(model, ts) AS model, arg_max(version, ts) AS version, arg_max(model_digest, ts) AS digest
  FROM rows),
pairs AS NOT MATERIALIZED (
  SELECT rows.ts, rows.model || '@' || rows.version AS model, digest, sampled_weight AS w, is_agreed,
    status = 'error' AS is_failed, primary_code <> 'ok' AS is_primary_failed,
    is_agreed IS NOT NULL AS is_compared, difference, COALESCE(error, error_code) AS error,
    primary_us, COALESCE(primary_us - primary_infer_us + infer_us, total_us) AS shadow_us
  FROM rows JOIN latest ON rows.model = latest.model AND rows.version = latest.version AND model_digest = digest)`;
}

/** One row: what the verdict is made of. No row without pairs. */
export function shadowSumsSql(scope: ShadowScope, parameters: SqlParameters): string {
  const sum = (what: string, when: string): string =>
    `COALESCE(sum(${what}) FILTER (${when}), 0)::DOUBLE`;
  const delta = "(shadow_us - primary_us)";
  return `${pairsTable(scope, parameters)}
SELECT any_value(model) AS model, any_value(digest) AS digest,
  epoch_us(min(ts)) AS first_us,
  sum(w)::DOUBLE AS w, sum(w * w)::DOUBLE AS ww,
  ${sum("w", "is_compared")} AS compared, ${sum("w * w", "is_compared")} AS compared_squares,
  ${sum("w", "is_agreed")} AS agreed,
  ${sum("w", "is_primary_failed")} AS primary_failed, ${sum("w", "is_failed")} AS shadow_failed,
  ${sum("w", "is_failed AND NOT is_primary_failed")} AS only_shadow_failed,
  ${sum("w", "is_primary_failed AND NOT is_failed")} AS only_primary_failed,
  ${sum(`w * ${delta}`, "is_compared")} AS delta_us,
  ${sum(`w * ${delta} * ${delta}::DOUBLE`, "is_compared")} AS delta_us_squares
FROM pairs HAVING count(*) > 0`;
}

/** Requests that both answered, by class of latency of each. */
export function shadowLatencySql(scope: ShadowScope, parameters: SqlParameters): string {
  return `${pairsTable(scope, parameters)}
SELECT 'primary' AS side, ${latencyClassSql("primary_us")} AS class, sum(w)::DOUBLE AS count
FROM pairs WHERE is_compared GROUP BY class
UNION ALL
SELECT 'shadow' AS side, ${latencyClassSql("shadow_us")} AS class, sum(w)::DOUBLE AS count
FROM pairs WHERE is_compared GROUP BY class`;
}

/** What differs most often, and what fails. */
export function shadowDifferencesSql(scope: ShadowScope, parameters: SqlParameters): string {
  return `${pairsTable(scope, parameters)}
SELECT is_failed, COALESCE(CASE WHEN is_failed THEN error ELSE difference END, '') AS detail,
  sum(w)::DOUBLE AS count
FROM pairs WHERE is_failed OR NOT is_agreed GROUP BY is_failed, detail
QUALIFY row_number() OVER (PARTITION BY is_failed ORDER BY count DESC, detail) <= ${DIFFERENCES_MAX}
ORDER BY is_failed, count DESC, detail`;
}
