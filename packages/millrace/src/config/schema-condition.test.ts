import { expect, it } from "vitest";
import { z } from "zod";
import type { ConfigInput } from "./schema.ts";
import { loadConfig } from "./load.ts";
import { renderProblem } from "./problem.ts";
import { condition } from "./schema-condition.ts";

type Written = z.input<typeof condition>;

/** The problems of a file with a rule that has this condition, without the path up to it. */
async function problemsOf(when: unknown): Promise<readonly string[]> {
  const rule = { name: "rule", when: when as Written, to: "iris" };
  const input: ConfigInput = {
    models: { iris: "iris.onnx" },
    services: { iris: { traffic: { rules: [rule] } } },
  };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "ok") return [];
  const path = "services.iris.traffic.rules[0].when";
  return result.problems.map((problem) => renderProblem(problem).replace(path, "when"));
}

it.each<Written>([
  { header: { target: "mountain" } },
  { header: { target: { prefix: "moun" } } },
  { header: { "X-Version": 2, "x-beta": true, "x-plan": ["gold", "silver"] } },
  { query: { "items[]": { oneOf: ["a", 1] } } },
  { cookie: { tier: { exists: false } } },
  { body: { "customer.tier": "gold", "items.0.price": { atLeast: 10, below: 20 } } },
  { body: { deleted: { equals: null } } },
  { method: "POST" },
  { method: ["GET", "HEAD"] },
  { path: { matches: "/v2/*/infer" } },
  { caller: "shop" },
  { percent: "10%" },
  { percent: 0.1 },
  { percent: "0.07%" },
  { percent: { share: "99.99%", salt: "ramp" } },
  { time: { from: "07:00", to: "11:00", timeZone: "Asia/Seoul", weekdays: ["mon", "tue"] } },
  { time: { from: "22:00", to: "06:00", timeZone: "Europe/Berlin" } },
  { time: { timeZone: "UTC", fromDate: "2026-12-24", toDate: "2026-12-24" } },
  { place: { country: "DE" } },
  { place: { country: ["DE", "FR"], header: "x-geo-country" } },
  { place: { circle: { lat: 52.5, lon: 13.4, km: 50 }, latHeader: "x-lat", lonHeader: "x-lon" } },
  { place: { box: { south: -30, north: 0, west: 170, east: -165 } } },
  {
    place: {
      polygon: [
        { lat: 0, lon: 0 },
        { lat: 1, lon: 0 },
        { lat: 0, lon: 1 },
      ],
    },
  },
  { header: { target: "mountain" }, time: { timeZone: "UTC", weekdays: ["sat", "sun"] } },
  { all: [{ caller: "shop" }, { any: [{ not: { method: "GET" } }] }] },
])("condition takes %j", (written) => {
  expect(condition.safeParse(written).error).toBeUndefined();
});

const CONDITION_KEYS =
  "header, query, cookie, body, input, method, path, caller, percent, time, place, all, any";

const TESTS = "equals, oneOf, prefix, matches, exists, atLeast, atMost, above, below";

it.each<readonly [unknown, string]>([
  [
    { heder: { target: "m" } },
    `when.heder: unknown key "heder"; known keys: ${CONDITION_KEYS}, not. Did you mean "header"?`,
  ],
  [{}, `when: found an empty condition, expected at least one of ${CONDITION_KEYS}, not`],
  [
    "mountain",
    `when: found "mountain", expected a condition: an object with ${CONDITION_KEYS} or not`,
  ],
  [
    { input: { label: "cat" } },
    "when.input: only a switch has inputs: rules are asked before any step has run",
  ],
  [
    { any: [{ caller: "x" }, { not: { input: { label: "cat" } } }] },
    "when.any[1].not.input: only a switch has inputs: rules are asked before any step has run",
  ],
  [{ header: {} }, "when.header: found an empty object, expected a name and its value"],
  [
    { header: { target: { prefx: "m" } } },
    `when.header.target.prefx: unknown key "prefx"; known keys: ${TESTS}. Did you mean "prefix"?`,
  ],
  [
    { header: { target: {} } },
    `when.header.target: found an empty object, expected one of ${TESTS}`,
  ],
  [
    { header: { target: null } },
    `when.header.target: found nothing, expected text, a number, true or false, a list of 1 to 100 values or an object with ${TESTS}`,
  ],
  [
    { header: { age: { atLeast: "18" } } },
    'when.header.age.atLeast: found "18", expected a number',
  ],
  [
    { header: { "a b": "x" } },
    'when.header.a b: found the name "a b", expected a name of letters, digits and -_.!#$%&\'*+^`|~, at most 128',
  ],
  [
    { body: { "a..b": 1 } },
    'when.body.a..b: found the name "a..b", expected 1 to 16 keys joined by dots, such as customer.tier',
  ],
  [
    { path: { matches: "" } },
    'when.path.matches: found "", expected a pattern of 1 to 128 characters, in which * is any text and ? any character',
  ],
  [
    { method: "post" },
    'when.method: found "post", expected GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or a list of: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Did you mean "POST"?',
  ],
  [
    { percent: 10 },
    "when.percent: found 10, expected a percentage 0% to 100% or a ratio 0 to 1 or an object with share, salt (10%?)",
  ],
  [
    { percent: "0.005%" },
    'when.percent: found "0.005%", expected 0% to 100% in steps of 0.01%, or 0 to 1 in steps of 0.0001',
  ],
  [
    { time: { from: "07:00", to: "11:00" } },
    "when.time.timeZone: missing, expected an IANA time zone such as Europe/Berlin, Asia/Seoul or UTC",
  ],
  [
    { time: { timeZone: "Asia/Soul" } },
    'when.time.timeZone: found "Asia/Soul", expected an IANA time zone such as Europe/Berlin, Asia/Seoul or UTC',
  ],
  [
    { time: { from: "24:00", timeZone: "UTC" } },
    'when.time.from: found "24:00", expected a time 00:00 to 23:59',
  ],
  [
    { time: { to: "7:00", timeZone: "UTC" } },
    'when.time.to: found "7:00", expected a time 00:00 to 24:00',
  ],
  [
    { time: { from: "07:00", to: "07:00", timeZone: "UTC" } },
    'when.time.to: the same as "from", expected another time; a whole day is 00:00 to 24:00',
  ],
  [
    { time: { timeZone: "UTC", weekdays: ["monday"] } },
    'when.time.weekdays[0]: found "monday", expected mon, tue, wed, thu, fri, sat or sun',
  ],
  [
    { time: { timeZone: "UTC", fromDate: "2026-02-29" } },
    'when.time.fromDate: found "2026-02-29", expected a date such as 2026-12-31',
  ],
  [
    { time: { timeZone: "UTC", fromDate: "2026-03-02", toDate: "2026-03-01" } },
    'when.time.toDate: before "fromDate", expected that day or a later one',
  ],
  [{ place: {} }, "when.place: found no place, expected one of country, box, circle, polygon"],
  [
    { place: { country: ["DE", "France"] } },
    'when.place.country[1]: found "France", expected a country code of two letters, such as DE',
  ],
  [
    { place: { circle: { lat: 95, lon: 0, km: 1 } } },
    "when.place.circle.lat: found 95, expected a number -90 to 90",
  ],
  [
    { place: { circle: { lat: 5, lon: -181, km: 1 } } },
    "when.place.circle.lon: found -181, expected a number -180 to 180",
  ],
  [
    { place: { box: { south: 5, north: 1, west: 0, east: 5 } } },
    'when.place.box.north: less than "south", expected that or more',
  ],
  [
    { place: { polygon: [{ lat: 1, lon: 1 }] } },
    "when.place.polygon: found a list, expected a list of 3 to 100 points { lat, lon }",
  ],
  [{ all: [] }, "when.all: found a list, expected a list of one or more conditions"],
])("condition refuses %j and says what is allowed", async (written, problem) => {
  expect(await problemsOf(written)).toEqual([problem]);
});

it("condition says what is wrong however deep it stands, all at once", async () => {
  const written = { all: [{ any: [{ time: { from: "7", timeZone: "UTC" } }] }, { methd: "GET" }] };
  expect(await problemsOf(written)).toEqual([
    'when.all[0].any[0].time.from: found "7", expected a time 00:00 to 23:59',
    `when.all[1].methd: unknown key "methd"; known keys: ${CONDITION_KEYS}, not. Did you mean "method"?`,
  ]);
});

it("condition nests 8 levels deep and no deeper", async () => {
  const nested = (levels: number): unknown =>
    levels === 1 ? { caller: "shop" } : { not: nested(levels - 1) };
  expect(await problemsOf(nested(8))).toEqual([]);
  expect(await problemsOf(nested(9))).toEqual([
    `when${".not".repeat(8)}: nested too deeply, expected at most 8 levels`,
  ]);
});

it("condition has up to 64 predicates, wherever they stand", async () => {
  const headers = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, "a"]));
  const written = (count: number) => ({
    header: headers(count - 4),
    any: [{ caller: "a" }, { not: { caller: "b", method: "GET", body: { c: 1 } } }],
  });
  expect(await problemsOf(written(64))).toEqual([]);
  expect(await problemsOf(written(65))).toEqual(["when: found 65 predicates, expected at most 64"]);
});

it("condition is one definition in JSON Schema, which refers to itself", () => {
  const schema = z.toJSONSchema(z.strictObject({ when: condition }), { io: "input" });
  expect(schema.properties?.["when"]).toMatchObject({
    $ref: "#/$defs/condition",
    kind: "condition",
    live: true,
    description: expect.stringContaining("several keys mean all") as string,
  });
  const definition = schema.$defs?.["condition"];
  expect(definition?.additionalProperties).toBe(false);
  expect(definition?.properties?.["any"]).toMatchObject({ items: { $ref: "#/$defs/condition" } });
  expect(definition?.properties?.["not"]).toMatchObject({ $ref: "#/$defs/condition" });
});
