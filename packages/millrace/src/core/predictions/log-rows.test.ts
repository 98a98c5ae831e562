import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { LOG_COLUMNS } from "./columns.ts";
import { EXPANDED_ROWS_MAX, rowCountOf, rowsOf } from "./log-rows.ts";
import type { LogFacts } from "./logged-prediction.ts";
import { fp32, randomRecord, testContext, testRecord } from "./test-record.ts";

it("rowsOf() gives every column of the table, in its order", () => {
  const [row] = rowsOf(testRecord(), "p0");
  expect(Object.keys(row ?? {})).toEqual(LOG_COLUMNS.predictions.map(({ name }) => name));
});

it("rowsOf() gives one row for a request of one", () => {
  const record = testRecord({ requestId: "r", traceId: "t", unitHash: "u" });
  expect(rowsOf(record, "p0")).toMatchObject([
    {
      ts: 1_763_740_000_123_456,
      prediction_id: "01992f3c-7a5e-7000-8000-000000000001",
      request_id: "r",
      trace_id: "t",
      unit_hash: "u",
      service: "iris",
      status: "ok",
      error_code: null,
      queue_us: 12,
      total_us: 61,
      row_index: 0,
      row_count: 1,
      features: '{"sepal_length":5.1,"sepal_width":3.5}',
      prediction: "[0.125,0.75,0.125]",
      label: "versicolor",
      score: 0.125,
      payload: "full",
      sampled_weight: 1,
      policy: null,
      node: "p0",
    },
  ]);
});

it("rowsOf() gives a row for each row of a request", () => {
  const record = testRecord({
    rowCount: 2,
    predictionId: "id",
    inputs: [fp32("input", [2, 2], [1, 2, 3, 4]), fp32("age", [2], [30, 40])],
    outputs: [fp32("probabilities", [2, 3], [1, 0, 0, 0, 0, 1])],
  });
  const rows = rowsOf(record, "p0");
  expect(rows.map((row) => [row.prediction_id, row.row_index, row.label, row.score])).toEqual([
    ["id#0", 0, "setosa", 1],
    ["id#1", 1, "virginica", 0],
  ]);
  expect(rows.map((row) => row.features)).toEqual([
    '{"sepal_length":1,"sepal_width":2,"age":30}',
    '{"sepal_length":3,"sepal_width":4,"age":40}',
  ]);
});

it("rowsOf() gives one row with arrays where an output is not by row", () => {
  const record = testRecord({
    rowCount: 2,
    inputs: [fp32("input", [2, 2], [1, 2, 3, 4])],
    outputs: [fp32("mean", [1], [0.5])],
  });
  expect(rowsOf(record, "p0")).toMatchObject([
    {
      row_count: 2,
      features: '{"input":[[1,2],[3,4]]}',
      prediction: '{"mean":[0.5]}',
      label: null,
    },
  ]);
});

it("rowsOf() gives one row with arrays for more rows than it takes apart", () => {
  const count = EXPANDED_ROWS_MAX + 1;
  const inputs = [fp32("input", [count], new Array<number>(count).fill(1))];
  const rows = rowsOf(testRecord({ rowCount: count, inputs, outputs: undefined }), "p0");
  expect(rows).toHaveLength(1);
  expect(JSON.parse(rows[0]?.features ?? "")).toEqual({ input: new Array(count).fill(1) });
});

it("rowsOf() gives as many rows without payload as with it", () => {
  const summary = { labels: ["a", "b"], scores: [0.1, NaN] };
  const record = testRecord({
    rowCount: 2,
    payload: "shed",
    inputs: undefined,
    outputs: undefined,
    summary,
  });
  expect(rowsOf(record, "p0")).toMatchObject([
    { payload: "shed", features: null, prediction: null, label: "a", score: 0.1 },
    { payload: "shed", features: null, prediction: null, label: "b", score: null },
  ]);
});

it("rowsOf() says what went wrong", () => {
  const facts: LogFacts = {
    error: "Cannot run",
    degraded: "partial",
    cache: "miss",
    models: "a@1, b@2",
  };
  const record = testRecord({
    errorCode: "MODEL_FAILED",
    facts: JSON.stringify(facts),
    outputs: undefined,
  });
  expect(rowsOf(record, "p0")).toMatchObject([
    {
      status: "error",
      error_code: "MODEL_FAILED",
      error: "Cannot run",
      degraded: "partial",
      cache: "miss",
      models: "a@1, b@2",
      prediction: null,
      label: null,
      features: '{"sepal_length":5.1,"sepal_width":3.5}',
    },
  ]);
});

it("rowsOf() writes what is not plain as JSON", () => {
  const facts: LogFacts = {
    attributes: { region: "eu" },
    steps: { name: "a" },
    rules: [],
    observed: { b: [1] },
  };
  expect(rowsOf(testRecord({ facts: JSON.stringify(facts) }), "p0")).toMatchObject([
    { attributes: '{"region":"eu"}', steps: '{"name":"a"}', rules: "[]", observed: '{"b":[1]}' },
  ]);
});

it("rowsOf() names branches side by side, null for one that is missing", () => {
  const context = testContext({ predictionOutputs: ["a", "b"], labels: undefined });
  const record = testRecord({ context, outputs: [fp32("a", [1, 1], [0.5])] });
  expect(rowsOf(record, "p0")).toMatchObject([{ prediction: '{"a":[0.5],"b":null}', label: null }]);
});

it("rowsOf() names an input whose columns are others than expected by its own name", () => {
  const record = testRecord({ inputs: [fp32("input", [1, 3], [1, 2, 3])] });
  expect(rowsOf(record, "p0")).toMatchObject([{ features: '{"input":[1,2,3]}' }]);
});

it("rowsOf() keeps every digit of whole numbers of 64 bits", () => {
  const id = {
    name: "id",
    datatype: "INT64",
    shape: [1],
    data: BigInt64Array.of(2n ** 53n + 1n),
  } as const;
  expect(rowsOf(testRecord({ inputs: [id] }), "p0")).toMatchObject([
    { features: '{"id":9007199254740993}' },
  ]);
});

it("rowsOf() takes every record apart into JSON, whatever it holds", () => {
  const random = new TestRandom(5);
  for (let i = 0; i < 100; i++) {
    const record = randomRecord(random, [
      testContext(),
      testContext({ predictionOutputs: ["t0", "t1"] }),
    ]);
    for (const row of rowsOf(record, "p0")) {
      for (const json of [row.features, row.prediction]) if (json !== null) JSON.parse(json);
      expect(Number.isFinite(row.score ?? 0)).toBe(true);
    }
  }
});

it("rowCountOf() tells how many rows rowsOf() gives", () => {
  const random = new TestRandom(6);
  const without = { inputs: undefined, outputs: undefined };
  const counts = [0, 1, 2, EXPANDED_ROWS_MAX, EXPANDED_ROWS_MAX + 1];
  const records = [
    ...counts.map((rowCount) => testRecord({ rowCount, ...without })),
    ...Array.from({ length: 200 }, () => randomRecord(random, [testContext()])),
  ];
  for (const record of records) {
    expect(rowCountOf(record)).toBe(rowsOf(record, "p0").length);
  }
});

it("rowsOf() has the arm of an experiment, and how it was found", () => {
  const context = testContext({ experiment: "rf", variant: "treatment", phase: 2 });
  const assignment = { kind: "enrolled", why: "so" };
  const facts: LogFacts = { propensity: 0.4, assignment };
  const [row] = rowsOf(testRecord({ context, facts: JSON.stringify(facts) }), "p0");
  expect(row).toMatchObject({
    experiment: "rf",
    variant: "treatment",
    phase: 2,
    propensity: 0.4,
    assignment: JSON.stringify(assignment),
    shadow: null,
    is_agreed: null,
  });
});
