import { writeExactJson } from "../exact-json.ts";
import type { JsonValue } from "../json.ts";
import { checkText, NOT_UNICODE } from "./check-text.ts";
import type { FeedbackProblems, Place } from "./feedback-problems.ts";

/** Attributes of one entry. */
const NAMES_MAX = 64;

/** Characters of an attribute's name. */
const NAME_LENGTH_MAX = 128;

/** Characters of the JSON of all attributes of one entry. */
const JSON_LENGTH_MAX = 8 * 1024;

/**
 * The members of an entry that Millrace knows nothing of.
 * @returns their JSON; undefined when there are none, or after it has noted what is wrong with them.
 */
export function attributesJson(
  members: readonly (readonly [name: string, value: JsonValue])[],
  place: Place,
  problems: FeedbackProblems,
): string | undefined {
  if (members.length === 0) return undefined;
  if (members.length > NAMES_MAX) {
    const message = `found ${members.length} attributes, expected at most ${NAMES_MAX}`;
    return problems.add(place, "range", message);
  }
  for (const [name, value] of members) {
    const at = [...place, name.slice(0, NAME_LENGTH_MAX)];
    checkText(name, NAME_LENGTH_MAX, { place: at, problems });
    if (!isWellFormed(value)) problems.add(at, "text", NOT_UNICODE);
  }
  const text = writeExactJson(Object.fromEntries(members));
  if (text.length <= JSON_LENGTH_MAX) return text;
  const message = `found attributes of ${text.length} characters of JSON, expected at most ${JSON_LENGTH_MAX}`;
  return problems.add(place, "range", message);
}

/** JSON can escape halves of characters, which no other format can write. */
function isWellFormed(value: JsonValue): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, part]) => name.isWellFormed() && isWellFormed(part));
}
