/** What names a prediction of the log: `01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7`, or one of its rows with `#3` behind it. */
export interface PredictionKey {
  readonly id: string;
  /** Undefined is all of them. */
  readonly row: number | undefined;
  /** When the id was made, milliseconds since 1970-01-01 UTC: the prediction began then. */
  readonly madeAtMs: number;
}

const KEY =
  /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:#(\d{1,9}))?$/;

/** @returns undefined for what is no id of a prediction, such as that of a request. */
export function readPredictionKey(text: string): PredictionKey | undefined {
  const [whole, high, low, row] = KEY.exec(text) ?? [];
  if (whole === undefined || high === undefined || low === undefined) return undefined;
  return {
    id: text.slice(0, 36),
    row: row === undefined ? undefined : Number(row),
    madeAtMs: Number.parseInt(high + low, 16),
  };
}

/** `01992f3c-…#3` is row 3 of `01992f3c-…`. */
export function requestOf(predictionId: string): string {
  const hash = predictionId.indexOf("#");
  return hash < 0 ? predictionId : predictionId.slice(0, hash);
}
