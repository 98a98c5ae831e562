import { expect, it } from "vitest";
import { describeRecord } from "./describe-record.ts";

it("describeRecord() shows the facts, the rules with why, and the steps as a tree", () => {
  const step = { startedMs: 0, tookMs: 1.5 };
  const record = {
    prediction_id: "0199",
    received_at: "2026-11-21T14:00:00.000Z",
    service: "iris",
    model: "iris@1",
    status: "ok",
    cache: "miss",
    override_version: 12,
    duration_ms: { total: 4, infer: 1.5 },
    rule: "mountain",
    rules: [{ name: "rain", to: "wet", isMatch: false, why: "false: all of\n  false: header x" }],
    graph: {
      ...step,
      name: "both",
      kind: "sequence",
      status: "ok",
      steps: [
        { ...step, name: "prepare", kind: "function", status: "failed", facts: { tries: 2 } },
      ],
    },
  };
  expect(describeRecord(record)).toBe(`prediction  0199
received    2026-11-21T14:00:00.000Z
service     iris
model       iris@1
status      ok
cache       miss
overrides   v12
time        total 4 ms, infer 1.5 ms
rule        mountain
rules
  rain → wet
    false: all of
      false: header x
steps
  both  sequence  ok  1.5 ms
    prepare  function  failed  1.5 ms  tries=2
`);
});

it("describeRecord() leaves out what a record does not say", () => {
  expect(
    describeRecord({ prediction_id: "0199", status: "OVERLOADED", error: "Cannot predict" }),
  ).toBe("prediction  0199\nstatus      OVERLOADED: Cannot predict\noverrides   none\n");
});
