import type { Condition, Predicate } from "../core/rules/condition.ts";
import type { JsonPath } from "../core/rules/attributes.ts";
import { MINUTES_PER_DAY } from "../core/rules/time-window.ts";
import type { TimeWindow } from "../core/rules/time-window.ts";
import type { Scalar, ValueTest } from "../core/rules/value-test.ts";
import type { Area } from "../core/rules/area.ts";
import { ratioOf } from "./schema-condition.ts";
import type { WrittenCondition } from "./schema-condition.ts";
import type { WrittenPlace } from "./schema-place.ts";
import type { WrittenTimeWindow } from "./schema-time-window.ts";
import type { WrittenValueTest } from "./schema-value-test.ts";

const DAY_MS = MINUTES_PER_DAY * 60_000;

/**
 * A condition as it is evaluated. What stands in one object is looked at in a fixed order, the body last.
 *
 * @param salt of percentages that have none; a name that other rules do not have, so that 10 % of one rule are not the
 *   10 % of the other.
 */
export function resolveCondition(written: WrittenCondition, salt: string): Condition {
  const { all, any, not } = written;
  const nested: Condition[] = [];
  if (all !== undefined) nested.push(...all.map((part) => resolveCondition(part, salt)));
  if (any !== undefined) {
    nested.push({ kind: "any", conditions: any.map((part) => resolveCondition(part, salt)) });
  }
  if (not !== undefined) nested.push({ kind: "not", condition: resolveCondition(not, salt) });
  return joined([...predicatesOf(written, salt), ...nested]);
}

function joined(conditions: readonly Condition[]): Condition {
  const [only, second] = conditions;
  return only !== undefined && second === undefined ? only : { kind: "all", conditions };
}

function predicatesOf(written: WrittenCondition, salt: string): readonly Predicate[] {
  const { method, path, caller, header, query, cookie, place, time, percent, body, input } =
    written;
  const methodTests = method === undefined ? [] : textTests(method);
  return [
    ...methodTests.map((test) => ({ kind: "method", test }) as const),
    ...textTests(path).map((test) => ({ kind: "path", test }) as const),
    ...textTests(caller).map((test) => ({ kind: "caller", test }) as const),
    ...namedTests("header", header).map((it) => ({ ...it, name: it.name.toLowerCase() })),
    ...namedTests("query", query),
    ...namedTests("cookie", cookie),
    ...(place === undefined ? [] : placePredicates(place)),
    ...(time === undefined ? [] : [{ kind: "time", window: windowOf(time) } as const]),
    ...(percent === undefined ? [] : [percentPredicate(percent, salt)]),
    ...bodyPredicates(body),
    ...inputPredicates(input),
  ];
}

type NamedPredicate = Extract<Predicate, { readonly kind: "header" | "query" | "cookie" }>;

function namedTests(
  kind: NamedPredicate["kind"],
  tests: Readonly<Record<string, WrittenValueTest>> = {},
): readonly NamedPredicate[] {
  return Object.entries(tests).flatMap(([name, written]) =>
    textTests(written).map((test) => ({ kind, name, test })),
  );
}

function bodyPredicates(tests: WrittenCondition["body"] = {}): readonly Predicate[] {
  return Object.entries(tests).flatMap(([name, written]) =>
    testsOf(written).map((test) => ({ kind: "body", path: pathOf(name), test }) as const),
  );
}

function inputPredicates(tests: WrittenCondition["input"] = {}): readonly Predicate[] {
  return Object.entries(tests).flatMap(([name, written]) =>
    testsOf(written).map((test) => ({ kind: "input", name, test }) as const),
  );
}

/** `items.0.price` → items, 0, price. */
function pathOf(text: string): JsonPath {
  return text.split(".").map((key) => (/^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : key));
}

/** Tests of what is always a text: a number or a boolean that it shall equal is meant as it is written. */
function textTests(written: WrittenValueTest | undefined): readonly ValueTest[] {
  if (written === undefined) return [];
  return testsOf(written).map((test) => {
    if (test.kind === "equals") return { kind: "equals", value: String(test.value) };
    if (test.kind === "oneOf") return { kind: "oneOf", values: test.values.map(String) };
    return test;
  });
}

function testsOf(written: WrittenValueTest): readonly ValueTest[] {
  if (Array.isArray(written)) return [{ kind: "oneOf", values: written as readonly Scalar[] }];
  if (typeof written !== "object") return [{ kind: "equals", value: written }];
  const { equals, oneOf, prefix, matches, exists } = written;
  const tests: ValueTest[] = [];
  if (exists !== undefined) tests.push({ kind: "exists", isThere: exists });
  if (equals !== undefined) tests.push({ kind: "equals", value: equals });
  if (oneOf !== undefined) tests.push({ kind: "oneOf", values: oneOf });
  if (prefix !== undefined) tests.push({ kind: "prefix", prefix });
  if (matches !== undefined) tests.push({ kind: "matches", glob: matches });
  for (const kind of ["atLeast", "atMost", "above", "below"] as const) {
    const bound = written[kind];
    if (bound !== undefined) tests.push({ kind, bound });
  }
  return tests;
}

function percentPredicate(
  percent: NonNullable<WrittenCondition["percent"]>,
  ruleSalt: string,
): Predicate {
  const isBare = typeof percent !== "object";
  const { share, salt = ruleSalt } = isBare ? { share: percent } : percent;
  return { kind: "percent", share: ratioOf(share), salt };
}

function windowOf({ from, to, timeZone, ...days }: WrittenTimeWindow): TimeWindow {
  return {
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
    timeZone,
    weekdays: days.weekdays,
    fromDay: days.fromDate === undefined ? undefined : dayOf(days.fromDate),
    toDay: days.toDate === undefined ? undefined : dayOf(days.toDate),
  };
}

/** `07:30` → 450. */
function minuteOf(time: string): number {
  const [hours, minutes] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** `2026-12-31` → days since 1970-01-01. */
function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS;
}

function placePredicates(place: WrittenPlace): readonly Predicate[] {
  const { country, box, circle, polygon } = place;
  const latHeader = place.latHeader.toLowerCase();
  const lonHeader = place.lonHeader.toLowerCase();
  const predicates: Predicate[] = [];
  if (country !== undefined) {
    const countries = [country].flat().map((code) => code.toUpperCase());
    predicates.push({ kind: "country", header: place.header.toLowerCase(), countries });
  }
  const areas: Area[] = [];
  if (box !== undefined) areas.push({ kind: "box", ...box });
  if (circle !== undefined) {
    const { km: radiusKm, ...center } = circle;
    areas.push({ kind: "circle", center, radiusKm });
  }
  if (polygon !== undefined) areas.push({ kind: "polygon", corners: polygon });
  for (const area of areas) predicates.push({ kind: "area", latHeader, lonHeader, area });
  return predicates;
}
