import type { ComparedPrediction } from "../core/compare/comparison.ts";
import type { JsonValue } from "../core/json.ts";
import type { LoggedRequest } from "./logged-request.ts";

/** What was predicted for each row of a request; one for all of them where they cannot be told apart. */
export function loggedPredictions({ rows }: LoggedRequest): readonly ComparedPrediction[] {
  const [{ isPart, rowCount, prediction }] = rows;
  if (!isPart && rowCount > 1 && isListOf(prediction, rowCount)) {
    return prediction.map((value) => ({ value, label: undefined }));
  }
  return rows.map((row) => ({ value: row.prediction ?? null, label: row.label }));
}

function isListOf(value: JsonValue | undefined, length: number): value is readonly JsonValue[] {
  return Array.isArray(value) && value.length === length;
}
