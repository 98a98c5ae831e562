import type { FeedbackRow } from "./feedback-row.ts";
import { jsonLines, type JsonLine } from "./json-lines.ts";

/** The lines of a block of feedback. */
export function feedbackLines(bytes: Uint8Array): Iterable<JsonLine<FeedbackRow>> {
  return jsonLines(bytes, isRow);
}

/** What its place in the tables needs; the table leaves out what else is not of its form. */
function isRow(value: Partial<FeedbackRow>): value is FeedbackRow {
  return typeof value.received_ts === "number" && typeof value.ts === "number";
}
