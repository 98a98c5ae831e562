import { JsonReader } from "../json-reader.ts";
import type { JsonValue } from "../json.ts";
import type { FeedbackEntry } from "./feedback-entry.ts";
import { FeedbackProblems, type Place } from "./feedback-problems.ts";
import { readEntry } from "./read-entry.ts";

/** Entries of one list. */
export const FEEDBACK_ENTRIES_MAX = 1_000;

/** What one request brings. */
export interface Feedback {
  readonly entries: readonly FeedbackEntry[];
  /** Was it a list? Then the answer is one too. */
  readonly isList: boolean;
}

/**
 * Reads the body of a feedback request: one object, or a list of them.
 * @param nowMs milliseconds since 1970: what claims to be of tomorrow is refused.
 * @throws INVALID_JSON; INVALID_BODY with every place that is wrong.
 */
export function readFeedback(bytes: Uint8Array, nowMs: number): Feedback {
  const reader = new JsonReader(bytes);
  const value = reader.readValue();
  reader.end();
  return checkFeedback(value, nowMs, ["body"]);
}

/**
 * The same of a value that has been read.
 * @param place where it stands, for the problems.
 * @throws INVALID_BODY with every place that is wrong.
 */
export function checkFeedback(value: JsonValue, nowMs: number, place: Place): Feedback {
  const problems = new FeedbackProblems();
  const isList = Array.isArray(value);
  const written: readonly JsonValue[] = isList ? (value as readonly JsonValue[]) : [value];
  if (written.length === 0 || written.length > FEEDBACK_ENTRIES_MAX) {
    const message = `found ${written.length} entries, expected 1 to ${FEEDBACK_ENTRIES_MAX}`;
    problems.add(place, "range", message);
    problems.throwIfAny();
  }
  const entries: FeedbackEntry[] = [];
  for (const [index, each] of written.entries()) {
    if (problems.isFull) break;
    const at = isList ? [...place, index] : place;
    const entry = readEntry(each, { nowMs, place: at, problems });
    if (entry !== undefined) entries.push(entry);
  }
  problems.throwIfAny();
  return { entries, isList };
}
