import type { JsonValue } from "../json.ts";

/** Values of two predictions that stand at the same place. */
export interface ValuePair {
  readonly reference: JsonValue;
  readonly other: JsonValue;
  /** `[0][2]`, `label`; empty for a prediction that is one value. */
  readonly place: string;
}

/**
 * The single values of two predictions, side by side.
 * @returns why they cannot be laid side by side: one has other members, or more of them.
 */
export function valuePairs(
  reference: JsonValue,
  other: JsonValue,
): readonly ValuePair[] | { readonly mismatch: string } {
  const pairs: ValuePair[] = [];
  const mismatch = collect({ reference, other, place: "" }, pairs);
  return mismatch === undefined ? pairs : { mismatch };
}

function collect(pair: ValuePair, pairs: ValuePair[]): string | undefined {
  const { reference, other, place } = pair;
  if (isList(reference) || isList(other)) {
    if (!isList(reference) || !isList(other)) return kinds(pair);
    if (reference.length !== other.length) {
      return at(place, `found ${other.length} values, expected ${reference.length}`);
    }
    return firstMismatch(reference.length, (i) =>
      collect(
        {
          reference: reference[i] as JsonValue,
          other: other[i] as JsonValue,
          place: `${place}[${i}]`,
        },
        pairs,
      ),
    );
  }
  if (!isObject(reference) && !isObject(other)) {
    pairs.push(pair);
    return undefined;
  }
  if (!isObject(reference) || !isObject(other)) return kinds(pair);
  return collectMembers({ reference, other, place }, pairs);
}

function collectMembers(
  { reference, other, place }: { reference: JsonObject; other: JsonObject; place: string },
  pairs: ValuePair[],
): string | undefined {
  const names = Object.keys(reference);
  const extra = Object.keys(other).find((name) => !Object.hasOwn(reference, name));
  if (extra !== undefined) return at(place, `found "${extra}", which was not there`);
  return firstMismatch(names.length, (i) => {
    const name = names[i] as string;
    if (!Object.hasOwn(other, name)) return at(place, `"${name}" is missing`);
    const inside = place === "" ? name : `${place}.${name}`;
    return collect(
      { reference: reference[name] as JsonValue, other: other[name] as JsonValue, place: inside },
      pairs,
    );
  });
}

function firstMismatch(
  count: number,
  look: (index: number) => string | undefined,
): string | undefined {
  for (let i = 0; i < count; i++) {
    const mismatch = look(i);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kinds({ reference, other, place }: ValuePair): string {
  return at(place, `found ${kindOf(other)}, expected ${kindOf(reference)}`);
}

function kindOf(value: JsonValue): string {
  if (isList(value)) return "several values";
  return isObject(value) ? "an object" : "one value";
}

/** `[2]: found …`; the text alone for the whole. */
export function at(place: string, text: string): string {
  return place === "" ? text : `${place}: ${text}`;
}
