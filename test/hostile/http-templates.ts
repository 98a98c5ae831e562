import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { IDENTITIES } from "./fuzz-server.ts";
import type { JsonLike } from "./nasty-json.ts";

/** A good request, before anything is changed. */
export interface HttpTemplate {
  readonly method: string;
  readonly path: string;
  readonly body?: JsonLike;
  /** Bytes behind the JSON, which its length then goes ahead of in a header. */
  readonly tensors?: Buffer;
  /** Instead of `body`. */
  readonly text?: string;
  readonly contentType?: string;
}

type Template = HttpTemplate | ((random: TestRandom) => HttpTemplate);

const ROW = [5.1, 3.5, 1.4, 0.2];

const GETS = [
  "/predict/test",
  "/predict/test/label",
  "/label",
  "/metadata",
  "/health",
  "/health/all",
  "/v2",
  "/v2/health/live",
  "/v2/health/ready",
  "/v2/models",
  "/v2/models/stats",
  "/v2/models/iris",
  "/v2/models/iris/versions/1",
  "/v2/models/iris/ready",
  "/v2/models/absent/ready",
  "/v2/models/iris/stats",
  "/v2/models/iris/config",
  "/v1/models/iris",
  "/ping",
  "/version",
  "/docs",
  "/docs/assets/docs.js",
  "/services/iris/metadata",
  "/services/iris/label",
  "/services/branches/metadata",
  "/services/branches/health/all",
  "/services/ranked/label",
  "/services/ranked/predict/test",
  "/v2/models/branches",
  "/v2/models/branches/config",
  "/v2/models/branches/stats",
  "/job/0195d3c2-0000-7000-8000-000000000000",
];

const PREDICT_PATHS: readonly [string, ...string[]] = [
  "/predict",
  "/predict/label",
  "/services/iris/predict",
  "/services/iris/predict/label",
  "/services/branches/predict",
  "/services/ranked/predict/label",
  "/services/chosen/predict?way=2",
  "/services/remembered/predict",
];

function post(path: string, body: JsonLike): HttpTemplate {
  return { method: "POST", path, body };
}

/** Values of one row for each datatype, as JSON. */
const JSON_VALUES: Readonly<Record<string, readonly JsonLike[]>> = {
  BOOL: [true, false],
  UINT8: [0, 255],
  INT32: [-1, 2147483647],
  INT64: [9223372036854775807n, -1],
  UINT64: [18446744073709551615n, 0],
  FP32: [1.5, -0.25],
  FP64: [0.1, 1e300],
  BYTES: ["text", ""],
};

const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  FP16: 2,
  INT32: 4,
  FP32: 4,
};

function jsonInfer(random: TestRandom): HttpTemplate {
  const datatype = random.pick(IDENTITIES);
  const data = JSON_VALUES[datatype] ?? [1.5, 2];
  return post(`/v2/models/identity-${datatype.toLowerCase()}/infer`, {
    id: "7",
    inputs: [{ name: "INPUT", datatype, shape: [1, 2], data }],
    outputs: [{ name: "OUTPUT" }],
  });
}

function binaryInfer(random: TestRandom): HttpTemplate {
  const datatype = random.pick(IDENTITIES);
  const columns = random.pick([0, 1, 2, 3, 16]);
  const tensors =
    datatype === "BYTES"
      ? Buffer.concat(Array.from({ length: columns }, () => Buffer.from("\x02\0\0\0hi", "latin1")))
      : Buffer.alloc(columns * (ELEMENT_BYTES[datatype] ?? 8), 1);
  return {
    method: "POST",
    path: `/v2/models/identity-${datatype.toLowerCase()}/infer`,
    body: {
      inputs: [
        {
          name: "INPUT",
          datatype,
          shape: [1, columns],
          parameters: { binary_data_size: tensors.length },
        },
      ],
      parameters: { binary_data_output: random.below(2) === 0 },
    },
    tensors,
  };
}

function mixedInfer(random: TestRandom): HttpTemplate {
  const rows = random.pick([1, 2, 64]);
  return {
    method: "POST",
    path: "/v2/models/simple/versions/1/infer",
    body: {
      inputs: [
        { name: "INPUT0", datatype: "INT32", shape: [rows, 16], data: listOf(rows * 16) },
        {
          name: "INPUT1",
          datatype: "INT32",
          shape: [rows, 16],
          parameters: { binary_data_size: rows * 64 },
        },
      ],
      outputs: [
        { name: "OUTPUT0", parameters: { binary_data: true } },
        { name: "OUTPUT1", parameters: { classification: 3 } },
      ],
      parameters: { priority: 1, timeout: 1_000_000 },
    },
    tensors: Buffer.alloc(rows * 64, 2),
  };
}

function listOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

const TEMPLATES: readonly [Template, ...Template[]] = [
  jsonInfer,
  binaryInfer,
  mixedInfer,
  (random) => ({ method: "GET", path: random.pick(GETS as [string, ...string[]]) }),
  (random) => post(random.pick(PREDICT_PATHS), { data: [ROW] }),
  (random) => post(random.pick(PREDICT_PATHS), [ROW, ROW]),
  (random) => post(random.pick(PREDICT_PATHS), { inputs: { float_input: [ROW] } }),
  post("/services/simple/predict", { inputs: { INPUT0: [listOf(16)], INPUT1: [listOf(16)] } }),
  post("/v2/models/iris/infer", {
    inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: ROW }],
  }),
  (random) => ({
    ...post(`/v2/models/${random.pick(["branches", "ranked", "chosen", "remembered"])}/infer`, {
      id: "7",
      inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: ROW }],
      parameters: { binary_data_output: random.below(2) === 0 },
    }),
  }),
  post("/v2/models/branches/versions/1/infer", {
    inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: ROW }],
    outputs: [
      { name: "b", parameters: { classification: 2 } },
      { name: "a", parameters: { binary_data: true } },
    ],
  }),
  post("/v2/repository/index", { ready: true }),
  post("/v2/repository/models/iris/load", { parameters: { config: "{}" } }),
  post("/v2/repository/models/iris/unload", { parameters: { unload_dependents: false } }),
  post("/v1/models/iris:predict", { instances: [ROW] }),
  post("/v1/models/branches:predict", { instances: [ROW, ROW] }),
  post("/invocations", { dataframe_split: { columns: ["a", "b", "c", "d"], data: [ROW] } }),
  post("/invocations", { dataframe_records: [{ a: 1, b: 2, c: 3, d: 4 }] }),
  post("/invocations", { inputs: [ROW] }),
  post("/feedback", { prediction_id: "0195d3c2-0000-7000-8000-000000000000", label: "setosa" }),
  post("/services/iris/feedback", [
    { prediction_id: "0195d3c2-0000-7000-8000-000000000000#1", label: ["a", 1, true] },
    { entity_id: "u", ts: "2026-11-21T16:00:00Z", event: "clicked", value: 2, note: { a: [null] } },
  ]),
  {
    method: "POST",
    path: "/invocations",
    text: 'a,b,c,d\n1,2,3,4\n"5",6,7,8\n',
    contentType: "text/csv",
  },
  (random) => ({
    method: "POST",
    path: "/v2/models/simple_identity/infer",
    text: "raw body".repeat(random.below(4)),
    contentType: "application/octet-stream",
    tensors: Buffer.alloc(0),
  }),
];

export function pickTemplate(random: TestRandom): HttpTemplate {
  const template = random.pick(TEMPLATES);
  return typeof template === "function" ? template(random) : template;
}
