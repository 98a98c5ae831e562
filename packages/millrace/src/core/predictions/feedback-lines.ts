import type { FeedbackRow } from "./feedback-row.ts";

/** A line of a block of feedback. */
export interface FeedbackLine {
  readonly text: string;
  /** Undefined when it is no row. */
  readonly row: FeedbackRow | undefined;
}

/** The lines of a block of feedback, one at a time: their rows are many times as large. */
export function* feedbackLines(bytes: Uint8Array): Iterable<FeedbackLine> {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .split("\n");
  for (const text of lines) if (text !== "") yield { text, row: rowIfPossible(text) };
}

function rowIfPossible(line: string): FeedbackRow | undefined {
  try {
    const row = JSON.parse(line) as Partial<FeedbackRow> | null;
    return typeof row?.received_ts === "number" && typeof row.ts === "number"
      ? (row as FeedbackRow)
      : undefined;
  } catch {
    return undefined;
  }
}
