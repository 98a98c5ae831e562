/**
 * The label a prediction says, of a row with `actual`. Where it has none and what was right is true or false, its score is
 * a probability and says it, by the service's threshold or 0.5.
 */
export const PREDICTED = `COALESCE(label, CASE WHEN actual IN ('true', 'false')
      THEN CAST(score >= COALESCE(threshold, 0.5) AS VARCHAR) END)`;
