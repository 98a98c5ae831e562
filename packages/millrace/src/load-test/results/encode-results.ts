import type { ResultFormat, StoredResult } from "./stored-result.ts";
import { writeResult } from "./write-result.ts";

/** Results in a format, a piece of text at a time. */
export async function* encodeResults(
  results: AsyncIterable<readonly StoredResult[]>,
  format: ResultFormat,
): AsyncGenerator<string> {
  for await (const piece of results) {
    if (piece.length > 0) yield piece.map((result) => writeResult(format, result)).join("");
  }
}
