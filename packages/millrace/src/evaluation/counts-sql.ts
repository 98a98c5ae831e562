import { GROUPS_MAX, type JoinedSql } from "./joined-sql.ts";

/** Predictions of each group and what is known of them; one group more than is evaluated, to tell that there are more. */
export function groupCountsSql({ tables, groups }: JoinedSql): string {
  return `${tables([])}
SELECT ${groups}, count(*) AS predictions, sum(w)::DOUBLE AS weight, count(delay_us) AS labelled,
  count(late.prediction_id) FILTER (delay_us IS NULL) AS late_only,
  quantile_cont(delay_us, 0.5)::DOUBLE AS delay_p50_us,
  quantile_cont(delay_us, 0.9)::DOUBLE AS delay_p90_us
FROM p
LEFT JOIN (SELECT prediction_id, delay_us FROM labelled) known USING (prediction_id)
LEFT JOIN (SELECT DISTINCT prediction_id FROM pairs WHERE came_late) late USING (prediction_id)
GROUP BY ${groups} ORDER BY labelled DESC, ${groups} LIMIT ${GROUPS_MAX + 1}`;
}

/** Labels of the period, and what can be compared with them: `numbers` of the `labelled`. */
export function labelCountsSql({ tables }: JoinedSql): string {
  return `${tables(["label", "score"])}
SELECT
  (SELECT count(*) FROM pairs) AS matched,
  (SELECT count(*) FROM pairs WHERE came_late) AS late,
  (SELECT count(*) FROM labels ANTI JOIN found USING (label_service, feedback_id)
    WHERE label_service = $1 AND about_ts >= make_timestamp($2::BIGINT)
      AND about_ts < make_timestamp($3::BIGINT)) AS unmatched,
  count(*) AS labelled,
  count(*) FILTER (label IS NULL AND score IS NOT NULL AND actual_value IS NOT NULL) AS numbers
FROM labelled`;
}
