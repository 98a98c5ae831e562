import { expect, it } from "vitest";
import type { z } from "zod";
import type { Condition } from "../core/rules/condition.ts";
import { resolveCondition } from "./resolve-condition.ts";
import { condition } from "./schema-condition.ts";

type Written = z.input<typeof condition>;

function resolve(written: Written): Condition {
  return resolveCondition(condition.parse(written), "iris/rule");
}

it.each<readonly [Written, Condition]>([
  [
    { header: { Target: "mountain" } },
    { kind: "header", name: "target", test: { kind: "equals", value: "mountain" } },
  ],
  [
    { cookie: { Tier: { exists: false } } },
    { kind: "cookie", name: "Tier", test: { kind: "exists", isThere: false } },
  ],
  [
    { query: { version: [2, true, "x"] } },
    { kind: "query", name: "version", test: { kind: "oneOf", values: ["2", "true", "x"] } },
  ],
  [
    { header: { age: { equals: 2 } } },
    { kind: "header", name: "age", test: { kind: "equals", value: "2" } },
  ],
  [
    { body: { "items.0.price.00": 2 } },
    {
      kind: "body",
      path: ["items", 0, "price", "00"],
      test: { kind: "equals", value: 2 },
    },
  ],
  [
    { body: { tier: { oneOf: ["gold", 1, null] } } },
    { kind: "body", path: ["tier"], test: { kind: "oneOf", values: ["gold", 1, null] } },
  ],
  [{ path: { prefix: "/v2" } }, { kind: "path", test: { kind: "prefix", prefix: "/v2" } }],
  [{ path: { matches: "/v2/*" } }, { kind: "path", test: { kind: "matches", glob: "/v2/*" } }],
  [{ method: "POST" }, { kind: "method", test: { kind: "equals", value: "POST" } }],
  [{ method: ["GET"] }, { kind: "method", test: { kind: "oneOf", values: ["GET"] } }],
  [{ caller: "shop" }, { kind: "caller", test: { kind: "equals", value: "shop" } }],
  [{ percent: "10%" }, { kind: "percent", share: 0.1, salt: "iris/rule" }],
  [{ percent: 0.0007 }, { kind: "percent", share: 0.0007, salt: "iris/rule" }],
  [{ percent: { share: "0.07%", salt: "x" } }, { kind: "percent", share: 0.0007, salt: "x" }],
  [
    { time: { from: "07:30", to: "11:00", timeZone: "Asia/Seoul", weekdays: ["mon"] } },
    {
      kind: "time",
      window: {
        fromMinute: 450,
        toMinute: 660,
        timeZone: "Asia/Seoul",
        weekdays: ["mon"],
        fromDay: undefined,
        toDay: undefined,
      },
    },
  ],
  [
    { time: { timeZone: "UTC", fromDate: "1970-01-02", toDate: "2026-11-21" } },
    {
      kind: "time",
      window: {
        fromMinute: 0,
        toMinute: 1440,
        timeZone: "UTC",
        weekdays: undefined,
        fromDay: 1,
        toDay: 20_778,
      },
    },
  ],
  [
    { place: { country: "de", header: "CF-IPCountry" } },
    { kind: "country", header: "cf-ipcountry", countries: ["DE"] },
  ],
  [
    { place: { circle: { lat: 1, lon: 2, km: 3 }, latHeader: "X-Lat" } },
    {
      kind: "area",
      latHeader: "x-lat",
      lonHeader: "x-geo-lon",
      area: { kind: "circle", center: { lat: 1, lon: 2 }, radiusKm: 3 },
    },
  ],
  [
    { place: { box: { south: 1, north: 2, west: 3, east: 4 } } },
    {
      kind: "area",
      latHeader: "x-geo-lat",
      lonHeader: "x-geo-lon",
      area: { kind: "box", south: 1, north: 2, west: 3, east: 4 },
    },
  ],
])("resolveCondition() makes one predicate of %j", (written, expected) => {
  expect(resolve(written)).toEqual(expected);
});

it("resolveCondition() takes several keys, names and tests as all of them, the body last", () => {
  const written: Written = {
    body: { tier: "gold" },
    header: { a: "1", b: { atLeast: 1, below: 2 } },
    method: "POST",
  };
  expect(resolve(written)).toEqual({
    kind: "all",
    conditions: [
      { kind: "method", test: { kind: "equals", value: "POST" } },
      { kind: "header", name: "a", test: { kind: "equals", value: "1" } },
      { kind: "header", name: "b", test: { kind: "atLeast", bound: 1 } },
      { kind: "header", name: "b", test: { kind: "below", bound: 2 } },
      { kind: "body", path: ["tier"], test: { kind: "equals", value: "gold" } },
    ],
  });
});

it("resolveCondition() keeps the tree of all, any and not", () => {
  const caller = (value: string) => ({ kind: "caller", test: { kind: "equals", value } }) as const;
  const written: Written = {
    caller: "a",
    all: [{ caller: "b" }, { caller: "c" }],
    any: [{ caller: "d" }, { all: [{ caller: "e" }, { caller: "f" }] }],
    not: { caller: "g" },
  };
  expect(resolve(written)).toEqual({
    kind: "all",
    conditions: [
      caller("a"),
      caller("b"),
      caller("c"),
      {
        kind: "any",
        conditions: [caller("d"), { kind: "all", conditions: [caller("e"), caller("f")] }],
      },
      { kind: "not", condition: caller("g") },
    ],
  });
});

it("resolveCondition() takes any of one as it is, so that explanations stay short", () => {
  expect(resolve({ all: [{ all: [{ caller: "a" }] }] })).toEqual({
    kind: "caller",
    test: { kind: "equals", value: "a" },
  });
});

it("resolveCondition() makes plain data, which can be sent to another process", () => {
  const written: Written = {
    percent: "5%",
    time: { timeZone: "UTC" },
    place: { country: "DE" },
    body: { a: [1] },
  };
  const resolved = resolve(written);
  expect(structuredClone(resolved)).toEqual(resolved);
});
