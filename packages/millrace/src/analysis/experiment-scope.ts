import type { SqlParameters } from "./sql-parameters.ts";

/** What is analysed: one experiment, from `sinceMs` up to `nowMs`. */
export interface ExperimentScope {
  readonly service: string;
  readonly experiment: string;
  /** Names; at most 16. */
  readonly arms: readonly string[];
  /** One of them. */
  readonly control: string;
  /** Are requests of units, or does each draw for itself? */
  readonly isByUnit: boolean;
  /** Units of earlier phases take no part any longer, and what they did does not count. */
  readonly phaseMin: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** Bit of arms that the experiment has not any more. */
const OTHER_ARM = 1 << 16;

/**
 * `exposed`: the exposures, and `requests`: the predictions of requests that take part, of several rows the first. What
 * something else answered is a failure of the arm: whoever asks for it alone does not have that something.
 *
 * unit   64 bits of a hash: of ten million units two are taken for one in one analysis of 300,000, and it takes a third of the
 *        memory of the text
 * arm    1, 2, 4, … in the order of the arms, so that `bit_or(arm)` says in which a unit was
 */
export function scopeTables(scope: ExperimentScope, parameters: SqlParameters): string {
  const service = parameters.text(scope.service);
  const experiment = parameters.text(scope.experiment);
  const since = parameters.time(scope.sinceMs);
  const now = parameters.time(scope.nowMs);
  const phase = parameters.integer(scope.phaseMin);
  const among = `service = ${service} AND experiment = ${experiment} AND phase >= ${phase} AND ts >= ${since} AND ts < ${now}`;
  const whens = scope.arms.map((arm, index) => `WHEN ${parameters.text(arm)} THEN ${1 << index}`);
  const arm = `CASE variant ${whens.join(" ")} ELSE ${OTHER_ARM} END AS arm`;
  const unit = `${unitSql(scope)} AS unit`;
  return `exposed AS NOT MATERIALIZED (
  SELECT ${unit}, ts, phase, variant, ${arm}, propensity
  FROM exposures WHERE ${among}),
requests AS NOT MATERIALIZED (
  SELECT ${unit}, ts, phase, ${arm}, status = 'error' OR role = 'fallback' AS is_error, total_us
  FROM predictions
  WHERE ${among} AND propensity IS NOT NULL AND row_index = 0
    AND role IN ('primary', 'fallback', 'cache'))`;
}

/** Of `exposures` and `predictions`. */
export function unitSql({ isByUnit }: Pick<ExperimentScope, "isByUnit">): string {
  // Ids of predictions are read only where they are the unit: of millions of rows they are most of the bytes. Rows of before
  // the experiment had units are one unit together, which was in several arms.
  return isByUnit ? "hash(unit_hash)" : `hash(${requestSql("prediction_id")})`;
}

/** The request of `<id>#<row>`. */
export function requestSql(predictionId: string): string {
  return `split_part(${predictionId}, '#', 1)`;
}

/**
 * `units`: those of another table, with their first exposure; a unit that was in several arms is not among them.
 * @param among table with a column `unit`; without it all of them.
 */
export function unitsTable({ arms }: ExperimentScope, among: string): string {
  const known = 2 ** arms.length - 1;
  return `units AS (
  SELECT unit, min(ts) AS first_ts, min(phase) AS phase, bit_or(arm) AS arm
  FROM exposed WHERE unit IN (SELECT unit FROM ${among})
  GROUP BY unit HAVING bit_count(arm) = 1 AND arm & ${known} > 0)`;
}
