import { writeExactJson } from "../exact-json.ts";
import type { JsonValue } from "../json.ts";
import { checkText } from "./check-text.ts";
import { describeValue } from "./describe-value.ts";
import type { FeedbackReport } from "./feedback-entry.ts";
import type { FeedbackProblems, Place } from "./feedback-problems.ts";

/** Characters of a label. */
const LABEL_LENGTH_MAX = 1_024;

/** Elements of a label that is a list. */
const LABEL_ELEMENTS_MAX = 100;

type Scalar = string | number | bigint | boolean;

/** @returns undefined after it has noted what is wrong with it. */
export function readLabel(
  label: JsonValue,
  place: Place,
  problems: FeedbackProblems,
): Extract<FeedbackReport, { kind: "label" }> | undefined {
  if (Array.isArray(label)) return readList(label as readonly JsonValue[], place, problems);
  const text = scalarText(label, place, problems);
  if (text === undefined) return undefined;
  const isNumber = typeof label === "number" || typeof label === "bigint";
  return { kind: "label", text, value: isNumber ? Number(label) : undefined };
}

function readList(
  elements: readonly JsonValue[],
  place: Place,
  problems: FeedbackProblems,
): Extract<FeedbackReport, { kind: "label" }> | undefined {
  const { length } = elements;
  if (length === 0 || length > LABEL_ELEMENTS_MAX) {
    const message = `found ${length} elements, expected 1 to ${LABEL_ELEMENTS_MAX}`;
    return problems.add(place, "range", message);
  }
  const texts = elements.map((element, index) => scalarText(element, [...place, index], problems));
  if (texts.includes(undefined)) return undefined;
  return { kind: "label", text: writeExactJson(elements), value: undefined };
}

/** The label as the log has it: true is `true`, 7 is `7`. */
function scalarText(
  value: JsonValue,
  place: Place,
  problems: FeedbackProblems,
): string | undefined {
  if (!isScalar(value)) {
    const expected = "expected a text, a number, true or false, or a list of them";
    return problems.add(place, "type", `found ${describeValue(value)}, ${expected}`);
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    return problems.add(place, "range", "found a number beyond all doubles, expected a finite one");
  }
  if (typeof value !== "string") return String(value);
  return checkText(value, LABEL_LENGTH_MAX, { place, problems });
}

function isScalar(value: JsonValue): value is Scalar {
  return value !== null && typeof value !== "object";
}
