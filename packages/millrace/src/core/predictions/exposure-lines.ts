import type { ExposureRow } from "./exposure-row.ts";
import { jsonLines, type JsonLine } from "./json-lines.ts";

/** The lines of a block of exposures. */
export function exposureLines(bytes: Uint8Array): Iterable<JsonLine<ExposureRow>> {
  return jsonLines(bytes, isRow);
}

/** What its place in the tables needs; the table leaves out what else is not of its form. */
function isRow(value: Partial<ExposureRow>): value is ExposureRow {
  return typeof value.ts === "number";
}
