import type { JoinedSql } from "./joined-sql.ts";

/** The sums of `RegressionSums`, one row for each group. */
export function regressionSql({ tables, groups }: JoinedSql): string {
  return `${tables(["label", "score"])},
compared AS NOT MATERIALIZED (
  SELECT ${groups}, w, actual_value, score - actual_value AS e
  FROM labelled SEMI JOIN top USING (${groups})
  WHERE label IS NULL AND score IS NOT NULL AND actual_value IS NOT NULL),
centred AS NOT MATERIALIZED (
  SELECT *, actual_value - sum(w * actual_value) OVER same / sum(w) OVER same AS d
  FROM compared WINDOW same AS (PARTITION BY ${groups}))
SELECT ${groups}, count(*) AS count, sum(w)::DOUBLE AS weight, sum(w * w)::DOUBLE AS weight_squares,
  sum(w * e)::DOUBLE AS error, sum(w * abs(e))::DOUBLE AS absolute, sum(w * e * e)::DOUBLE AS square,
  sum(w * e * e * e * e)::DOUBLE AS fourth, sum(w * d * d)::DOUBLE AS spread,
  sum(w * d * d * d * d)::DOUBLE AS spread_fourth, sum(w * e * e * d * d)::DOUBLE AS cross
FROM centred GROUP BY ${groups} ORDER BY ${groups}`;
}
