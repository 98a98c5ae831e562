import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import type { Attributes } from "./attributes.ts";
import type { Condition, Predicate } from "./condition.ts";
import { evaluate } from "./evaluate.ts";
import type { Verdict } from "./evaluate.ts";
import { attributesOf } from "./test-attributes.ts";
import type { TestRequest } from "./test-attributes.ts";
import { UnitCodes } from "./hash-unit.ts";
import { TimeZones } from "./time-zones.ts";

const ZONES = new TimeZones();
const UNITS = new UnitCodes();

function verdict(condition: Condition, request: TestRequest, utc = "2026-11-20T22:00Z"): Verdict {
  return evaluate(condition, attributesOf(request), {
    wallMs: Date.parse(utc),
    zones: ZONES,
    units: UNITS,
  });
}

function isMatch(condition: Condition, request: TestRequest, utc?: string): boolean {
  return verdict(condition, request, utc).isMatch;
}

const TRUE: Condition = { kind: "method", test: { kind: "exists", isThere: true } };
const FALSE: Condition = { kind: "method", test: { kind: "exists", isThere: false } };
const MISSING: Condition = { kind: "caller", test: { kind: "equals", value: "shop" } };
const INVALID: Condition = { kind: "path", test: { kind: "atLeast", bound: 1 } };

const all = (...conditions: readonly Condition[]): Condition => ({ kind: "all", conditions });
const any = (...conditions: readonly Condition[]): Condition => ({ kind: "any", conditions });
const not = (condition: Condition): Condition => ({ kind: "not", condition });

it.each<readonly [Condition, boolean]>([
  [all(), true],
  [all(TRUE), true],
  [all(FALSE), false],
  [all(TRUE, TRUE), true],
  [all(TRUE, FALSE), false],
  [all(FALSE, TRUE), false],
  [all(FALSE, FALSE), false],
  [any(), false],
  [any(TRUE), true],
  [any(FALSE), false],
  [any(TRUE, TRUE), true],
  [any(TRUE, FALSE), true],
  [any(FALSE, TRUE), true],
  [any(FALSE, FALSE), false],
  [not(TRUE), false],
  [not(FALSE), true],
  [not(not(TRUE)), true],
  [all(any(FALSE, TRUE), not(all(TRUE, FALSE))), true],
])("evaluate() of %j is %s", (condition, expected) => {
  expect(verdict(condition, {})).toEqual({ isMatch: expected, invalidCount: 0 });
});

it("evaluate() takes what is missing as plain false, also under not", () => {
  expect(verdict(MISSING, {})).toEqual({ isMatch: false, invalidCount: 0 });
  expect(verdict(not(MISSING), {})).toEqual({ isMatch: true, invalidCount: 0 });
});

it("evaluate() takes what is invalid as false, and counts it", () => {
  expect(verdict(INVALID, {})).toEqual({ isMatch: false, invalidCount: 1 });
  expect(verdict(not(INVALID), {})).toEqual({ isMatch: true, invalidCount: 1 });
  expect(verdict(any(INVALID, INVALID, TRUE), {})).toEqual({ isMatch: true, invalidCount: 2 });
});

it("evaluate() looks only as far as it needs", () => {
  expect(verdict(all(FALSE, INVALID), {}).invalidCount).toBe(0);
  expect(verdict(any(TRUE, INVALID), {}).invalidCount).toBe(0);
  const attributes: Attributes = {
    ...attributesOf({}),
    body: () => expect.fail("the body was read"),
  };
  const body: Condition = { kind: "body", path: ["a"], test: { kind: "equals", value: 1 } };
  const moment = { wallMs: 0, zones: ZONES, units: UNITS };
  expect(evaluate(all(FALSE, body), attributes, moment).isMatch).toBe(false);
});

it("evaluate() finds each kind of attribute", () => {
  const request: TestRequest = {
    method: "PUT",
    path: "/v2/models/iris/infer",
    headers: { target: "mountain", cookie: "tier=gold; lang=de" },
    query: "debug=1&lang=ko",
    body: { customer: { tier: "silver" } },
    caller: "shop",
  };
  const equals = (value: string) => ({ kind: "equals", value }) as const;
  const conditions: readonly Condition[] = [
    { kind: "method", test: equals("PUT") },
    { kind: "path", test: { kind: "prefix", prefix: "/v2" } },
    { kind: "header", name: "target", test: equals("mountain") },
    { kind: "query", name: "lang", test: equals("ko") },
    { kind: "cookie", name: "lang", test: equals("de") },
    { kind: "body", path: ["customer", "tier"], test: equals("silver") },
    { kind: "caller", test: equals("shop") },
  ];
  expect(conditions.filter((condition) => isMatch(condition, request))).toEqual(conditions);
  expect(conditions.filter((condition) => isMatch(condition, {}))).toEqual([]);
});

it("evaluate() goes by the clocks of the time's zone", () => {
  const breakfast: Condition = {
    kind: "time",
    window: {
      fromMinute: 7 * 60,
      toMinute: 11 * 60,
      timeZone: "Asia/Seoul",
      weekdays: undefined,
      fromDay: undefined,
      toDay: undefined,
    },
  };
  expect(isMatch(breakfast, {}, "2026-11-20T22:00:00Z")).toBe(true);
  expect(isMatch(breakfast, {}, "2026-11-20T21:59:59Z")).toBe(false);
});

it("evaluate() compares countries in any case, and counts what is no code", () => {
  const europe: Condition = { kind: "country", header: "x-geo-country", countries: ["DE", "FR"] };
  const from = (code: string) => verdict(europe, { headers: { "x-geo-country": code } });
  expect(from("DE")).toEqual({ isMatch: true, invalidCount: 0 });
  expect(from("fr")).toEqual({ isMatch: true, invalidCount: 0 });
  expect(from("KR")).toEqual({ isMatch: false, invalidCount: 0 });
  expect(from("Germany")).toEqual({ isMatch: false, invalidCount: 1 });
  expect(verdict(europe, {})).toEqual({ isMatch: false, invalidCount: 0 });
});

it("evaluate() finds places by their degrees, and counts what are none", () => {
  const nearBerlin: Condition = {
    kind: "area",
    latHeader: "x-lat",
    lonHeader: "x-lon",
    area: { kind: "circle", center: { lat: 52.52, lon: 13.405 }, radiusKm: 50 },
  };
  const at = (lat: string, lon: string) =>
    verdict(nearBerlin, { headers: { "x-lat": lat, "x-lon": lon } });
  expect(at("52.396", "13.058")).toEqual({ isMatch: true, invalidCount: 0 });
  expect(at("37.566", "126.978")).toEqual({ isMatch: false, invalidCount: 0 });
  for (const [lat, lon] of [
    ["90.1", "13"],
    ["52", "-180.5"],
    ["north", "13"],
    ["", ""],
    ["NaN", "13"],
  ] as const) {
    expect(at(lat, lon), `${lat} ${lon}`).toEqual({ isMatch: false, invalidCount: 1 });
  }
  expect(verdict(nearBerlin, { headers: { "x-lat": "52.396" } })).toEqual({
    isMatch: false,
    invalidCount: 0,
  });
});

function percent(share: number, salt = "rule"): Predicate {
  return { kind: "percent", share, salt };
}

it.each([0, 0.0007, 0.1, 0.5, 0.999, 1])(
  "evaluate() lets a share of %s of 100,000 units through",
  (share) => {
    const random = new TestRandom(42);
    const count = 100_000;
    let matched = 0;
    for (let i = 0; i < count; i++) {
      const unit = `user-${Math.floor(random.next() * 2 ** 40)}`;
      if (isMatch(percent(share), { unit })) matched++;
    }
    const deviation = Math.sqrt(count * share * (1 - share));
    expect(Math.abs(matched - count * share)).toBeLessThanOrEqual(4 * deviation);
  },
);

it("evaluate() of a percentage says the same for the same unit, and loses none when the share grows", () => {
  const shares = [0.02, 0.1, 0.2, 0.5, 1];
  for (let i = 0; i < 5_000; i++) {
    const unit = `user-${i}`;
    const matches = shares.map((share) => isMatch(percent(share), { unit }));
    expect(matches).toEqual(matches.toSorted((a, b) => Number(a) - Number(b)));
    expect(isMatch(percent(0.1), { unit })).toBe(matches[1]);
  }
});

it("evaluate() never throws, whatever the attributes hold", () => {
  const random = new TestRandom(Date.now() | 0);
  const values = [
    "",
    " ",
    "-0",
    "1e400",
    "\u0000",
    "é".repeat(9_000),
    "DE",
    "52.5",
    "__proto__",
  ] as const;
  const names = ["a", "cookie", "__proto__"] as const;
  const conditions: readonly Condition[] = [
    { kind: "header", name: "a", test: { kind: "below", bound: 3 } },
    { kind: "header", name: "a", test: { kind: "matches", glob: "*?" } },
    { kind: "cookie", name: "a", test: { kind: "oneOf", values: ["", null, 3] } },
    { kind: "query", name: "a", test: { kind: "atLeast", bound: 0 } },
    { kind: "body", path: ["a", 0, "__proto__"], test: { kind: "prefix", prefix: "x" } },
    { kind: "country", header: "a", countries: ["DE"] },
    {
      kind: "area",
      latHeader: "a",
      lonHeader: "a",
      area: { kind: "box", south: 0, north: 60, west: 0, east: 60 },
    },
    percent(0.5),
  ];
  for (let round = 0; round < 2_000; round++) {
    const value = random.pick(values);
    const request: TestRequest = {
      headers: { [random.pick(names)]: value },
      query: `${random.pick(names)}=${value}%`,
      body: { a: [value, { a: value }] },
      unit: value,
    };
    for (const condition of conditions) {
      const { invalidCount } = verdict(condition, request);
      if (invalidCount > 1) expect.fail(`seed ${random.seed}`);
    }
  }
  expect(conditions.length).toBeGreaterThan(0);
});
