import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, exchange, hangUp, type Answer, type Question } from "./http-client.ts";
import { MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, SETOSA, STACK_LINE, Workspace } from "./workspace.ts";

const MODELS = `
models:
  iris:
    source: ./iris.onnx
    labels: [setosa, versicolor, virginica]
    sample: [[5.1, 3.5, 1.4, 0.2]]
  add: ./add.onnx
  int64: ./identity-int64.onnx
  int8: ./identity-int8.onnx
  uint8: ./identity-uint8.onnx
  uint64: ./identity-uint64.onnx
  bool: ./identity-bool.onnx
  fp16: ./identity-fp16.onnx
  fp32: ./identity-fp32.onnx
  fp64: ./identity-fp64.onnx
  text: ./identity-bytes.onnx
  fixed: ./fixed-shape.onnx
  gather: ./gather.onnx
  slow: ./slow.onnx
  absent: { source: ./absent.onnx, required: false }
services:
  iris: { default: true }
`;

function folderWith(file: string): Workspace {
  const fixtures = [
    "add.onnx",
    "identity-int64.onnx",
    "identity-int8.onnx",
    "identity-uint8.onnx",
    "identity-uint64.onnx",
    "identity-bool.onnx",
    "identity-fp16.onnx",
    "identity-fp32.onnx",
    "identity-fp64.onnx",
    "identity-bytes.onnx",
    "fixed-shape.onnx",
    "gather.onnx",
    "slow.onnx",
  ];
  return new Workspace({
    "millrace.yaml": file,
    "iris.onnx": IRIS,
    ...Object.fromEntries(fixtures.map((name) => [name, fixture(name)])),
  });
}

function start(folder: Workspace): Promise<MillraceProcess> {
  return MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
}

const BODY_MAX = 1024 * 1024;

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  folder = folderWith(`server: { bodyMax: 1MiB }\n${MODELS}`);
  server = await start(folder);
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

function send(path: string, question: Question = {}): Promise<Answer> {
  return ask(server.url, path, question);
}

async function expectAlive(): Promise<void> {
  const reply = await send("/predict", { body: { data: SETOSA } });
  expect([reply.status, reply.headers["x-model"]]).toEqual([200, "iris@1"]);
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  /** Of the first problem. */
  readonly location?: readonly (string | number)[];
  readonly message: RegExp;
}

/** A refusal in the form its route promises, and a server that goes on. */
async function expectRefusal(path: string, question: Question, refusal: Refusal): Promise<void> {
  const reply = await send(path, question);
  expect([reply.status, reply.headers["x-error-code"], reply.text]).toEqual([
    refusal.status,
    refusal.code,
    expect.any(String),
  ]);
  expect(reply.headers["x-request-id"]).toBeTypeOf("string");
  expect(reply.text).not.toMatch(/node_modules|\.ts:|at .*\(/);
  if (path.startsWith("/v2") || path.startsWith("/v1")) {
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(reply.json).toEqual({ error: expect.stringMatching(refusal.message) });
  } else {
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    const problem = reply.json as {
      errors: { location: unknown; message: unknown; type: unknown }[];
    };
    expect(problem).toMatchObject({
      type: "about:blank",
      title: expect.any(String) as string,
      status: refusal.status,
      code: refusal.code,
      detail: expect.stringMatching(refusal.message) as string,
      request_id: reply.headers["x-request-id"],
    });
    for (const entry of problem.errors) {
      expect(entry).toEqual({
        location: expect.any(Array),
        message: expect.any(String),
        type: expect.any(String),
      });
    }
    if (refusal.location !== undefined)
      expect(problem.errors[0]?.location).toEqual(refusal.location);
  }
  if (refusal.status === 503) expect(reply.headers["retry-after"]).toMatch(/^\d+$/);
  await expectAlive();
}

function deep(levels: number): string {
  return `${"[".repeat(levels)}1${"]".repeat(levels)}`;
}

const IRIS_INPUT = { name: "float_input", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] };

describe("POST /predict refuses", () => {
  const CODES = {
    json: { status: 400, code: "INVALID_JSON" },
    body: { status: 400, code: "INVALID_BODY" },
    tensor: { status: 400, code: "INVALID_TENSOR" },
    media: { status: 415, code: "UNSUPPORTED_MEDIA_TYPE" },
  } as const;
  const json = { "content-type": "application/json" };
  const cases: readonly [string, Question, Refusal][] = [
    [
      "JSON that ends too early",
      { body: '{"data": [[1, 2' },
      { ...CODES.json, location: ["body", 15], message: /end of the body/ },
    ],
    ["text that is no JSON", { body: "data=1,2,3" }, { ...CODES.json, message: /expected/ }],
    [
      "two values",
      { body: "[[1,2,3,4]] [[1,2,3,4]]" },
      { ...CODES.json, message: /end of the body/ },
    ],
    ["a trailing comma", { body: "[[1,2,3,4,]]" }, { ...CODES.json, message: /Cannot parse JSON/ }],
    ["a comment", { body: "[[1,2,3,4]] // rows" }, { ...CODES.json, message: /Cannot parse JSON/ }],
    ["NaN as a word", { body: "[[NaN,2,3,4]]" }, { ...CODES.json, message: /Cannot parse JSON/ }],
    ["a leading zero", { body: "[[01,2,3,4]]" }, { ...CODES.json, message: /byte/ }],
    ["no body", { method: "POST" }, { ...CODES.body, message: /the body is empty/ }],
    ["null", { body: "null" }, { ...CODES.body, message: /expected/ }],
    ["a number", { body: "7" }, { ...CODES.body, message: /expected/ }],
    [
      "an empty object",
      { body: "{}" },
      { ...CODES.body, location: ["body"], message: /the object is empty/ },
    ],
    [
      "an unknown member",
      { body: { dat: SETOSA } },
      { ...CODES.body, location: ["body", "dat"], message: /expected "data" or "inputs"/ },
    ],
    [
      "data twice",
      { body: '{"data": [[1,2,3,4]], "data": [[1,2,3,4]]}' },
      { ...CODES.body, message: /data/ },
    ],
    [
      "data beside inputs",
      { body: { data: SETOSA, inputs: {} } },
      { ...CODES.body, message: /found "inputs" after "data"/ },
    ],
    [
      "an unknown input",
      { body: { inputs: { foo: SETOSA } } },
      { ...CODES.body, location: ["body", "inputs", "foo"], message: /foo/ },
    ],
    [
      "data of another type",
      { body: { data: "1,2,3,4" } },
      { ...CODES.tensor, location: ["body", "data"], message: /string/ },
    ],
    [
      "rows that are too short",
      { body: { data: [[1, 2, 3]] } },
      { ...CODES.tensor, location: ["body", "data", 0], message: /found 3 values, expected 4/ },
    ],
    [
      "rows of different lengths",
      {
        body: {
          data: [
            [1, 2, 3, 4],
            [1, 2, 3],
          ],
        },
      },
      { ...CODES.tensor, location: ["body", "data", 1], message: /found 3 values, expected 4/ },
    ],
    [
      "one row without its brackets",
      { body: { data: [1, 2, 3, 4] } },
      { ...CODES.tensor, location: ["body", "data"], message: /one more pair of brackets/ },
    ],
    [
      "brackets too many",
      { body: { data: [SETOSA] } },
      { ...CODES.tensor, location: ["body", "data"], message: /3 levels/ },
    ],
    [
      "no rows",
      { body: { data: [] } },
      { ...CODES.tensor, location: ["body", "data"], message: /no rows/ },
    ],
    [
      "a row without values",
      { body: { data: [[]] } },
      { ...CODES.tensor, location: ["body", "data", 0], message: /found 0 values, expected 4/ },
    ],
    [
      "a string for a number",
      { body: { data: [[1, 2, "wide", 4]] } },
      { ...CODES.tensor, location: ["body", "data", 0, 2], message: /"wide".*number/ },
    ],
    [
      "null for a number",
      { body: { data: [[1, 2, null, 4]] } },
      { ...CODES.tensor, location: ["body", "data", 0, 2], message: /null/ },
    ],
    [
      "true for a number",
      { body: { data: [[true, 2, 3, 4]] } },
      { ...CODES.tensor, location: ["body", "data", 0, 0], message: /true/ },
    ],
    [
      "an object for a number",
      { body: { data: [[{}, 2, 3, 4]] } },
      { ...CODES.tensor, location: ["body", "data", 0, 0], message: /number/ },
    ],
    [
      "a number beyond FP32",
      { body: "[[1e39, 2, 3, 4]]" },
      { ...CODES.tensor, location: ["body", 0, 0], message: /1e39/ },
    ],
    [
      "a number beyond all",
      { body: "[[1e999, 2, 3, 4]]" },
      { ...CODES.tensor, location: ["body", 0, 0], message: /1e999/ },
    ],
    [
      "250,000 brackets",
      { body: deep(250_000) },
      { status: 400, code: "INVALID_TENSOR", message: /deep/ },
    ],
    [
      "250,000 brackets elsewhere",
      { body: `{"x": ${deep(250_000)}}` },
      { ...CODES.json, message: /nesting is deeper than/ },
    ],
    [
      "250,000 open brackets",
      { body: `{"data": ${"[".repeat(250_000)}` },
      { status: 400, code: "INVALID_TENSOR", message: /deep/ },
    ],
    ["NUL bytes", { body: "\0\0\0" }, { status: 400, code: "INVALID_JSON", message: /byte 0/ }],
    [
      "a NUL inside",
      { body: '{"data": [[1, 2, \0 3, 4]]}' },
      { ...CODES.json, message: /Cannot parse JSON/ },
    ],
    [
      "invalid UTF-8 in a key",
      { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) },
      { status: 400, code: "INVALID_JSON", message: /UTF-8/ },
    ],
    [
      "a UTF-16 body",
      { body: Buffer.from("\ufeff[[1,2,3,4]]", "utf16le") },
      { status: 400, code: "INVALID_JSON", message: /byte 0/ },
    ],
    [
      "a body over the cap",
      { body: `[[${"1,".repeat(BODY_MAX / 2)}1]]` },
      {
        status: 413,
        code: "BODY_TOO_LARGE",
        location: ["body"],
        message: /larger than 1048576 bytes.*server\.bodyMax/,
      },
    ],
    [
      "a chunked body over the cap",
      { chunks: Array.from({ length: 20 }, () => " ".repeat(65_536)) },
      { status: 413, code: "BODY_TOO_LARGE", location: ["body"], message: /server\.bodyMax/ },
    ],
    [
      "XML",
      { headers: { "content-type": "application/xml" }, body: "<a/>" },
      { ...CODES.media, location: ["header", "content-type"], message: /application\/xml/ },
    ],
    [
      "an image",
      { headers: { "content-type": "image/png" }, body: "x" },
      { ...CODES.media, location: ["header", "content-type"], message: /image\/png/ },
    ],
    [
      "multipart",
      { headers: { "content-type": "multipart/form-data; boundary=x" }, body: "--x--" },
      { ...CODES.media, message: /multipart/ },
    ],
    [
      "an unknown coding",
      { headers: { ...json, "content-encoding": "br" }, body: "x" },
      { ...CODES.media, location: ["header", "content-encoding"], message: /gzip/ },
    ],
    [
      "bytes that are not gzip",
      { headers: { ...json, "content-encoding": "gzip" }, body: "x" },
      { status: 400, code: "INVALID_BODY", location: ["body"], message: /gzip/ },
    ],
    [
      "a timeout without a unit",
      { headers: { "x-request-timeout": "2" }, body: SETOSA },
      {
        status: 400,
        code: "INVALID_HEADER",
        location: ["header", "x-request-timeout"],
        message: /250ms, 2s/,
      },
    ],
    [
      "a timeout of zero",
      { headers: { "x-request-timeout": "0s" }, body: SETOSA },
      {
        status: 400,
        code: "INVALID_HEADER",
        location: ["header", "x-request-timeout"],
        message: /above zero/,
      },
    ],
    [
      "a negative timeout",
      { headers: { "x-request-timeout": "-1s" }, body: SETOSA },
      { status: 400, code: "INVALID_HEADER", message: /x-request-timeout/ },
    ],
    [
      "a timeout that has passed",
      { headers: { "x-request-timeout": "0.000001ms" }, body: SETOSA },
      { status: 504, code: "DEADLINE_EXCEEDED", message: /deadline/ },
    ],
    [
      "an asynchronous reply",
      { headers: { prefer: "respond-async" }, body: SETOSA },
      { status: 501, code: "NOT_IMPLEMENTED", message: /respond-async/ },
    ],
    [
      "an unknown service",
      {},
      {
        status: 404,
        code: "MODEL_NOT_FOUND",
        message: /Request for unknown model: 'nobody'.*'iris'/,
      },
    ],
  ];
  it.each(cases)("%s", async (name, question, refusal) => {
    const path = name === "an unknown service" ? "/services/nobody/predict" : "/predict";
    await expectRefusal(path, { method: "POST", ...question }, refusal);
  });

  it("a missing input, naming it", async () => {
    await expectRefusal(
      "/services/add/predict",
      { body: { inputs: { INPUT0: SETOSA } } },
      {
        ...CODES.body,
        location: ["body", "inputs", "INPUT1"],
        message: /missing/,
      },
    );
    await expectRefusal(
      "/services/add/predict",
      { body: { data: SETOSA } },
      {
        ...CODES.body,
        location: ["body", "data"],
        message: /one input, this one has 2/,
      },
    );
    const rows = {
      INPUT0: [[1, 2, 3, 4]],
      INPUT1: [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    };
    await expectRefusal(
      "/services/add/predict",
      { body: { inputs: rows } },
      {
        ...CODES.tensor,
        location: ["body", "inputs", "INPUT1"],
        message: /found 2 rows, expected 1/,
      },
    );
  });

  it("an input that stands twice", async () => {
    const body =
      '{"inputs": {"INPUT0": [[1,2,3,4]], "INPUT0": [[5,6,7,8]], "INPUT1": [[1,2,3,4]]}}';
    await expectRefusal(
      "/services/add/predict",
      { body },
      {
        status: 400,
        code: "INVALID_BODY",
        location: ["body", "inputs", "INPUT0"],
        message: /twice/,
      },
    );
  });

  it("each wrong element by its place, at most 20", async () => {
    const row = Array.from({ length: 4 }, () => "x");
    const reply = await send("/predict", {
      body: { data: Array.from({ length: 1000 }, () => row) },
    });
    const { errors } = reply.json as { errors: { location: unknown }[] };
    expect(errors).toHaveLength(20);
    expect(errors[6]?.location).toEqual(["body", "data", 1, 2]);
    expect(reply.text.length).toBeLessThan(5_000);
    await expectAlive();
  });

  it.each([
    ["int8", "[[128]]", /128/],
    ["int8", "[[-129]]", /-129/],
    ["int8", "[[1.5]]", /1\.5/],
    ["int8", "[[1e2000]]", /1e2000/],
    ["uint8", "[[256]]", /256/],
    ["uint8", "[[-1]]", /-1/],
    ["int64", "[[9223372036854775808]]", /9223372036854775808/],
    ["int64", "[[-9223372036854775809]]", /-9223372036854775809/],
    ["uint64", "[[18446744073709551616]]", /18446744073709551616/],
    ["uint64", "[[-1]]", /-1/],
    ["bool", "[[1]]", /true or false/],
    ["text", "[[1]]", /string/],
  ])("%s %s", async (service, body, message) => {
    await expectRefusal(
      `/services/${service}/predict`,
      { body },
      {
        status: 400,
        code: "INVALID_TENSOR",
        location: ["body", 0, 0],
        message,
      },
    );
  });

  it("text with half of a surrogate pair", async () => {
    await expectRefusal(
      "/services/text/predict",
      { body: '[["fine", "\\ud800"]]' },
      { ...CODES.tensor, location: ["body", 0, 1], message: /surrogate/ },
    );
  });

  it.each([
    ["invalid UTF-8", Buffer.from([...Buffer.from('[["'), 0xc3, 0x28, ...Buffer.from('"]]')])],
    ["a raw control character", '[["a\u0001b"]]'],
  ])("text with %s", async (_name, body) => {
    await expectRefusal(
      "/services/text/predict",
      { body },
      {
        status: 400,
        code: "INVALID_JSON",
        message: /Cannot parse JSON/,
      },
    );
  });
});

describe("POST /v2/models/M/infer refuses", () => {
  const body = (input: object, rest: object = {}): Question => ({
    body: { inputs: [{ ...IRIS_INPUT, ...input }], ...rest },
  });
  const bad = (message: RegExp, code = "INVALID_BODY"): Refusal => ({ status: 400, code, message });
  const cases: readonly [string, Question, Refusal][] = [
    ["JSON that ends too early", { body: '{"inputs": [' }, bad(/end of the body/, "INVALID_JSON")],
    ["no inputs", { body: {} }, bad(/body\.inputs: missing.*float_input/)],
    ["inputs of another type", { body: { inputs: {} } }, bad(/found object/)],
    ["an empty list", { body: { inputs: [] } }, bad(/float_input.* is missing/)],
    ["an unknown input", body({ name: "x" }), bad(/unknown input "x", expected "float_input"/)],
    [
      "an input twice",
      { body: { inputs: [IRIS_INPUT, IRIS_INPUT] } },
      bad(/twice/, "INVALID_TENSOR"),
    ],
    ["no name", body({ name: undefined }), bad(/inputs\.0\.name: missing/)],
    ["no shape", body({ shape: undefined }), bad(/inputs\.0\.shape: missing/)],
    ["no datatype", body({ datatype: undefined }), bad(/inputs\.0\.datatype: missing/)],
    ["no data", body({ data: undefined }), bad(/inputs\.0\.data: missing/)],
    ["an unknown datatype", body({ datatype: "FLOAT" }), bad(/"FLOAT", expected one of/)],
    [
      "another datatype",
      body({ datatype: "INT64" }),
      bad(/found INT64, expected FP32/, "INVALID_TENSOR"),
    ],
    [
      "a shape with another width",
      body({ shape: [1, 5], data: [1, 2, 3, 4, 5] }),
      bad(/\[1, 5\]/, "INVALID_TENSOR"),
    ],
    [
      "more elements than the shape",
      body({ data: [1, 2, 3, 4, 5] }),
      bad(/5 elements/, "INVALID_TENSOR"),
    ],
    [
      "fewer elements than the shape",
      body({ data: [1, 2, 3] }),
      bad(/3 elements/, "INVALID_TENSOR"),
    ],
    ["no rows", body({ shape: [0, 4], data: [] }), bad(/no rows/, "INVALID_TENSOR")],
    ["a negative extent", body({ shape: [-1, 4] }), bad(/at least 0/)],
    ["a fraction as extent", body({ shape: [1.5, 4] }), bad(/whole numbers/)],
    ["a string as extent", body({ shape: ["1", 4] }), bad(/whole numbers/)],
    ["a product beyond 2^64", body({ shape: [4294967296, 4294967297] }), bad(/product/)],
    [
      "a product that overflows with the element size",
      body({ shape: [2 ** 51, 4], data: [] }),
      bad(/product|elements/),
    ],
    [
      "an extent beyond 2^64",
      {
        body: JSON.stringify({ inputs: [IRIS_INPUT] }).replace("[1,4]", "[18446744073709551617,4]"),
      },
      bad(/whole numbers/),
    ],
    ["an unknown output", body({}, { outputs: [{ name: "nope" }] }), bad(/unknown output "nope"/)],
    [
      "an output twice",
      body({}, { outputs: [{ name: "output_label" }, { name: "output_label" }] }),
      bad(/twice/),
    ],
    ["nesting in a parameter", body({}, { parameters: 7 }), bad(/expected an object/)],
    [
      "250,000 brackets in data",
      {
        body: `{"inputs":[{"name":"float_input","datatype":"FP32","shape":[1,4],"data":${deep(250_000)}}]}`,
      },
      bad(/deep/, "INVALID_TENSOR"),
    ],
    [
      "250,000 brackets in an unknown member",
      { body: `{"x":${deep(250_000)}}` },
      bad(/nesting is deeper/, "INVALID_JSON"),
    ],
    [
      "binary tensors without the header that says where they begin",
      body({ parameters: { binary_data_size: 16 }, data: undefined }),
      bad(/header inference-header-content-length is missing/),
    ],
    [
      "shared memory",
      body({ parameters: { shared_memory_region: "r" } }),
      { status: 501, code: "NOT_IMPLEMENTED", message: /shared memory/ },
    ],
    [
      "sequences",
      body({}, { parameters: { sequence_id: 3 } }),
      { status: 501, code: "NOT_IMPLEMENTED", message: /sequences/ },
    ],
    [
      "XML",
      { headers: { "content-type": "text/xml" }, body: "<a/>" },
      { status: 415, code: "UNSUPPORTED_MEDIA_TYPE", message: /text\/xml/ },
    ],
    [
      "a body over the cap",
      { body: " ".repeat(BODY_MAX + 1) },
      { status: 413, code: "BODY_TOO_LARGE", message: /server\.bodyMax/ },
    ],
    [
      "an asynchronous reply",
      { ...body({}), headers: { prefer: "respond-async" } },
      { status: 501, code: "NOT_IMPLEMENTED", message: /respond-async/ },
    ],
  ];
  it.each(cases)("%s", async (_name, question, refusal) => {
    await expectRefusal("/v2/models/iris/infer", question, refusal);
  });

  it.each([
    ["FP16, which has no JSON form", "/v2/models/fp16/infer", "FP16", 400],
    ["a model that does not exist", "/v2/models/nobody/infer", "FP32", 404],
    ["a version that does not exist", "/v2/models/iris/versions/9/infer", "FP32", 404],
    ["a version that is no number", "/v2/models/iris/versions/latest/infer", "FP32", 404],
    ["a model that is not ready", "/v2/models/absent/infer", "FP32", 503],
  ])("%s", async (_name, path, datatype, status) => {
    const reply = await send(path, {
      body: { inputs: [{ name: "INPUT", datatype, shape: [1, 1], data: [1] }] },
    });
    expect([reply.status, reply.headers["content-type"]]).toEqual([status, "application/json"]);
    expect(reply.json).toEqual({ error: expect.any(String) });
    if (status === 404) expect(reply.text).toContain("Request for unknown model");
    if (status === 503) expect(reply.headers["retry-after"]).toMatch(/^\d+$/);
    await expectAlive();
  });

  it("a model error with 500, the prediction's id and nothing else", async () => {
    const predicted = await send("/services/gather/predict", { body: { data: [7] } });
    expect([predicted.status, predicted.headers["x-error-code"]]).toEqual([500, "MODEL_FAILED"]);
    expect(predicted.json).toMatchObject({ prediction_id: predicted.headers["x-prediction-id"] });
    const inferred = await send("/v2/models/gather/infer", {
      body: { inputs: [{ name: "INDEX", datatype: "INT64", shape: [1], data: [7] }] },
    });
    expect(inferred.status).toBe(500);
    for (const { text } of [predicted, inferred]) {
      expect(text).not.toMatch(/Gather|onnx|indices|\.cc|out of (data )?bounds|\/tmp/i);
    }
    await expectAlive();
    expect((await send("/services/gather/predict", { body: { data: [2] } })).status).toBe(200);
  });
});

describe("other bad requests", () => {
  it.each([
    ["/v1/models/iris:predict", { inputs: SETOSA }, 400],
    ["/v1/models/iris:predict", { instances: [[1]] }, 400],
    ["/v1/models/iris:predict", { instances: [] }, 400],
    ["/v1/models/iris:classify", { instances: SETOSA }, 404],
    ["/v1/models/nobody:predict", { instances: SETOSA }, 404],
    ["/v1/models/iris", { instances: SETOSA }, 404],
    ["/invocations", {}, 400],
    ["/invocations", { dataframe_split: { columns: ["a"], data: [[1, 2]] } }, 400],
    ["/invocations", { dataframe_split: 7 }, 400],
    ["/invocations", { dataframe_records: [1] }, 400],
    ["/invocations", { instances: SETOSA, inputs: SETOSA }, 400],
    ["/v2/repository/index", { ready: "yes" }, 400],
    ["/v2/repository/models/iris/load", {}, 403],
    ["/v2/repository/models/iris/unload", {}, 403],
  ])("POST %s %j is refused with %i", async (path, body, status) => {
    const reply = await send(path, { body });
    expect([reply.status, reply.text]).toEqual([
      status,
      expect.stringMatching(/Cannot|Request for unknown model/),
    ]);
    expect(reply.headers["content-type"]).toBe(
      path === "/invocations" ? "application/problem+json" : "application/json",
    );
    await expectAlive();
  });

  it.each([
    ["an empty CSV", "", 400],
    ["a CSV without rows", "a,b,c,d\n", 400],
    ["a CSV with a text", "a,b,c,d\n1,2,three,4\n", 400],
    ["a CSV with a short row", "a,b,c,d\n1,2,3\n", 400],
    ["a CSV with a quote that never ends", 'a,b,c,d\n1,2,"3,4\n', 400],
    ["a good CSV", "a,b,c,d\n1,2,3,4\n5,6,7,8\n", 200],
  ])("POST /invocations with %s", async (_name, body, status) => {
    const reply = await send("/invocations", { headers: { "content-type": "text/csv" }, body });
    expect([reply.status, reply.text]).toEqual([status, expect.any(String)]);
    await expectAlive();
  });

  it.each([
    "/v2/models/..%2f..%2fetc%2fpasswd",
    "/v2/models/..%2f..%2fetc%2fpasswd/stats",
    "/v2/models/../../etc/passwd",
    "/v2/models/iris%00",
    "/v2/models/iris%2finfer",
    "/v2/models/%e2%80%ae",
    `/v2/models/${"a".repeat(250)}`,
    `/v2/models/${"a".repeat(3000)}`,
    "/v2/models/__proto__",
    "/v2/models/constructor/ready",
    "/services/%2e%2e/metadata",
    "/services/__proto__/predict/test",
    "/docs/assets/..%2f..%2fpackage.json",
    "/docs/assets/%2e%2e%2fpackage.json",
    "/docs/assets/constructor",
    "/docs/assets/__proto__",
    "/v2/models/%zz",
    "/%",
    "//",
    "/predict/",
    "/PREDICT",
    "/nope",
    "/v2/nope",
    "/v1/nope",
    "/v2x",
  ])("GET %s is 404", async (path) => {
    const reply = await send(path);
    expect([reply.status, reply.text]).toEqual([404, expect.stringMatching(/Cannot|unknown/)]);
    const isProtocol = /^\/v[12](\/|$)/.test(path);
    expect(reply.headers["content-type"]).toBe(
      isProtocol ? "application/json" : "application/problem+json",
    );
    expect(reply.text).not.toMatch(/root:|"dependencies"/);
    await expectAlive();
  });

  it.each([
    ["garbage", "GARBAGE\r\n\r\n", 400],
    ["TLS", Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 13, 10, 13, 10]), 400],
    [
      "two lengths",
      "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n[[]",
      400,
    ],
    [
      "length and chunks",
      "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a negative length", "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: -3\r\n\r\n", 400],
    [
      "a chunk size that is no number",
      "POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
    [
      "oversize headers",
      `GET /health HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ["an oversize path", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
  ])("%s on the wire is refused in the promised form", async (_name, bytes, status) => {
    const reply = await exchange(server.url, bytes);
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const [head = "", body = ""] = reply.split("\r\n\r\n");
    expect(head.toLowerCase()).toContain("content-type: application/problem+json");
    expect(head.toLowerCase()).toContain("x-error-code: ");
    expect(JSON.parse(body)).toMatchObject({ status, code: expect.any(String) as string });
    await expectAlive();
  });

  it("CONNECT and upgrades do no harm", async () => {
    await exchange(server.url, "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n");
    await hangUp(
      server.url,
      "GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    await expectAlive();
  });

  it("half requests and aborted connections do no harm", async () => {
    const head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    const errors = server.logLines.filter(({ level }) => level === "error").length;
    for (const bytes of [
      "POST /pre",
      head,
      `${head}content-length: 100\r\n\r\n[[1,`,
      `${head}transfer-encoding: chunked\r\n\r\n5\r\n[[1,2`,
      `${head}content-length: 11\r\n\r\n[[1,2,3,4]]`,
      "POST /services/slow/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n[[1,2,3,4]]",
    ]) {
      await Promise.all(Array.from({ length: 5 }, () => hangUp(server.url, bytes)));
      await expectAlive();
    }
    expect(server.logLines.filter(({ level }) => level === "error")).toHaveLength(errors);
  });
});

describe("good requests of unusual form", () => {
  const rows = JSON.stringify({ data: SETOSA });

  it.each([
    ["a chunked body", { chunks: ['{"da', 'ta": [[5.1,', "3.5,1.4,0.2", "]]}"] }],
    ["a body in 70,000 chunks", { chunks: manyChunks(rows, 70_000) }],
    ["no content type", { body: rows }],
    [
      "the content type of curl -d",
      { headers: { "content-type": "application/x-www-form-urlencoded" }, body: rows },
    ],
    ["a charset", { headers: { "content-type": "application/json; charset=utf-8" }, body: rows }],
    ["a JSON subtype", { headers: { "content-type": "application/vnd.shop+json" }, body: rows }],
    ["a media type in capitals", { headers: { "content-type": "Application/JSON" }, body: rows }],
    ["white space around", { body: `\r\n\t ${rows} \n` }],
    ["exponents", { body: "[[51e-1, 0.35E+1, 1.4, 2e-1]]" }],
    ["a query", { body: rows }],
    ["content-encoding identity", { headers: { "content-encoding": "identity" }, body: rows }],
    ["a body as large as the cap", { body: rows.padEnd(BODY_MAX, " ") }],
  ] satisfies [string, Question][])("%s", async (name, question) => {
    const path = name === "a query" ? "/predict?test_1=1&test_2=2" : "/predict";
    const reply = await send(path, { method: "POST", ...question });
    expect([reply.status, reply.text]).toEqual([
      200,
      expect.stringContaining('"prediction":[0.9669'),
    ]);
  });

  it("ignores unknown members, ids and parameters of the protocol", async () => {
    const reply = await send("/v2/models/iris/infer?x=1", {
      body: {
        id: "7",
        model_name: "iris",
        parameters: { priority: 1, binary_data_output: false },
        inputs: [
          {
            ...IRIS_INPUT,
            data: [
              [1, 2],
              [3, 4],
            ],
            parameters: { x: "y" },
          },
        ],
        outputs: [{ name: "output_label" }],
        extra: { nested: [1] },
      },
    });
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(reply.json).toEqual({
      model_name: "iris",
      model_version: "1",
      id: "7",
      outputs: [{ name: "output_label", datatype: "INT64", shape: [1], data: [2] }],
    });
    const anonymous = await send("/v2/models/iris/infer", { body: { inputs: [IRIS_INPUT] } });
    expect(anonymous.json).not.toHaveProperty("id");
    expect(anonymous.text).not.toContain("null");
  });

  it("answers one row with its output and several rows with several", async () => {
    const one = (await send("/predict", { body: SETOSA })).json;
    const two = (await send("/predict", { body: [...SETOSA, ...SETOSA] })).json as {
      prediction: number[][];
    };
    expect(two.prediction).toEqual([
      (one as { prediction: number[] }).prediction,
      two.prediction[1],
    ]);
    expect((await send("/predict/label", { body: SETOSA })).json).toEqual({ prediction: "setosa" });
    expect((await send("/label")).json).toEqual({ 0: "setosa", 1: "versicolor", 2: "virginica" });
  });
});

function* manyChunks(text: string, count: number): Iterable<string> {
  for (let i = text.length; i < count; i++) yield " ";
  yield* text;
}

describe("numbers", () => {
  const infer = (model: string, datatype: string, data: string): Promise<Answer> => {
    const count = JSON.parse(data) as unknown[];
    return send(`/v2/models/${model}/infer`, {
      body: `{"inputs":[{"name":"INPUT","datatype":"${datatype}","shape":[1,${count.length}],"data":${data}}]}`,
    });
  };

  it.each([
    ["int64", "INT64", "[-9223372036854775808,9007199254740993,9223372036854775807,-1,0]"],
    ["uint64", "UINT64", "[18446744073709551615,9007199254740993,0]"],
    ["int8", "INT8", "[-128,127,0]"],
    ["bool", "BOOL", "[true,false]"],
    ["fp64", "FP64", "[0.1,1.7976931348623157e+308,5e-324,-0]"],
    ["text", "BYTES", '["","héllo 🦊","\\"\\\\"]'],
  ])("%s round-trips exactly", async (model, datatype, data) => {
    const reply = await infer(model, datatype, data);
    expect(reply.status).toBe(200);
    const found = /"data":(\[.*\])\}\]\}$/.exec(reply.text)?.[1] ?? reply.text;
    if (datatype.includes("INT")) expect(found).toBe(data);
    else expect(JSON.parse(found)).toEqual(JSON.parse(data));
    const plain = await send(`/services/${model}/predict`, { body: `{"data":[${data}]}` });
    if (datatype.includes("INT")) expect(plain.text).toBe(`{"prediction":${data}}`);
  });

  it("writes infinities and NaN as null", async () => {
    const inputs = { INPUT0: [[3e38, 1, 1, 1]], INPUT1: [[3e38, 1, 1, 1]] };
    const infinite = await send("/services/add/predict", { body: { inputs } });
    expect(infinite.json).toEqual({ prediction: [null, 2, 2, 2] });
    const nan = await send("/services/slow/predict", { body: [[3e38, 3e38, 3e38, 3e38]] });
    expect(nan.json).toEqual({ prediction: [null, null, null, null] });
  });
});

describe("deadlines and overload", () => {
  it("answers 504 when the model takes longer than the client allows", async () => {
    const before = await readMetrics(server.facts.metrics);
    const question = { headers: { "x-request-timeout": "30ms" }, body: SETOSA };
    const replies = await Promise.all(
      Array.from({ length: 3 }, () => send("/services/slow/predict", question)),
    );
    for (const reply of replies) {
      expect([reply.status, reply.headers["x-error-code"]]).toEqual([504, "DEADLINE_EXCEEDED"]);
      expect(reply.headers["x-prediction-id"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    }
    await expectAlive();
    const after = await readMetrics(server.facts.metrics);
    const labels = { service: "slow", code: "DEADLINE_EXCEEDED" };
    const name = "inference_requests_total";
    expect(after.sum(name, labels) - before.sum(name, labels)).toBe(3);
  });

  it("answers 503 with Retry-After when too many requests wait, and serves again afterwards", async () => {
    // Over connections that stand already: a process that is busy with a model takes new ones one by one.
    const agent = new Agent({ keepAlive: true, maxFreeSockets: 1_100 });
    const all = (path: string, question: Question): Promise<Answer[]> =>
      Promise.all(Array.from({ length: 1_100 }, () => send(path, { ...question, agent })));
    await all("/health", {});
    const headers = { "x-request-timeout": "3000ms" };
    const replies = await all("/services/slow/predict", { headers, body: SETOSA });
    agent.destroy();
    const refused = replies.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(50);
    for (const { headers: reply, json } of refused) {
      expect(reply["retry-after"]).toMatch(/^\d+$/);
      expect(json).toMatchObject({ code: "OVERLOADED", reason: "predicted_deadline" });
    }
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThan(1);
    await expectAlive();
    const metrics = await readMetrics(server.facts.metrics);
    const reason = "predicted_deadline";
    expect(metrics.sum("inference_rejected_total", { reason })).toBe(refused.length);
  });
});

/** Every route with a method it takes and the scope it needs; `:` parts are filled in. */
const ROUTES: readonly (readonly [path: string, methods: string, scope: string])[] = [
  ...["", "/services/iris"].flatMap((prefix) => [
    [`${prefix}/predict`, "POST", "infer"] as const,
    [`${prefix}/predict/label`, "POST", "infer"] as const,
    [`${prefix}/predict/test`, "GET", "infer"] as const,
    [`${prefix}/predict/test/label`, "GET", "infer"] as const,
    [`${prefix}/label`, "GET", "read"] as const,
    [`${prefix}/metadata`, "GET", "read"] as const,
    [`${prefix}/health`, "GET", "none"] as const,
  ]),
  ["/health/all", "GET", "none"],
  ["/v2", "GET", "read"],
  ["/v2/health/live", "GET", "none"],
  ["/v2/health/ready", "GET", "none"],
  ["/v2/models", "GET", "read"],
  ["/v2/models/stats", "GET", "read"],
  ...["/v2/models/iris", "/v2/models/iris/versions/1"].flatMap((prefix) => [
    [prefix, "GET", "read"] as const,
    [`${prefix}/ready`, "GET", "none"] as const,
    [`${prefix}/config`, "GET", "read"] as const,
    [`${prefix}/stats`, "GET", "read"] as const,
    [`${prefix}/batches`, "GET", "read"] as const,
    [`${prefix}/infer`, "POST", "infer"] as const,
  ]),
  ["/v2/repository/index", "POST", "read"],
  ["/v2/repository/models/iris/load", "POST", "admin"],
  ["/v2/repository/models/iris/unload", "POST", "admin"],
  ["/v1/models/iris:predict", "POST", "infer"],
  ["/v1/models/iris", "GET", "read"],
  ["/invocations", "POST", "infer"],
  ["/ping", "GET", "none"],
  ["/version", "GET", "none"],
  ["/openapi.json", "GET", "read"],
  ["/docs", "GET", "none"],
  ["/redoc", "GET", "none"],
  ["/docs/assets/docs.js", "GET", "none"],
  ["/docs/assets/redoc-page.js", "GET", "none"],
];

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "QUERY",
];

describe("routes and methods", () => {
  it.each(ROUTES)("%s takes %s only", async (path, method) => {
    const isModelPath = /^\/v1\/models\/[^/]+$/.test(path); // GET and :predict share a pattern
    for (const other of METHODS) {
      const reply = await send(path, { method: other });
      if (method === other || (method === "GET" && other === "HEAD")) {
        expect([other, reply.status]).not.toEqual([other, 405]);
        continue;
      }
      if (isModelPath && ["GET", "HEAD", "POST"].includes(other)) continue;
      expect([other, reply.status]).toEqual([other, 405]);
      expect(reply.headers["allow"]?.split(", ")).toContain(method);
      if (other !== "HEAD") expect(reply.text).toContain(`Cannot ${other} ${path}`);
      const isProtocol = path.startsWith("/v");
      if (isProtocol && path !== "/version") {
        expect(reply.headers["content-type"]).toBe("application/json");
      } else expect(reply.headers["content-type"]).toBe("application/problem+json");
    }
    await expectAlive();
  });

  it.each(ROUTES.filter(([, method]) => method === "GET"))(
    "HEAD %s is GET without a body",
    async (path) => {
      const [get, head] = [await send(path), await send(path, { method: "HEAD" })];
      expect([head.status, head.text]).toEqual([get.status, ""]);
      expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
      expect(get.status).toBe(200);
    },
  );

  it.each([
    ["/predict/test", "application/json"],
    ["/metadata", "application/json"],
    ["/v2/models/iris", /^application\/json/],
    ["/v2/health/ready", /^application\/json/],
    ["/health", /^application\/json/],
    ["/openapi.json", /^application\/json/],
    ["/docs", "text/html; charset=utf-8"],
    ["/redoc", "text/html; charset=utf-8"],
    ["/version", "text/plain; charset=utf-8"],
    ["/docs/assets/swagger-ui.css", "text/css; charset=utf-8"],
  ])("GET %s is %s", async (path, type) => {
    const { headers } = await send(path);
    if (typeof type === "string") expect(headers["content-type"]).toBe(type);
    else expect(headers["content-type"]).toMatch(type);
  });

  it("every prediction carries its headers", async () => {
    for (const path of ["/predict", "/predict/label", "/services/iris/predict"]) {
      const { headers } = await send(path, { body: SETOSA });
      expect(headers["content-type"]).toBe("application/json");
      expect(headers["x-prediction-id"]).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(headers["x-model"]).toBe("iris@1");
      expect(headers["server-timing"]).toMatch(
        /^queue;dur=[\d.]+, batch;dur=[\d.]+, infer;dur=[\d.]+$/,
      );
    }
  });

  it("statistics match a script of requests", async () => {
    interface Stats {
      model_stats: {
        inference_count: number;
        execution_count: number;
        inference_stats: { success: { count: number }; fail: { count: number } };
      }[];
    }
    const stats = async (): Promise<Stats["model_stats"][number] | undefined> => {
      const { json } = await send("/v2/models/fixed/stats");
      expect((json as Stats).model_stats).toHaveLength(1);
      return (json as Stats).model_stats[0];
    };
    const before = await stats();
    const input = { name: "INPUT", datatype: "FP32", shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };
    for (let i = 0; i < 5; i++) {
      expect((await send("/v2/models/fixed/infer", { body: { inputs: [input] } })).status).toBe(
        200,
      );
    }
    const after = await stats();
    expect((after?.execution_count ?? 0) - (before?.execution_count ?? 0)).toBe(5);
    expect(
      (after?.inference_stats.success.count ?? 0) - (before?.inference_stats.success.count ?? 0),
    ).toBe(5);
  });
});

describe("request ids", () => {
  it.each(["abc-123", "a", "A.b:c/d+e=f@g_h", "x".repeat(128)])("%s is echoed", async (id) => {
    const reply = await send("/predict", { headers: { "x-request-id": id }, body: SETOSA });
    expect(reply.headers["x-request-id"]).toBe(id);
  });
  it.each(["", "a b", "x".repeat(129), "a\tb", "<script>", 'a"b', "a,b", "${jndi:x}", "é"])(
    "%j is replaced",
    async (id) => {
      const reply = await send("/predict", { headers: { "x-request-id": id }, body: SETOSA });
      expect(reply.headers["x-request-id"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    },
  );
  it("is on errors of every kind too", async () => {
    for (const path of ["/nope", "/predict", "/v2/models/nobody"]) {
      const reply = await send(path, { headers: { "x-request-id": "mine" } });
      expect([path, reply.headers["x-request-id"]]).toEqual([path, "mine"]);
    }
  });
});

describe("browsers", () => {
  it.each(["http://evil.example", "null", "https://evil.example:8443", "http://127.0.0.1:1"])(
    "a POST from %s is refused without CORS",
    async (origin) => {
      for (const path of ["/predict", "/v2/models/iris/infer", "/invocations"]) {
        const reply = await send(path, { headers: { origin }, body: SETOSA });
        expect([reply.status, reply.headers["x-error-code"]]).toEqual([403, "FORBIDDEN"]);
        expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
      }
    },
  );

  it("a POST from its own pages is taken, and a GET shows nothing to others", async () => {
    const own = await send("/predict", { headers: { origin: server.url }, body: SETOSA });
    expect(own.status).toBe(200);
    const other = await send("/metadata", { headers: { origin: "http://evil.example" } });
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("OPTIONS says no without CORS", async () => {
    const reply = await send("/predict", {
      method: "OPTIONS",
      headers: { origin: "http://evil.example", "access-control-request-method": "POST" },
    });
    expect(reply.status).toBeOneOf([403, 405]);
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("an origin of the file may call, with its preflight, and no other", async () => {
    const origin = "https://shop.example";
    const file = `server: { cors: { origins: ["${origin}"] }, auth: { keys: [{ name: shop, secret: s3cret, scopes: [infer] }] } }\n`;
    using workspace = folderWith(file + MODELS);
    await using other = await start(workspace);
    const preflight = (from: string): Promise<Answer> =>
      ask(other.url, "/predict", {
        method: "OPTIONS",
        headers: {
          origin: from,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,x-request-timeout",
        },
      });
    const allowed = await preflight(origin);
    expect(allowed.status).toBeOneOf([200, 204]);
    expect(allowed.headers).toMatchObject({ "access-control-allow-origin": origin });
    expect(allowed.headers["access-control-allow-methods"]).toContain("POST");
    expect(allowed.headers["access-control-allow-headers"]).toContain("authorization");
    expect(allowed.headers["vary"]).toMatch(/origin/i);
    expect(
      (await preflight("http://evil.example")).headers["access-control-allow-origin"],
    ).not.toBe("http://evil.example");
    const headers = { origin, authorization: "Bearer s3cret" };
    const reply = await ask(other.url, "/predict", { headers, body: SETOSA });
    expect(reply.status).toBe(200);
    expect(reply.headers["access-control-allow-origin"]).toBe(origin);
    expect(reply.headers["access-control-expose-headers"]).toContain("x-prediction-id");
    const failed = await ask(other.url, "/predict", { headers, body: "[[" });
    expect([failed.status, failed.headers["access-control-allow-origin"]]).toEqual([400, origin]);
    const evil = { ...headers, origin: "http://evil.example" };
    expect((await ask(other.url, "/predict", { headers: evil, body: SETOSA })).status).toBe(403);
    const wrong = await ask(other.url, "/predict", { method: "DELETE", headers });
    expect([wrong.status, wrong.headers["allow"]]).toEqual([405, "POST"]);
    expect((await ask(other.url, "/nope", { headers })).status).toBe(404);
  });
});

describe("keys", () => {
  const SECRETS = { infer: "infer-s3cret", read: "read-s3cret", admin: "admin-s3cret" } as const;
  let workspace: Workspace;
  let locked: MillraceProcess;
  beforeAll(async () => {
    const keys = Object.entries(SECRETS).map(
      ([scope, secret]) => `{ name: ${scope}, secret: ${secret}, scopes: [${scope}] }`,
    );
    workspace = folderWith(
      `server: { log: { access: all }, auth: { keys: [${keys.join(", ")}] } }\n${MODELS}`,
    );
    locked = await start(workspace);
  });
  afterAll(async () => {
    await locked.stop();
    workspace[Symbol.dispose]();
  });

  const GRANTS: Readonly<Record<string, readonly string[]>> = {
    nobody: ["none"],
    stranger: ["none"],
    read: ["none", "read"],
    infer: ["none", "read", "infer"],
    admin: ["none", "read", "infer", "admin"],
  };
  const headersOf = (role: string): Record<string, string> => {
    if (role === "nobody") return {};
    const secret = SECRETS[role as keyof typeof SECRETS] ?? "wrong-s3cret";
    return { authorization: `Bearer ${secret}` };
  };

  it.each(Object.keys(GRANTS))(
    "%s gets through the doors that are theirs and no other",
    async (role) => {
      for (const [path, method, scope] of ROUTES) {
        for (const other of METHODS) {
          const reply = await ask(locked.url, path, { method: other, headers: headersOf(role) });
          const door = `${role} ${other} ${path}`;
          const isOpen = GRANTS[role]?.includes(scope) ?? false;
          if (other === method || (method === "GET" && other === "HEAD")) {
            const refusal = role === "nobody" || role === "stranger" ? 401 : 403;
            if (isOpen)
              expect([door, reply.status]).not.toEqual([door, expect.toBeOneOf([401, 403])]);
            else expect([door, reply.status]).toEqual([door, refusal]);
          } else
            expect([door, reply.status]).toEqual([door, expect.toBeOneOf([401, 403, 404, 405])]);
        }
      }
      const load = await ask(locked.url, "/v2/repository/models/iris/load", {
        method: "POST",
        headers: headersOf("admin"),
      });
      expect(load.status).toBe(200); // the admin's run has unloaded it
    },
    60_000,
  );

  it.each([
    "//predict",
    "/./predict",
    "/predict/",
    "/predict/../predict",
    "/%70redict",
    "/predict%2f",
    "/predict;a=b",
    "/predict?key=admin-s3cret",
    "/Predict",
    "/services/iris/../iris/predict",
    "/services/%69ris/predict",
    "/v2//models/iris/infer",
    "/v2/models/iris/versions/1//infer",
  ])("there is no second door at %s", async (path) => {
    for (const method of ["GET", "POST", "OPTIONS", "HEAD", "QUERY"]) {
      const question = method === "GET" || method === "HEAD" ? {} : { body: SETOSA };
      const reply = await ask(locked.url, path, { method, ...question });
      expect([method, reply.status]).toEqual([method, expect.toBeOneOf([401, 404, 405])]);
    }
    const absolute = await exchange(
      locked.url,
      `GET http://127.0.0.1/metadata HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    expect(absolute).toMatch(/^HTTP\/1\.1 40[14] /);
  });

  it.each([
    "Bearer",
    "Bearer ",
    "Basic aW5mZXItczNjcmV0",
    "infer-s3cret",
    "Bearer infer-s3cre",
    "Bearer infer-s3crets",
    "Bearer INFER-S3CRET",
    "Bearer infer-s3cret infer-s3cret",
    `Bearer ${"x".repeat(2000)}`,
  ])("%s is no key", async (authorization) => {
    const reply = await ask(locked.url, "/predict", { headers: { authorization }, body: SETOSA });
    expect([reply.status, reply.headers["x-error-code"]]).toEqual([401, "UNAUTHENTICATED"]);
    expect(reply.headers["www-authenticate"]).toMatch(/^Bearer/);
  });

  it("a key in other letters of Bearer is taken", async () => {
    const headers = { authorization: "bearer infer-s3cret" };
    expect((await ask(locked.url, "/predict", { headers, body: SETOSA })).status).toBe(200);
  });

  it("unload and load work for the admin", async () => {
    const headers = headersOf("admin");
    const unload = await ask(locked.url, "/v2/repository/models/int8/unload", {
      headers,
      body: {},
    });
    expect([unload.status, unload.json]).toEqual([200, { name: "int8", unload: true }]);
    const asked = { headers, body: { data: [[1]] } };
    expect((await ask(locked.url, "/services/int8/predict", asked)).status).toBe(503);
    const index = await ask(locked.url, "/v2/repository/index", { headers, method: "POST" });
    expect(index.json).toContainEqual({
      name: "int8",
      state: "UNAVAILABLE",
      reason: "unloaded by request",
    });
    const load = await ask(locked.url, "/v2/repository/models/int8/load", { headers, body: {} });
    expect([load.status, load.json]).toEqual([200, { name: "int8", load: true }]);
    expect((await ask(locked.url, "/services/int8/predict", asked)).status).toBe(200);
    const absent = await ask(locked.url, "/v2/repository/models/absent/load", {
      headers,
      body: {},
    });
    expect([absent.status, absent.text]).toEqual([400, expect.stringContaining("failed to load")]);
    const file = { parameters: { config: "{}", "file:1/model.onnx": "AAAA" } };
    const upload = await ask(locked.url, "/v2/repository/models/int8/load", {
      headers,
      body: file,
    });
    expect(upload.status).toBe(501);
  });

  it("no key is ever logged", () => {
    for (const secret of Object.values(SECRETS)) expect(locked.printed).not.toContain(secret);
  });
});

describe("TLS", () => {
  it("serves HTTPS with the file's certificate, and nothing else on that port", async () => {
    using workspace = folderWith(`server: { tls: { cert: cert.pem, key: key.pem } }\n${MODELS}`);
    execFileSync(
      "openssl",
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1".split(
        " ",
      ),
      { cwd: workspace.path, stdio: "ignore" },
    );
    await using secure = await start(workspace);
    expect(secure.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const ca = readFileSync(workspace.file("cert.pem"), "utf8");
    const reply = await ask(secure.url, "/predict", { body: SETOSA, ca });
    expect([reply.status, reply.headers["x-model"]]).toEqual([200, "iris@1"]);
    await expect(ask(secure.url, "/health")).rejects.toThrow(/self.signed/);
    expect(
      await exchange(secure.url.replace("https", "http"), "GET /health HTTP/1.1\r\n\r\n"),
    ).not.toContain("200");
    const own = { origin: secure.url };
    expect((await ask(secure.url, "/predict", { headers: own, body: SETOSA, ca })).status).toBe(
      200,
    );
    expect((await ask(secure.url, "/health", { ca })).status).toBe(200);
  });
});

describe("GET /openapi.json", () => {
  interface Operation {
    readonly tags?: string[];
    readonly responses: Record<string, { description: string }>;
    readonly requestBody?: { content: Record<string, { example?: unknown; schema: object }> };
  }
  it("is an OpenAPI 3.1 document whose operations work with their own examples", async () => {
    const document = (await send("/openapi.json")).json as {
      openapi: string;
      info: { title: string; version: string };
      paths: Record<string, Record<string, Operation>>;
    };
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info.title).toBeTypeOf("string");
    expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/predict",
        "/services/iris/predict",
        "/v2/models/iris/infer",
        "/health",
      ]),
    );
    expectReferences(document, document);
    for (const [path, item] of Object.entries(document.paths)) {
      expect(path).toMatch(/^\//);
      for (const [method, operation] of Object.entries(item)) {
        expect(method).toMatch(/^(get|post)$/);
        for (const [status, response] of Object.entries(operation.responses)) {
          expect(status).toMatch(/^([1-5]\d\d|[1-5]XX|default)$/);
          expect(response.description).toBeTypeOf("string");
        }
        const example = operation.requestBody?.content["application/json"]?.example;
        if (!path.includes("iris") && path !== "/predict" && path !== "/predict/label") continue;
        if (method === "post") expect([path, example]).toEqual([path, expect.any(Object)]);
        const reply = await send(path, method === "get" ? {} : { body: example as object });
        const documented = Object.keys(operation.responses).filter((status) => status < "300");
        expect([path, [String(reply.status)]]).toEqual([path, documented]);
      }
    }
  });

  it("names every route there is", async () => {
    const { paths } = (await send("/openapi.json")).json as { paths: Record<string, object> };
    const known = new Set(Object.keys(paths));
    const missing = ROUTES.map(([path]) => path).filter(
      (path) =>
        !known.has(path) &&
        !known.has(path.replace("models/iris/", "models/{model}/")) &&
        !/^\/(docs|redoc|openapi)/.test(path),
    );
    expect(missing).toEqual([]);
  });
});

/** Every `$ref` points at something. */
function expectReferences(document: object, node: unknown): void {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key !== "$ref") expectReferences(document, value);
    else {
      const target = String(value)
        .split("/")
        .slice(1)
        .reduce<unknown>((from, name) => (from as Record<string, unknown>)[name], document);
      expect([value, target]).toEqual([value, expect.any(Object)]);
    }
  }
}

it("prints no stack trace outside of its log lines", () => {
  expect(server.printed).not.toMatch(STACK_LINE);
});
