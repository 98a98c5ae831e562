import type { ComparedPrediction, Comparator, Comparison } from "./comparison.ts";

/** Rows of a request that agree when all of them do, and are as far apart as those that are farthest. */
export function compareRows(
  compare: Comparator,
  references: readonly ComparedPrediction[],
  others: readonly ComparedPrediction[],
): Comparison {
  if (references.length !== others.length) {
    const detail = `found ${others.length} rows, expected ${references.length}`;
    return { isAgreed: false, detail };
  }
  return combineRows(
    references.map((reference, row) => compare(reference, others[row] as ComparedPrediction)),
  );
}

/** @param rows one comparison a row. */
export function combineRows(rows: readonly Comparison[]): Comparison {
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) return only;
  let distance: number | undefined;
  let differing: Comparison | undefined;
  for (const row of rows) {
    if (row.distance !== undefined) distance = Math.max(distance ?? 0, row.distance);
    if (!row.isAgreed) differing ??= row;
  }
  const measure = distance === undefined ? {} : { distance };
  if (differing === undefined) return { isAgreed: true, ...measure };
  const { detail } = differing;
  return { isAgreed: false, ...measure, ...(detail === undefined ? {} : { detail }) };
}
