import { expect, it } from "vitest";
import type { Condition } from "./condition.ts";
import { explainCondition } from "./explain-condition.ts";
import { attributesOf } from "./test-attributes.ts";
import type { TestRequest } from "./test-attributes.ts";
import type { TimeWindow } from "./time-window.ts";
import { UnitCodes } from "./hash-unit.ts";
import { TimeZones } from "./time-zones.ts";
import type { ValueTest } from "./value-test.ts";

const ZONES = new TimeZones();
const UNITS = new UnitCodes();

function explain(condition: Condition, request: TestRequest): string {
  const wallMs = Date.parse("2026-11-21T03:04:00Z");
  return explainCondition(condition, attributesOf(request), { wallMs, zones: ZONES, units: UNITS });
}

const BREAKFAST: TimeWindow = {
  fromMinute: 7 * 60,
  toMinute: 11 * 60,
  timeZone: "Asia/Seoul",
  weekdays: undefined,
  fromDay: undefined,
  toDay: undefined,
};

const MOUNTAIN: Condition = {
  kind: "header",
  name: "target",
  test: { kind: "equals", value: "mountain" },
};

it("explainCondition() shows the tree with what was found", () => {
  const condition: Condition = {
    kind: "all",
    conditions: [
      MOUNTAIN,
      { kind: "not", condition: { kind: "any", conditions: [MOUNTAIN] } },
      { kind: "time", window: BREAKFAST },
    ],
  };
  expect(explain(condition, { headers: { target: "mountain" } })).toBe(
    [
      "false: all of",
      '  true: header target equals "mountain", found "mountain"',
      "  false: not",
      "    true: any of",
      '      true: header target equals "mountain", found "mountain"',
      "  false: time 07:00 to 11:00 Asia/Seoul, found sat 2026-11-21 12:04",
    ].join("\n"),
  );
});

it("explainCondition() tells missing from invalid", () => {
  const adult: Condition = { kind: "query", name: "age", test: { kind: "atLeast", bound: 18 } };
  expect(explain(adult, {})).toBe("false: query age is at least 18, found nothing");
  expect(explain(adult, { query: "age=old" })).toBe(
    'false: query age is at least 18, found "old", which is invalid',
  );
  expect(explain(adult, { query: "age=17" })).toBe('false: query age is at least 18, found "17"');
});

it.each<readonly [ValueTest, string]>([
  [{ kind: "equals", value: null }, "equals null"],
  [{ kind: "oneOf", values: ["a", 1, true] }, 'is "a", 1 or true'],
  [{ kind: "oneOf", values: ["a"] }, 'is "a"'],
  [{ kind: "prefix", prefix: "a" }, 'begins with "a"'],
  [{ kind: "matches", glob: "a*" }, 'matches "a*"'],
  [{ kind: "exists", isThere: true }, "exists"],
  [{ kind: "exists", isThere: false }, "does not exist"],
  [{ kind: "atMost", bound: 1.5 }, "is at most 1.5"],
  [{ kind: "above", bound: 0 }, "is above 0"],
  [{ kind: "below", bound: -1 }, "is below -1"],
])("explainCondition() words the test %j as %s", (test, words) => {
  expect(explain({ kind: "caller", test }, {})).toContain(`: caller ${words}, found nothing`);
});

it("explainCondition() shows values of the body in short", () => {
  const body: Condition = {
    kind: "body",
    path: ["items", 0],
    test: { kind: "exists", isThere: true },
  };
  const found = (item: unknown) => explain(body, { body: { items: [item as never] } });
  expect(found("x".repeat(100))).toBe(`true: body items.0 exists, found "${"x".repeat(60)}"…`);
  expect(found(2n ** 60n)).toContain("found 1152921504606846976");
  expect(found(false)).toContain("found false");
  expect(found(null)).toContain("found null");
  expect(found([1])).toContain("found a list");
  expect(found({ a: 1 })).toContain("found an object");
});

it("explainCondition() words percentages, days and places", () => {
  expect(explain({ kind: "percent", share: 0.105, salt: "seed" }, { unit: "a" })).toBe(
    'true: 10.5 % by salt "seed", found unit "a" at 5.05 %',
  );
  const window: TimeWindow = {
    ...BREAKFAST,
    fromMinute: 0,
    toMinute: 1440,
    weekdays: ["sat", "sun"],
    fromDay: Date.parse("2026-11-01") / 86_400_000,
    toDay: Date.parse("2026-11-30") / 86_400_000,
  };
  expect(explain({ kind: "time", window }, {})).toBe(
    "true: time all day Asia/Seoul, on sat, sun, since 2026-11-01, until 2026-11-30, found sat 2026-11-21 12:04",
  );
  const country: Condition = { kind: "country", header: "x-geo-country", countries: ["DE", "FR"] };
  expect(explain(country, { headers: { "x-geo-country": "Germany" } })).toBe(
    'false: country in header x-geo-country is DE or FR, found "Germany", which is invalid',
  );
  const area: Condition = {
    kind: "area",
    latHeader: "x-lat",
    lonHeader: "x-lon",
    area: { kind: "circle", center: { lat: 52.5, lon: 13.4 }, radiusKm: 50 },
  };
  expect(explain(area, { headers: { "x-lat": "52.4", "x-lon": "13.1" } })).toBe(
    'true: place in headers x-lat, x-lon is within 50 km of 52.5, 13.4, found "52.4", "13.1"',
  );
});

it("explainCondition() never shows credentials, of the request or of the rule", () => {
  const secret = (value: string): ValueTest => ({ kind: "equals", value });
  const conditions: readonly Condition[] = [
    { kind: "header", name: "authorization", test: secret("Bearer s3cret") },
    { kind: "header", name: "proxy-authorization", test: secret("Basic s3cret") },
    { kind: "header", name: "cookie", test: secret("session=s3cret") },
    { kind: "cookie", name: "session", test: secret("s3cret") },
  ];
  const headers = {
    authorization: "Bearer s3cret",
    "proxy-authorization": "Basic s3cret",
    cookie: "session=s3cret",
  };
  for (const condition of conditions) {
    const text = explain(condition, { headers });
    expect(text).toMatch(/^true: (header|cookie) [a-z-]+ \(hidden\), found \(hidden\)$/);
  }
  expect(
    explain({ kind: "cookie", name: "session", test: { kind: "exists", isThere: true } }, {}),
  ).toBe("false: cookie session exists, found nothing");
});
