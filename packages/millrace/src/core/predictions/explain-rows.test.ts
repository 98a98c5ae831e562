import { expect, test } from "vitest";
import { explainRows } from "./explain-rows.ts";
import type { PredictionRow } from "./prediction-row.ts";

const ROW: PredictionRow = {
  ts: 1_763_744_355_123_456,
  prediction_id: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7",
  request_id: null,
  trace_id: null,
  service: "s",
  endpoint: "/predict",
  model: "iris",
  version: "3",
  model_digest: "d",
  models: null,
  role: "primary",
  experiment: null,
  variant: null,
  phase: null,
  propensity: null,
  unit_hash: null,
  route_rule: null,
  param_version: 4,
  status: "ok",
  error_code: null,
  error: null,
  degraded: null,
  cache: null,
  queue_us: 1,
  batch_us: 20,
  infer_us: 300,
  total_us: 4000,
  row_index: 0,
  row_count: 1,
  input_schema_ver: "0",
  features: '{"x":9007199254740993}',
  prediction: "[0.5]",
  label: "a",
  score: 0.5,
  threshold: null,
  is_outlier: false,
  outlier_score: null,
  attributes: null,
  payload: "full",
  payload_ref: null,
  sampled_weight: 1,
  policy: null,
  steps: null,
  rules: null,
  observed: null,
  assignment: null,
  shadow: null,
  is_agreed: null,
  distance: null,
  difference: null,
  primary_model: null,
  primary_code: null,
  primary_us: null,
  primary_infer_us: null,
  node: "p0-1",
};

test("explainRows() says what a row says, and leaves out what it does not", () => {
  expect(explainRows({ source: "segment", rows: [ROW] })).toEqual({
    prediction_id: ROW.prediction_id,
    source: "segment",
    service: "s",
    endpoint: "/predict",
    model: "iris@3",
    digest: "d",
    role: "primary",
    received_at: "2025-11-21T16:59:15.123Z",
    status: "ok",
    override_version: 4,
    duration_ms: { total: 4, queue: 0.001, batch: 0.02, infer: 0.3 },
    row_count: 1,
    rows: [
      {
        row: 0,
        features: { x: 9007199254740993n },
        prediction: [0.5],
        label: "a",
        score: 0.5,
        is_outlier: false,
      },
    ],
    payload: "full",
    sampled_weight: 1,
    node: "p0-1",
  });
});

test("explainRows() has what shadows said beside the answer, and nothing without that", () => {
  const shadow = { ...ROW, role: "shadow", shadow: "rf", model: "rf", version: "2" } as const;
  const failed = { ...shadow, shadow: "gone", error_code: "DEADLINE_EXCEEDED", error: "too late" };
  const differing = { ...shadow, is_agreed: false, distance: 0.5, difference: "a → b" };
  const rows = [differing, { ...differing, row_index: 1 }, ROW, failed];
  const explained = explainRows({ source: "parquet", rows });
  expect(explained).toMatchObject({ model: "iris@3", role: "primary", row_count: 1 });
  expect(explained?.rows).toHaveLength(1);
  const common = { model: "rf@2", duration_ms: 4 };
  expect(explained?.shadows).toEqual([
    { ...common, name: "rf", status: "ok", agreed: false, distance: 0.5, difference: "a → b" },
    { ...common, name: "gone", status: "DEADLINE_EXCEEDED", error: "too late" },
  ]);
  expect(explainRows({ source: "parquet", rows: [shadow] })).toBeUndefined();
});

test("explainRows() has the models of a graph, its steps, and the rules that were asked", () => {
  const rules = [{ name: "r", to: "m", isMatch: false, why: "no" }];
  const graph = { name: "s", kind: "sequence", status: "ok", startedMs: 0, tookMs: 1 };
  const row = {
    ...ROW,
    models: "a@1, b@2",
    rules: JSON.stringify(rules),
    steps: JSON.stringify(graph),
    error_code: "MODEL_FAILED",
    error: "it broke",
  };
  const explained = explainRows({ source: "parquet", rows: [row] });
  expect(explained).toMatchObject({ model: "a@1, b@2", rules, graph, rule: "default" });
  expect(explained).toMatchObject({ status: "MODEL_FAILED", error: "it broke" });
  const ruled = explainRows({ source: "parquet", rows: [{ ...row, route_rule: "r" }] });
  expect(ruled?.rule).toBe("r");
});

test("explainRows() names the request of several rows, and the row where one was asked for", () => {
  const rows = [0, 1].map((index) => ({
    ...ROW,
    prediction_id: `${ROW.prediction_id}#${index}`,
    row_index: index,
    row_count: 2,
  }));
  const all = explainRows({ source: "parquet", rows });
  expect([all?.prediction_id, all?.rows?.map(({ row }) => row)]).toEqual([
    ROW.prediction_id,
    [0, 1],
  ]);
  const one = explainRows({ source: "parquet", rows: rows.slice(1) });
  expect([one?.prediction_id, one?.row_count]).toEqual([`${ROW.prediction_id}#1`, 2]);
  expect(explainRows({ source: "parquet", rows: [] })).toBeUndefined();
});

test("explainRows() has how the arm was found", () => {
  const assignment = { experiment: "rf", variant: "a", phase: 2, kind: "overridden", why: "so" };
  const row = { ...ROW, experiment: "rf", variant: "a", assignment: JSON.stringify(assignment) };
  expect(explainRows({ source: "parquet", rows: [row] })).toMatchObject({
    experiment: "rf",
    variant: "a",
    assignment,
  });
});
