import type { JsonValue } from "../json.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes } from "./attributes.ts";
import type { Condition, Predicate } from "./condition.ts";
import { isTrue, outcomeFor } from "./evaluate.ts";
import type { Moment } from "./evaluate.ts";
import { hashUnit } from "./hash-unit.ts";
import { HIDDEN, isHidden, percentText, predicateText } from "./predicate-text.ts";
import { localTimeText } from "./time-window.ts";

/** Elements of a tensor that are shown. */
const SHOWN_ELEMENTS_MAX = 4;

/** Longer texts of a request are cut. */
const SHOWN_LENGTH_MAX = 60;

/**
 * Why a condition holds for a request or does not: a line for each part, with what was found, parts of parts indented.
 *
 * ```
 * false: all of
 *   true: header target equals "mountain", found "mountain"
 *   false: time 07:00 to 11:00 Asia/Seoul, found sat 2026-11-21 12:04
 * ```
 *
 * Looks at every part, also at those that `evaluate` need not look at, so it may cost more. Values of the headers
 * `authorization`, `proxy-authorization` and `cookie`, and of cookies, are not shown.
 */
export function explainCondition(
  condition: Condition,
  attributes: Attributes,
  moment: Moment,
): string {
  return linesOf(condition, attributes, moment).join("\n");
}

function linesOf(condition: Condition, attributes: Attributes, moment: Moment): readonly string[] {
  const result = String(isTrue(condition, attributes, moment, { invalidCount: 0 }));
  switch (condition.kind) {
    case "all":
    case "any": {
      const parts = condition.conditions.flatMap((part) => linesOf(part, attributes, moment));
      return [`${result}: ${condition.kind} of`, ...indented(parts)];
    }
    case "not":
      return [`${result}: not`, ...indented(linesOf(condition.condition, attributes, moment))];
    default: {
      const found = foundText(condition, attributes, moment);
      return [`${result}: ${predicateText(condition)}, ${found}`];
    }
  }
}

function foundText(predicate: Predicate, attributes: Attributes, moment: Moment): string {
  const outcome = outcomeFor(predicate, attributes, moment);
  const found = `found ${valueTextOf(predicate, attributes, moment)}`;
  return outcome === "invalid" ? `${found}, which is invalid` : found;
}

function valueTextOf(predicate: Predicate, attributes: Attributes, moment: Moment): string {
  switch (predicate.kind) {
    case "input":
      return tensorText(attributes.input?.(predicate.name));
    case "percent": {
      const hash = hashUnit(predicate.salt, attributes.unit);
      return `unit ${shown(attributes.unit)} at ${percentText(hash)}`;
    }
    case "time":
      return localTimeText(moment.zones.localMs(predicate.window.timeZone, moment.wallMs));
    case "country":
      return shown(attributes.header(predicate.header));
    case "area": {
      const { latHeader, lonHeader } = predicate;
      return `${shown(attributes.header(latHeader))}, ${shown(attributes.header(lonHeader))}`;
    }
    default: {
      const value = valueOf(predicate, attributes);
      return value !== undefined && isHidden(predicate) ? HIDDEN : shown(value);
    }
  }
}

type ValuePredicate = Exclude<
  Extract<Predicate, { readonly test: unknown }>,
  { readonly kind: "input" }
>;

function valueOf(predicate: ValuePredicate, attributes: Attributes): JsonValue | undefined {
  switch (predicate.kind) {
    case "header":
      return attributes.header(predicate.name);
    case "query":
      return attributes.query(predicate.name);
    case "cookie":
      return attributes.cookie(predicate.name);
    case "body":
      return attributes.body(predicate.path);
    default:
      return attributes[predicate.kind];
  }
}

/** `"cat", "dog"`, `0.9, 0.1, 0.3, 0.2 and 996 more`. */
function tensorText(tensor: Tensor | undefined): string {
  if (tensor === undefined || tensor.data.length === 0) return "nothing";
  const { datatype, data } = tensor;
  const first = Array.from(
    data.slice(0, SHOWN_ELEMENTS_MAX) as ArrayLike<string | number | bigint>,
  );
  const texts = first.map((element) => shown(datatype === "BOOL" ? element === 1 : element));
  const more = data.length - first.length;
  return more === 0 ? texts.join(", ") : `${texts.join(", ")} and ${more} more`;
}

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "an object";
  }
  if (typeof value !== "string") return String(value);
  const isLong = value.length > SHOWN_LENGTH_MAX;
  const text = JSON.stringify(isLong ? value.slice(0, SHOWN_LENGTH_MAX) : value);
  return isLong ? `${text}…` : text;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
