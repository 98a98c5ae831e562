import type { EvaluationRequest } from "./evaluation-request.ts";
import { groupSql } from "./group-sql.ts";

/** Groups that are evaluated: those with the most labelled predictions. */
export const GROUPS_MAX = 100;

/** Ids are made a moment after the time that is logged. */
const ID_LAG = "INTERVAL 1 MINUTE";

/** Microseconds as parameters, cast where they stand, so that they are constants to whoever plans the query. */
const SINCE = "make_timestamp($2::BIGINT)";
const UNTIL = "make_timestamp($3::BIGINT)";
const WINDOW = "to_microseconds($4::BIGINT)";

/** Predictions that answered somebody. */
const ANSWERED = "service = $1 AND status = 'ok' AND role IN ('primary', 'fallback', 'cache')";

/** The common part of all queries of an evaluation. */
export interface JoinedSql {
  /**
   * `WITH …`: the tables of `joinedSql`.
   * @param columns of `predictions` that the query needs beside id, time, weight `w` and group.
   */
  readonly tables: (columns: readonly string[]) => string;
  /** Names of the group's columns: `g0, g1`. */
  readonly groups: string;
  readonly parameters: readonly (string | number)[];
}

/**
 * Predictions and their labels.
 *
 * p         predictions of the period that answered somebody
 * labels    labels, each once, however often it was sent
 * found     labels with the prediction they are about: by id, or by unit the last prediction at or before them
 * pairs     those of predictions of the period
 * labelled  of each prediction its latest label in the window
 * top       the groups with the most labelled predictions
 *
 * A row of several has the id `<id>#<row>`; one alone is known by `<id>#0` too. What is compared is never made of the ids of
 * all predictions, only of those of the labels: a join of millions of rows then costs one look at each.
 */
export function joinedSql(request: EvaluationRequest): JoinedSql {
  const { service, sinceMs, untilMs, windowMs, by } = request;
  const groups = by.map((_, index) => `g${index}`).join(", ");
  const { expressions, parameters } = groupSql(by, 5);
  const groupColumns = expressions.map((sql, index) => `${sql} AS g${index}`).join(", ");
  const answers = (columns: readonly string[]): string =>
    ["prediction_id", "ts", "sampled_weight AS w", ...columns, groupColumns].join(", ");
  const tables = (columns: readonly string[]): string => `WITH
answers AS NOT MATERIALIZED (
  SELECT ${answers(columns)}, unit_hash AS unit, row_count = 1 AS is_single
  FROM predictions WHERE ${ANSWERED}),
p AS NOT MATERIALIZED (SELECT * FROM answers WHERE ts >= ${SINCE} AND ts < ${UNTIL}),
labels AS MATERIALIZED (
  SELECT service AS label_service, feedback_id, prediction_id AS about_id, unit_hash AS about_unit,
    ts AS label_ts, received_ts, label AS actual, value AS actual_value,
    COALESCE(${idTime("prediction_id")}, ts) AS about_ts
  FROM feedback
  WHERE kind = 'label' AND received_ts >= ${SINCE} - ${ID_LAG}
    AND (service = $1 OR prediction_id IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY service, feedback_id ORDER BY received_ts) = 1),
keys AS NOT MATERIALIZED (
  SELECT *, about_id AS key, contains(about_id, '#') AS is_row FROM labels
  UNION ALL
  SELECT *, left(about_id, -2), false FROM labels WHERE ends_with(about_id, '#0')),
found AS MATERIALIZED (
  SELECT keys.* EXCLUDE (key, is_row), answers.*
  FROM keys JOIN answers ON key = prediction_id AND (is_row OR is_single)
  WHERE ts >= ${SINCE} - ${ID_LAG} AND ts < ${UNTIL} + ${ID_LAG}
  UNION ALL BY NAME
  SELECT units.*, latest.*
  FROM (SELECT * FROM labels WHERE about_id IS NULL) units
  ASOF JOIN (
    SELECT * FROM answers
    WHERE is_single AND ts >= ${SINCE} - ${WINDOW} AND ts < ${UNTIL} + ${WINDOW}
      AND unit IN (SELECT about_unit FROM labels WHERE about_id IS NULL)) latest
  ON about_unit = unit AND label_ts >= ts
  WHERE label_ts <= ts + ${WINDOW}),
pairs AS NOT MATERIALIZED (
  SELECT *, received_ts > ts + ${WINDOW} AS came_late FROM found
  WHERE ts >= ${SINCE} AND ts < ${UNTIL}),
labelled AS MATERIALIZED (
  SELECT *, epoch_us(received_ts) - epoch_us(ts) AS delay_us FROM pairs WHERE NOT came_late
  QUALIFY row_number() OVER (PARTITION BY prediction_id
    ORDER BY label_ts DESC, received_ts DESC, feedback_id DESC) = 1),
top AS MATERIALIZED (
  SELECT ${groups} FROM labelled GROUP BY ${groups}
  ORDER BY count(*) DESC, ${groups} LIMIT ${GROUPS_MAX})`;
  const window = windowMs * 1_000;
  const values = [service, sinceMs * 1_000, untilMs * 1_000, window, ...parameters];
  return { tables, groups, parameters: values };
}

/** When the prediction was asked for, as its UUIDv7 says; null for other UUIDs. */
function idTime(id: string): string {
  const hex = `'0x' || substr(${id}, 1, 8) || substr(${id}, 10, 4)`;
  const us = `1000 * TRY_CAST(${hex} AS BIGINT)`;
  return `CASE WHEN substr(${id}, 15, 1) = '7' THEN make_timestamp(${us}) END`;
}
