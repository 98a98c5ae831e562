import type { EvaluationRequest } from "./evaluation-request.ts";
import { groupSql } from "./group-sql.ts";

/** Groups that are evaluated: those with the most predictions. */
export const GROUPS_MAX = 100;

/** Ids are made a moment after the time that is logged. */
const ID_LAG = "INTERVAL 1 MINUTE";

/** Microseconds as parameters, cast where they stand, so that they are constants to whoever plans the query. */
const SINCE = "make_timestamp($2::BIGINT)";
const UNTIL = "make_timestamp($3::BIGINT)";
const WINDOW = "to_microseconds($4::BIGINT)";

/** The common part of all queries of an evaluation. */
export interface JoinedSql {
  /** `WITH …`: the tables `p`, `labelled`, `pairs`, `labels`, `top`. */
  readonly tables: string;
  /** Names of the group's columns: `g0, g1`. */
  readonly groups: string;
  readonly parameters: readonly (string | number)[];
}

/**
 * Predictions and their labels.
 *
 * p         predictions of the period that answered somebody: row_id, group, weight
 * labels    labels, each once, however often it was sent
 * pairs     which label is about which prediction of the period: by id, or by unit the last prediction at or before it
 * labelled  of each prediction its latest label in the window
 * top       the groups with the most predictions
 *
 * A row of several has the id `<id>#<row>`; one alone is known by both forms.
 */
export function joinedSql(request: EvaluationRequest): JoinedSql {
  const { service, sinceMs, untilMs, windowMs, by } = request;
  const groups = by.map((_, index) => `g${index}`).join(", ");
  const { expressions, parameters } = groupSql(by, 5);
  const groupColumns = expressions.map((sql, index) => `${sql} AS g${index}`).join(", ");
  const tables = `WITH
answers AS NOT MATERIALIZED (
  SELECT *, ${rowId("prediction_id")} AS row_id, row_count = 1 AS is_single, sampled_weight AS w
  FROM predictions
  WHERE service = $1 AND status = 'ok' AND role IN ('primary', 'fallback', 'cache')),
p AS NOT MATERIALIZED (
  SELECT *, ${groupColumns} FROM answers WHERE ts >= ${SINCE} AND ts < ${UNTIL}),
labels AS MATERIALIZED (
  SELECT *, ${rowId("prediction_id")} AS row_id, contains(prediction_id, '#') AS is_row,
    COALESCE(${idTime("prediction_id")}, ts) AS about_ts
  FROM feedback
  WHERE kind = 'label' AND received_ts >= ${SINCE} - ${ID_LAG}
    AND (service = $1 OR prediction_id IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY service, feedback_id ORDER BY received_ts) = 1),
found AS MATERIALIZED (
  SELECT labels.service, feedback_id, answers.row_id, answers.ts AS predicted_ts
  FROM labels JOIN answers ON labels.row_id = answers.row_id AND (is_row OR is_single)
  WHERE answers.ts >= ${SINCE} - ${ID_LAG} AND answers.ts < ${UNTIL} + ${ID_LAG}
  UNION ALL
  SELECT units.service, units.feedback_id, latest.row_id, latest.ts
  FROM (SELECT * FROM labels WHERE prediction_id IS NULL) units
  ASOF JOIN (
    SELECT row_id, ts, unit_hash FROM answers
    WHERE unit_hash IS NOT NULL AND is_single
      AND ts >= ${SINCE} - ${WINDOW} AND ts < ${UNTIL} + ${WINDOW}) latest
  ON units.unit_hash = latest.unit_hash AND units.ts >= latest.ts
  WHERE units.ts <= latest.ts + ${WINDOW}),
pairs AS MATERIALIZED (
  SELECT found.row_id AS predicted_row, predicted_ts, labels.ts, received_ts, feedback_id, label, value,
    received_ts > predicted_ts + ${WINDOW} AS came_late
  FROM found JOIN labels USING (service, feedback_id)
  WHERE predicted_ts >= ${SINCE} AND predicted_ts < ${UNTIL}),
labelled AS MATERIALIZED (
  SELECT predicted_row AS row_id, label AS actual, value AS actual_value,
    epoch_us(received_ts) - epoch_us(predicted_ts) AS delay_us
  FROM pairs WHERE NOT came_late
  QUALIFY row_number() OVER (PARTITION BY predicted_row
    ORDER BY ts DESC, received_ts DESC, feedback_id DESC) = 1),
top AS MATERIALIZED (
  SELECT ${groups} FROM p GROUP BY ${groups} ORDER BY count(*) DESC, ${groups} LIMIT ${GROUPS_MAX})`;
  const window = windowMs * 1_000;
  const values = [service, sinceMs * 1_000, untilMs * 1_000, window, ...parameters];
  return { tables, groups, parameters: values };
}

function rowId(id: string): string {
  return `CASE WHEN contains(${id}, '#') THEN ${id} ELSE ${id} || '#0' END`;
}

/** When the prediction was asked for, as its UUIDv7 says; null for other UUIDs. */
function idTime(id: string): string {
  const hex = `'0x' || substr(${id}, 1, 8) || substr(${id}, 10, 4)`;
  const us = `1000 * TRY_CAST(${hex} AS BIGINT)`;
  return `CASE WHEN substr(${id}, 15, 1) = '7' THEN make_timestamp(${us}) END`;
}
