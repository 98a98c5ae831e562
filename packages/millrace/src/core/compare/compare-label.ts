import type { JsonValue } from "../json.ts";
import { classOf } from "./class-of.ts";
import type { Comparator, Comparison } from "./comparison.ts";
import { membersOf } from "./members-of.ts";
import { at } from "./value-pairs.ts";

/**
 * Agreed when both name the same class: by their labels where both have one, else by the largest score, else by the
 * text or the whole number that they are. Of several outputs each has to.
 */
export const compareLabel: Comparator = (reference, other) => {
  if (reference.label !== undefined && other.label !== undefined) {
    return outcome(reference.label, other.label, "");
  }
  return compareClasses(reference.value, other.value);
};

function compareClasses(reference: JsonValue, other: JsonValue): Comparison {
  const members = membersOf(reference);
  const others = membersOf(other);
  for (const [name, value] of members) {
    const found = others.find(([member]) => member === name);
    if (found === undefined) return { isAgreed: false, detail: at(name, "missing") };
    const comparison = outcome(classOf(value), classOf(found[1]), name);
    if (!comparison.isAgreed) return comparison;
  }
  return { isAgreed: true };
}

function outcome(
  reference: string | undefined,
  other: string | undefined,
  place: string,
): Comparison {
  if (reference === undefined || other === undefined) {
    return { isAgreed: false, detail: at(place, "a single score names no class") };
  }
  if (reference === other) return { isAgreed: true };
  return { isAgreed: false, detail: at(place, `${reference} → ${other}`) };
}
