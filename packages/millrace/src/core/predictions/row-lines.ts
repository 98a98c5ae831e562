import type { LoggedPrediction } from "./logged-prediction.ts";
import { rowsOf } from "./log-rows.ts";

/** The rows of a record as lines of JSON, each with its line feed. */
export function rowLines(record: LoggedPrediction, node: string): string {
  let lines = "";
  for (const row of rowsOf(record, node)) lines += `${JSON.stringify(row)}\n`;
  return lines;
}
