import { CALIBRATION_BINS } from "../core/stats/calibration.ts";
import { PROBABILITY_MIN } from "../core/stats/probability-scores.ts";
import type { JoinedSql } from "./joined-sql.ts";
import { PREDICTED } from "./predicted-sql.ts";

/** How far the sum of what are probabilities may be from 1: they are printed with as many digits as FP32 has. */
const SUM_TOLERANCE = 0.001;

/** Adds `compared`: labelled predictions with `actual` and `predicted` as texts. */
function withCompared({ tables, groups }: JoinedSql, columns: readonly string[]): string {
  return `${tables(["label", "score", "threshold", ...columns])},
compared AS NOT MATERIALIZED (
  SELECT *, label IS NULL AS is_binary,
    ${PREDICTED} AS predicted
  FROM labelled SEMI JOIN top USING (${groups})
  WHERE predicted IS NOT NULL AND NOT (starts_with(actual, '[') AND json_valid(actual)))`;
}

/** One row for each pair of labels in each group. */
export function confusionSql(joined: JoinedSql): string {
  const { groups } = joined;
  return `${withCompared(joined, [])}
SELECT ${groups}, actual, predicted, count(*) AS count, sum(w)::DOUBLE AS weight,
  sum(w * w)::DOUBLE AS weight_squares
FROM compared GROUP BY ${groups}, actual, predicted
ORDER BY ${groups}, actual, predicted`;
}

/**
 * One row for each bin of confidence in each group. Which element of a prediction belongs to which label is learned from
 * one prediction of each label: its largest element. Where the label that was right was never predicted, its
 * probability is not known, and the row is in the calibration but has no log loss and no Brier score.
 */
export function probabilitiesSql(joined: JoinedSql): string {
  const { groups } = joined;
  const clipped = `least(1 - ${PROBABILITY_MIN}, greatest(${PROBABILITY_MIN}, of_actual))`;
  return `${withCompared(joined, ["model", "version", "prediction"])},
classes AS MATERIALIZED (
  SELECT model, version, name, list_position(sample, list_max(sample)) AS place
  FROM (SELECT model, version, label AS name, TRY_CAST(any_value(prediction) AS DOUBLE[]) AS sample
    FROM p WHERE label IS NOT NULL GROUP BY model, version, label)
  WHERE len(sample) > 1),
probable AS NOT MATERIALIZED (
  SELECT *, CASE WHEN is_binary THEN [1 - score, score]
    ELSE TRY_CAST(prediction AS DOUBLE[]) END AS probabilities
  FROM compared),
scores AS NOT MATERIALIZED (
  SELECT ${groups}, w, list_max(probabilities) AS confidence, actual = predicted AS is_right,
    probabilities[CASE WHEN is_binary THEN 1 + (actual = 'true')::INTEGER ELSE place END] AS of_actual,
    list_sum(list_transform(probabilities, lambda x: x * x)) AS squares,
    len(probabilities) = 2 AS is_halved
  FROM probable LEFT JOIN classes
    ON probable.model = classes.model AND probable.version = classes.version AND name = actual
  WHERE len(probabilities) > 1 AND list_min(probabilities) >= 0 AND list_count(probabilities) = len(probabilities)
    AND abs(list_sum(probabilities) - 1) <= ${SUM_TOLERANCE}),
losses AS NOT MATERIALIZED (
  SELECT *, CASE WHEN of_actual IS NOT NULL THEN -ln(${clipped}) END AS loss,
    (squares - 2 * of_actual + 1) / CASE WHEN is_halved THEN 2 ELSE 1 END AS brier
  FROM scores)
SELECT ${groups}, least(${CALIBRATION_BINS} - 1, floor(confidence * ${CALIBRATION_BINS}))::INTEGER AS bin,
  count(*) AS count, sum(w)::DOUBLE AS weight, sum(w * w)::DOUBLE AS weight_squares,
  sum(w * confidence)::DOUBLE AS confidence, COALESCE(sum(w) FILTER (is_right), 0)::DOUBLE AS right,
  count(loss) AS scored, COALESCE(sum(w) FILTER (loss IS NOT NULL), 0)::DOUBLE AS scored_weight,
  COALESCE(sum(w * w) FILTER (loss IS NOT NULL), 0)::DOUBLE AS scored_weight_squares,
  COALESCE(sum(w * loss), 0)::DOUBLE AS loss, COALESCE(sum(w * loss * loss), 0)::DOUBLE AS loss_squares,
  COALESCE(sum(w * brier), 0)::DOUBLE AS brier,
  COALESCE(sum(w * brier * brier), 0)::DOUBLE AS brier_squares
FROM losses GROUP BY ${groups}, bin ORDER BY ${groups}, bin`;
}
