import { writeCsvResult } from "./result-csv.ts";
import { writeJsonResult } from "./result-json.ts";
import type { ResultFormat, StoredResult } from "./stored-result.ts";

/** A result as a line of a results file, with its end. */
export function writeResult(format: ResultFormat, result: StoredResult): string {
  return format === "csv" ? writeCsvResult(result) : writeJsonResult(result);
}
