import { expect, it } from "vitest";
import { StepTrace } from "../../core/graph/step-trace.ts";
import { attributesOf } from "../../core/rules/test-attributes.ts";
import { RuleSet } from "../../core/rules/rule-set.ts";
import { fp32 } from "../../core/predictions/test-record.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { PredictionRecord } from "../recent-predictions.ts";
import { factsJson, loggedAttributes } from "./log-facts.ts";

const RECORD: PredictionRecord = {
  id: "p",
  requestId: undefined,
  traceId: undefined,
  service: "s",
  endpoint: "/predict",
  model: "iris@1",
  digest: "",
  role: "primary",
  rowCount: 1,
  rule: undefined,
  asked: undefined,
  arm: undefined,
  overrideVersion: 0,
  receivedWallMs: 0,
  tookMs: 0,
  queueMs: 0,
  batchMs: 0,
  computeMs: 0,
  code: "ok",
  message: undefined,
  degraded: undefined,
  cache: undefined,
  trace: undefined,
  observed: undefined,
};

function facts(record: Partial<PredictionRecord>, isPrivate = false, hasPayload = true): string {
  const nothing = { comparison: undefined, models: undefined, attributes: undefined };
  const source = { ...nothing, isPrivate, hasPayload };
  return factsJson({ ...source, record: { ...RECORD, ...record } });
}

const asked = {
  rules: new RuleSet([
    {
      name: "eu",
      to: "m",
      when: { kind: "header", name: "x-user", test: { kind: "equals", value: "ada" } },
    },
  ]),
  attributes: attributesOf({ headers: { "x-user": "ada" } }),
  wallMs: 0,
};

it("factsJson() is empty for a prediction like most", () => {
  expect(facts({})).toBe("");
});

it("factsJson() has what went wrong, from where it came and what ran", () => {
  const trace = StepTrace.start("g", "sequence", new TestClock());
  trace.end("ok");
  const json = facts({ message: "no", degraded: "partial", cache: "miss", trace });
  expect(JSON.parse(json)).toEqual({
    error: "no",
    degraded: "partial",
    cache: "miss",
    steps: { name: "g", kind: "sequence", status: "ok", startedMs: 0, tookMs: 0 },
  });
});

it("factsJson() tells why a rule matches, unless values of requests are private", () => {
  expect(facts({ asked })).toContain("ada");
  expect(JSON.parse(facts({ asked }, true))).toEqual({
    rules: [{ name: "eu", to: "m", isMatch: true }],
  });
});

it("factsJson() has no text that may quote a request where its values are private", () => {
  const text = 'no data for "customer-17"';
  expect(facts({ code: "DATA_NOT_FOUND", message: text }, true)).toBe("");
  expect(facts({ code: "FUNCTION_FAILED", message: text, cache: "miss" }, true)).toBe(
    '{"cache":"miss"}',
  );
  const own = { code: "OVERLOADED", message: "Cannot predict: too many wait" } as const;
  expect(JSON.parse(facts(own, true))).toEqual({ error: own.message });
});

it("factsJson() has what was observed as /predict would answer it, where payloads are logged", () => {
  const observed = [
    fp32("a", [1, 2], [0.1, NaN]),
    fp32("large", [1, 65], new Array<number>(65).fill(1)),
  ];
  expect(JSON.parse(facts({ observed }))).toEqual({ observed: { a: [0.1, null] } });
  expect(JSON.parse(facts({ observed }, false, false))).toEqual({});
});

it("factsJson() leaves out steps and rules rather than be very long", () => {
  const trace = StepTrace.start("g", "sequence", new TestClock());
  for (let i = 0; i < 200; i++) {
    const step = trace.begin(`step ${i}`, "model");
    for (let fact = 0; fact < 3; fact++) step.note(`fact ${fact}`, "x".repeat(256));
  }
  expect(facts({ trace, message: "m" })).toBe('{"error":"m"}');
});

it("factsJson() writes no half of a surrogate pair", () => {
  expect(JSON.parse(facts({ message: "a\ud800" }))).toEqual({ error: "a\ufffd" });
});

it("loggedAttributes() has those that are there, changed as the file says", () => {
  const wanted = Object.fromEntries(
    ["a", "b", "c", "d", "e"].map((name) => [name, { from: "header", name } as const]),
  );
  const redact = {
    b: { kind: "drop" },
    c: { kind: "hmac" },
    d: { kind: "bucket", by: 10 },
  } as const;
  const rules = { wanted, redact, hash: (text: string) => `#${text}` };
  const headers = { a: "1".repeat(2_000), b: "2", c: "3", d: "44" };
  expect(loggedAttributes(attributesOf({ headers }), rules)).toEqual({
    a: "1".repeat(1_024),
    c: "#3",
    d: "40",
  });
  expect(loggedAttributes(attributesOf({}), rules)).toBeUndefined();
});
