import type { Redaction } from "../../core/predictions/redaction.ts";
import { readExactJson, writeExactJson } from "../../core/exact-json.ts";
import type { JsonValue } from "../../core/json.ts";
import { redactValue } from "../../core/predictions/redaction.ts";

export type Redactions = Readonly<Record<string, Redaction>>;

/**
 * Does to the attributes of feedback what `log.redact` says of fields of these names.
 * @param attributes JSON of an object.
 * @param hashed keyed hash of a text.
 * @returns JSON; undefined when nothing is left.
 */
export function redactAttributes(
  attributes: string | undefined,
  redact: Redactions,
  hashed: (text: string) => string,
): string | undefined {
  if (attributes === undefined) return undefined;
  const members = Object.entries(readExactJson(attributes) as Readonly<Record<string, JsonValue>>);
  if (!members.some(([name]) => Object.hasOwn(redact, name))) return attributes;
  const kept = members.flatMap(([name, value]) => {
    const redaction = Object.hasOwn(redact, name) ? redact[name] : undefined;
    const left = redaction === undefined ? value : redactValue(value, redaction, hashed);
    return left === undefined ? [] : [[name, left] as const];
  });
  return kept.length === 0 ? undefined : writeExactJson(Object.fromEntries(kept));
}
