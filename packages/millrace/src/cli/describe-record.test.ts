import { expect, it } from "vitest";
import type { Explanation } from "../core/predictions/explanation.ts";
import { describeRecord } from "./describe-record.ts";

it("describeRecord() shows the facts, the rules with why, and the steps as a tree", () => {
  const step = { startedMs: 0, tookMs: 1.5 };
  const record: Explanation = {
    prediction_id: "0199",
    source: "memory",
    request_id: "r1",
    endpoint: "/predict",
    digest: "0123456789abcdef0123",
    role: "fallback",
    row_count: 1,
    overrides: [{ path: "services.iris.timeout", value: "1s", version: 9, by: "ann", reason: "x" }],
    received_at: "2026-11-21T14:00:00.000Z",
    service: "iris",
    model: "iris@1",
    status: "ok",
    cache: "miss",
    override_version: 12,
    duration_ms: { total: 4, queue: 2, batch: 0.5, infer: 1.5 },
    rule: "mountain",
    experiment: "rf",
    variant: "treatment",
    phase: 2,
    assignment: {
      experiment: "rf",
      variant: "treatment",
      phase: 2,
      kind: "enrolled",
      coverage: 1,
      why: "the unit has treatment since phase 2 and keeps it",
    },
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
request     r1
received    2026-11-21T14:00:00.000Z
service     iris  /predict
model       iris@1  digest 0123456789abcdef
role        fallback
status      ok
cache       miss
overrides   v12
  services.iris.timeout = 1s  (v9, by ann: x)
time        total 4 ms, queue 2 ms, batch 0.5 ms, infer 1.5 ms
rule        mountain
experiment  rf  arm treatment  phase 2
  the unit has treatment since phase 2 and keeps it
found in    memory of a serve process
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

it("describeRecord() shows what the log has of each row", () => {
  const row = {
    row: 3,
    features: { age: 40, id: 9007199254740993n },
    prediction: [0.9, 0.1],
    label: "setosa",
    score: 0.9,
    threshold: 0.8,
    is_outlier: true,
    outlier_score: -0.25,
  };
  const record = {
    prediction_id: "0199",
    source: "parquet",
    row_count: 20,
    payload: "shed",
    sampled_weight: 10,
    attributes: { region: "eu" },
    node: "p0-1",
    rows: [row, { row: 4, label: "x" }],
  } as const;
  expect(describeRecord(record)).toBe(`prediction  0199
rows        20
overrides   none
attributes  {"region":"eu"}
found in    the log
payload     shed
weight      10
process     p0-1
features 3
  age = 40
  id = 9007199254740993
prediction 3 [0.9,0.1]
label 3     setosa  score 0.9  threshold 0.8
outlier 3   yes, score -0.25
label 4     x
… and 18 rows more
`);
});

it("describeRecord() shows nothing that a terminal obeys, whatever was sent", () => {
  const text = describeRecord({
    error: "no \u001b]0;x\u0007",
    attributes: "\u001b[2J",
    rows: [{ row: 0, label: "\u009b31m", features: { "\u001bc": "\u001bc" } }],
  });
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  expect(text).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]+$/);
  expect(text).toContain("·[2J");
});

it("describeRecord() shows what shadows made of the same request", () => {
  const shadow = { name: "rf", model: "iris-rf@2", status: "ok", duration_ms: 1.2 };
  const text = describeRecord({
    shadows: [
      { ...shadow, agreed: true, distance: 0.001 },
      { ...shadow, agreed: false, difference: "versicolor, not virginica" },
      { ...shadow, status: "INFERENCE_FAILED", error: "no memory" },
    ],
  });
  expect(text).toContain(`shadows
  rf  iris-rf@2  ok  1.2 ms  agrees: distance 0.001
  rf  iris-rf@2  ok  1.2 ms  differs: versicolor, not virginica
  rf  iris-rf@2  INFERENCE_FAILED: no memory  1.2 ms
`);
});
