import { gunzipSync, gzipSync, deflateSync, inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, exchange, type Answer, type Question } from "./http-client.ts";
import { MillraceProcess } from "./millrace-process.ts";
import { fixture, IRIS, STACK_LINE, Workspace } from "./workspace.ts";

const DATATYPES = [
  "bool",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "int8",
  "int16",
  "int32",
  "int64",
  "fp16",
  "fp32",
  "fp64",
  "bytes",
] as const;

const ADMIN = { authorization: "Bearer open-sesame" };

let folder: Workspace;
let server: MillraceProcess;

beforeAll(async () => {
  const identities = DATATYPES.map((name) => `identity-${name}`);
  const others = ["simple", "simple-string", "simple-identity", "slow", "fixed-shape"];
  const models = [...identities, ...others];
  folder = new Workspace({
    "iris.onnx": IRIS,
    ...Object.fromEntries(models.map((name) => [`${name}.onnx`, fixture(`${name}.onnx`)])),
    "millrace.yaml": [
      "server: { bodyMax: 8MiB, auth: { keys: [",
      "  { name: admin, secret: open-sesame, scopes: [admin] }] } }",
      "models:",
      "  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }",
      ...models.map((name) => `  ${name}: ./${name}.onnx`),
      // What takes long on a busy machine must not be refused for that.
      "services:",
      "  iris: { default: true }",
      "  identity-uint8: { timeout: 60s }",
      "  slow: { timeout: 60s }",
    ].join("\n"),
  });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function send(path: string, question: Question = {}): Promise<Answer> {
  return ask(server.url, path, { ...question, headers: { ...ADMIN, ...question.headers } });
}

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data?: unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

interface InferBody {
  readonly id?: string;
  readonly outputs: Output[];
}

const JSON_LENGTH = "inference-header-content-length";

/** JSON with bytes behind it, as a request of the binary tensor extension. */
function binaryRequest(json: object | string, ...parts: readonly (readonly number[])[]): Question {
  const head = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
  const body = Buffer.concat([head, ...parts.map((part) => Buffer.from(part))]);
  return { method: "POST", body, headers: { [JSON_LENGTH]: String(head.length) } };
}

function sized(input: object, binary_data_size: number): object {
  return { ...input, parameters: { binary_data_size } };
}

/** The JSON and the bytes behind it of a reply. */
function split(reply: Answer): { readonly json: InferBody; readonly bytes: number[] } {
  const length = reply.headers[JSON_LENGTH];
  expect([reply.status, reply.text.slice(0, 200)]).toEqual([200, expect.any(String)]);
  expect(reply.headers["content-type"]).toBe("application/octet-stream");
  const head = Buffer.from(reply.bytes.subarray(0, Number(length))).toString();
  return {
    json: JSON.parse(head) as InferBody,
    bytes: [...reply.bytes.subarray(Number(length))],
  };
}

/** Bytes of one row of two elements, written down by hand: what goes in must come out. */
const ROWS: readonly (readonly [(typeof DATATYPES)[number], readonly number[]])[] = [
  ["bool", [1, 0]],
  ["uint8", [0, 255]],
  ["uint16", [1, 0, 255, 255]],
  ["uint32", [1, 0, 0, 0, 0xfe, 255, 255, 255]],
  ["uint64", [0xfe, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0x20, 0]], // 2^64-2, 2^53+1
  ["int8", [0x80, 0x7f]],
  ["int16", [0xfe, 255, 0, 1]],
  ["int32", [4, 3, 2, 1, 0, 0, 0, 0x80]],
  ["int64", [0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0x20, 0]], // -2^63, 2^53+1
  ["fp16", [0x00, 0x3c, 0x01, 0x7e]], // 1, a NaN
  ["fp32", [0, 0, 0x80, 0xff, 1, 0, 0xc0, 0x7f]], // -Infinity, a NaN
  ["fp64", [0, 0, 0, 0, 0, 0, 0x04, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0x80]], // -2.5, -0
  ["bytes", [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]], // "é", ""
];

function identityInput(name: string, bytes: readonly number[]): object {
  return sized({ name: "INPUT", datatype: name.toUpperCase(), shape: [1, 2] }, bytes.length);
}

const ALL_BINARY = { binary_data_output: true };
const GOOD = binaryRequest(
  { inputs: [identityInput("int8", [1, 2])], parameters: ALL_BINARY },
  [1, 2],
);

async function expectAlive(): Promise<void> {
  const { bytes } = split(await send("/v2/models/identity-int8/infer", GOOD));
  expect(bytes).toEqual([1, 2]);
}

describe("binary tensors", () => {
  it.each(ROWS)("%s comes back byte for byte", async (name, bytes) => {
    const body = { id: "7", inputs: [identityInput(name, bytes)], parameters: ALL_BINARY };
    const reply = await send(`/v2/models/identity-${name}/infer`, binaryRequest(body, bytes));
    const found = split(reply);
    expect(found.bytes).toEqual(bytes);
    expect(found.json).toEqual({
      model_name: `identity-${name}`,
      model_version: "1",
      id: "7",
      outputs: [
        {
          name: "OUTPUT",
          datatype: name.toUpperCase(),
          shape: [1, 2],
          parameters: { binary_data_size: bytes.length },
        },
      ],
    });
    expect(reply.headers["x-prediction-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers["x-model"]).toBe(`identity-${name}@1`);
  });

  it("come from JSON inputs, and JSON comes from binary inputs", async () => {
    const input = { name: "INPUT", datatype: "INT16", shape: [1, 2] };
    const path = "/v2/models/identity-int16/infer";
    const asked = { inputs: [{ ...input, data: [1, -1] }], parameters: ALL_BINARY };
    expect(split(await send(path, { body: asked })).bytes).toEqual([1, 0, 255, 255]);
    const reply = await send(path, binaryRequest({ inputs: [sized(input, 4)] }, [1, 0, 255, 255]));
    expect(reply.headers[JSON_LENGTH]).toBeUndefined();
    expect(reply.headers["content-type"]).toBe("application/json");
    expect((reply.json as InferBody).outputs[0]?.data).toEqual([1, -1]);
  });

  it("stand beside JSON, in inputs and in outputs", async () => {
    const shape = [1, 16];
    const ones = Array.from({ length: 16 }, () => [1, 0, 0, 0]).flat();
    const body = {
      inputs: [
        { name: "INPUT1", datatype: "INT32", shape, data: Array.from({ length: 16 }, () => 5) },
        sized({ name: "INPUT0", datatype: "INT32", shape }, 64),
      ],
      outputs: [
        { name: "OUTPUT1", parameters: { binary_data: true } },
        { name: "OUTPUT0", parameters: { binary_data: false } },
      ],
      parameters: ALL_BINARY,
    };
    const { json, bytes } = split(await send("/v2/models/simple/infer", binaryRequest(body, ones)));
    expect(json.outputs[1]).toMatchObject({ name: "OUTPUT0", data: Array(16).fill(6) });
    expect(json.outputs[0]).toMatchObject({
      name: "OUTPUT1",
      parameters: { binary_data_size: 64 },
    });
    expect(bytes).toEqual(Array.from({ length: 16 }, () => [0xfc, 255, 255, 255]).flat()); // 1 - 5
  });

  it("may have no elements", async () => {
    const input = sized({ name: "INPUT", datatype: "FP32", shape: [1, 0] }, 0);
    const body = { inputs: [input], parameters: ALL_BINARY };
    const { json, bytes } = split(
      await send("/v2/models/identity-fp32/infer", binaryRequest(body)),
    );
    expect(json.outputs[0]).toMatchObject({ shape: [1, 0], parameters: { binary_data_size: 0 } });
    expect(bytes).toEqual([]);
  });

  it("arrive at one model from many clients without mixing", async () => {
    const replies = await Promise.all(
      Array.from({ length: 64 }, async (_, i) => {
        const bytes = [i, 255 - i];
        const body = { inputs: [identityInput("uint8", bytes)], parameters: ALL_BINARY };
        const reply = await send("/v2/models/identity-uint8/infer", binaryRequest(body, bytes));
        return split(reply).bytes;
      }),
    );
    expect(replies).toEqual(Array.from({ length: 64 }, (_, i) => [i, 255 - i]));
  });

  it("are the whole body of a raw request", async () => {
    const raw = { method: "POST", headers: { [JSON_LENGTH]: "0" } };
    const numbers = await send("/v2/models/identity-int16/infer", {
      ...raw,
      body: Uint8Array.of(1, 0, 2, 0, 3, 0),
    });
    expect(split(numbers).json.outputs[0]).toMatchObject({ shape: [1, 3] });
    expect(split(numbers).bytes).toEqual([1, 0, 2, 0, 3, 0]);
    const text = await send("/v2/models/simple-identity/infer", { ...raw, body: "häß" });
    expect(split(text).json.outputs[0]).toMatchObject({ datatype: "BYTES", shape: [1] });
    expect(split(text).bytes).toEqual([5, 0, 0, 0, ...Buffer.from("häß")]);
  });

  it("arrive in chunks of any size", async () => {
    const raw = { method: "POST", headers: { [JSON_LENGTH]: "0" } };
    const chunks = [[1], [0, 2], [0, 3], [0]].map((chunk) => Uint8Array.from(chunk));
    const reply = await send("/v2/models/identity-int16/infer", { ...raw, chunks });
    expect(split(reply).bytes).toEqual([1, 0, 2, 0, 3, 0]);
  });

  it("arrive in half a million chunks of six bytes", async () => {
    const head =
      "POST /v2/models/identity-uint8/infer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n" +
      `authorization: ${ADMIN.authorization}\r\n${JSON_LENGTH}: 0\r\ntransfer-encoding: chunked\r\n\r\n`;
    const chunks = `6\r\nabcdef\r\n`.repeat(500_000);
    const reply = await exchange(server.url, `${head}${chunks}0\r\n\r\n`);
    expect(reply).toMatch(/^HTTP\/1.1 200 /);
    expect(reply.endsWith("abcdef".repeat(500_000))).toBe(true);
    await expectAlive();
  }, 60_000);
});

describe("compression", () => {
  const bytes = [1, 2];
  const question = binaryRequest(
    { inputs: [identityInput("int8", bytes)], parameters: ALL_BINARY },
    bytes,
  );

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
  ])("%s covers the whole body of a request", async (coding, encode) => {
    const body = encode(question.body as Uint8Array);
    const headers = { ...question.headers, "content-encoding": coding };
    const reply = await send("/v2/models/identity-int8/infer", { body, headers });
    expect(split(reply).bytes).toEqual(bytes);
  });

  it.each(["/predict", "/predict/label", "/invocations", "/v1/models/iris:predict"])(
    "%s takes it too",
    async (path) => {
      const rows = [[5.1, 3.5, 1.4, 0.2]];
      const member = path.startsWith("/predict") ? "data" : "instances";
      const body = gzipSync(JSON.stringify({ [member]: rows }));
      const reply = await send(path, { body, headers: { "content-encoding": "gzip" } });
      expect([reply.status, reply.text]).toEqual([200, expect.stringContaining("predic")]);
    },
  );

  it.each([
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
  ])("%s covers the whole body of a reply that is asked for so", async (coding, decode) => {
    const elements = Array.from({ length: 2_000 }, () => 7);
    const input = { name: "INPUT", datatype: "INT8", shape: [1, 2_000], data: elements };
    const body = { inputs: [input], parameters: ALL_BINARY };
    const headers = { "accept-encoding": coding };
    const reply = await send("/v2/models/identity-int8/infer", { body, headers });
    expect(reply.headers["content-encoding"]).toBe(coding);
    expect(reply.bytes.length).toBeLessThan(600);
    const decoded = { ...reply, bytes: decode(reply.bytes) };
    expect(split(decoded).bytes).toEqual(elements);
  });

  it.each(["gzip, deflate, br", "*", "br", undefined])(
    "no reply is compressed for %s",
    async (accept) => {
      const input = {
        name: "INPUT",
        datatype: "INT8",
        shape: [1, 2_000],
        data: Array(2_000).fill(7),
      };
      const headers: Record<string, string> =
        accept === undefined ? {} : { "accept-encoding": accept };
      const reply = await send("/v2/models/identity-int8/infer", {
        body: { inputs: [input] },
        headers,
      });
      expect(reply.headers["content-encoding"]).toBeUndefined();
      expect((reply.json as InferBody).outputs[0]?.data).toHaveLength(2_000);
    },
  );

  it("an unknown coding is 415 and says which are known", async () => {
    for (const path of ["/v2/models/identity-int8/infer", "/predict"]) {
      const reply = await send(path, { body: "x", headers: { "content-encoding": "br" } });
      expect(reply.status).toBe(415);
      expect(reply.headers["accept-encoding"]).toBe("gzip, deflate");
    }
  });

  it("a body that grows beyond the limit is stopped", async () => {
    const bomb = gzipSync(new Uint8Array(200_000_000));
    const headers = { "content-encoding": "gzip" };
    for (const path of ["/v2/models/identity-int8/infer", "/predict"]) {
      const reply = await send(path, { body: bomb, headers });
      expect(reply.status).toBe(413);
      expect(reply.text).toContain("decodes to more than 8388608 bytes");
    }
    await expectAlive();
  });

  it("a body that is cut off or damaged is 400", async () => {
    const whole = gzipSync(question.body as Uint8Array);
    for (const body of [whole.subarray(0, -5), whole.subarray(3), new Uint8Array(0), "plain"]) {
      const headers = { ...question.headers, "content-encoding": "gzip" };
      const reply = await send("/v2/models/identity-int8/infer", { body, headers });
      expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("is not gzip")]);
    }
    await expectAlive();
  });
});

const INT8 = { name: "INPUT", datatype: "INT8", shape: [1, 2] };
const JSON_INT8 = { ...INT8, data: [1, 2] };

/** What must be refused with 400: the model after `identity-`, the request, and a part of the message. */
const REFUSED: readonly (readonly [string, string, Question, string])[] = [
  ["a header that is no number", "int8", headed("x"), "header-content-length: found"],
  ["a negative header", "int8", headed("-1"), "header-content-length: found"],
  ["a header with a sign", "int8", headed("+2"), "header-content-length: found"],
  ["a header with a fraction", "int8", headed("2.0"), "header-content-length: found"],
  ["a header in hexadecimal", "int8", headed("0x10"), "header-content-length: found"],
  ["a header of eleven digits", "int8", headed("99999999999"), "header-content-length: found"],
  ["a header of 2^32", "int8", headed("4294967296"), "header-content-length: found"],
  ["a header above the body", "int8", headed("500"), "expected 0 to"],
  ["a header within the JSON", "int8", headed("10"), "Cannot parse JSON"],
  [
    "a size without the header",
    "int8",
    { body: { inputs: [sized(INT8, 2)] } },
    "body.inputs.0.parameters.binary_data_size",
  ],
  [
    "bytes that are short",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 2)] }, [1]),
    "1 bytes are left",
  ],
  [
    "bytes that are long",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 2)] }, [1, 2, 3]),
    "found 3 bytes behind",
  ],
  [
    "a size below the shape",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 1)] }, [1]),
    "shape asks for 2 elements",
  ],
  [
    "a size above the shape",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 3)] }, [1, 2, 3]),
    "shape asks for 2 elements",
  ],
  [
    "a negative size",
    "int8",
    binaryRequest({ inputs: [sized(INT8, -2)] }),
    "expected a whole number",
  ],
  [
    "a size beyond 2^53",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 2 ** 60)] }),
    "expected a whole number",
  ],
  [
    "bytes for JSON alone",
    "int8",
    binaryRequest({ inputs: [JSON_INT8] }, [1, 2]),
    "found 2 bytes behind the JSON",
  ],
  [
    "a shape whose product overflows",
    "int8",
    binaryRequest({ inputs: [sized({ ...INT8, shape: [2 ** 40, 2 ** 40] }, 0)] }),
    "at most 2^53 - 1",
  ],
  [
    "a shape whose bytes overflow",
    "fp64",
    binaryRequest(
      { inputs: [sized({ ...INT8, datatype: "FP64", shape: [2 ** 26, 2 ** 26] }, 8)] },
      [0, 0, 0, 0, 0, 0, 0, 0],
    ),
    "found 8 bytes",
  ],
  [
    "a negative extent",
    "int8",
    binaryRequest({ inputs: [sized({ ...INT8, shape: [1, -2] }, 2)] }, [1, 2]),
    "expected whole numbers of at least 0",
  ],
  [
    "an input that stands twice",
    "int8",
    binaryRequest({ inputs: [sized(INT8, 2), sized(INT8, 2)] }, [1, 2, 3, 4]),
    "stands twice",
  ],
  [
    "an unknown input",
    "int8",
    binaryRequest({ inputs: [sized({ ...INT8, name: "other" }, 2)] }, [1, 2]),
    "unknown input",
  ],
  ["no input", "int8", binaryRequest({ inputs: [] }), 'the input "INPUT" is missing'],
  [
    "an output that stands twice",
    "int8",
    { body: { inputs: [JSON_INT8], outputs: [{ name: "OUTPUT" }, { name: "OUTPUT" }] } },
    "stands twice",
  ],
  [
    "an unknown output",
    "int8",
    { body: { inputs: [JSON_INT8], outputs: [{ name: "a/../b\0" }] } },
    "unknown output",
  ],
  [
    "a text whose length is past the end",
    "bytes",
    binaryRequest(
      { inputs: [identityInput("bytes", Array(9).fill(0) as number[])] },
      [9, 0, 0, 0, 65, 0, 0, 0, 0],
    ),
    "its length is 9, 5 bytes are left",
  ],
  [
    "a text whose length is 2^32 - 1",
    "bytes",
    binaryRequest({ inputs: [identityInput("bytes", [9, 9, 9, 9])] }, [255, 255, 255, 255]),
    "have a length of 4 bytes each",
  ],
  [
    "a text that is not UTF-8",
    "bytes",
    binaryRequest(
      { inputs: [identityInput("bytes", Array(9).fill(0) as number[])] },
      [1, 0, 0, 0, 0xff, 0, 0, 0, 0],
    ),
    "found bytes that are not UTF-8",
  ],
  [
    "a BOOL of 2",
    "bool",
    binaryRequest({ inputs: [identityInput("bool", [1, 2])] }, [1, 2]),
    "expected 0 or 1",
  ],
  ["a raw body that does not fit", "int16", { ...headed("0"), body: "abc" }, "found 3 bytes"],
  [
    "FP16 in JSON",
    "fp16",
    { body: { inputs: [{ ...INT8, datatype: "FP16", data: [1, 2] }], parameters: ALL_BINARY } },
    "this type has no JSON form",
  ],
  [
    "FP16 asked for in JSON",
    "fp16",
    binaryRequest({ inputs: [identityInput("fp16", [0, 0, 0, 0])] }, [0, 0, 0, 0]),
    "which has no JSON form, ask for it with the parameter binary_data",
  ],
  ["deep data", "int8", { body: `{"inputs":[{"data":${"[".repeat(250_000)}` }, ""],
  [
    "deep unknown members",
    "int8",
    { body: `{"x":${'{"a":'.repeat(250_000)}` },
    "nesting is deeper",
  ],
  ["invalid UTF-8 in JSON", "int8", binaryRequest('{"id":"', [0xff, 0x22, 0x7d]), ""],
  [
    "a binary_data that is no boolean",
    "int8",
    withOutput({ binary_data: 1 }),
    "expected true or false",
  ],
  [
    "a classification that is no number",
    "int8",
    withOutput({ classification: "x" }),
    "expected a whole number",
  ],
  [
    "a priority that is not there",
    "int8",
    withParameters({ priority: 4 }),
    "expected 0 (the default)",
  ],
  ["a timeout below zero", "int8", withParameters({ timeout: -1 }), "whole microseconds"],
  ["a reserved parameter", "int8", withParameters({ triton_secret: 1 }), "reserved"],
];

function headed(value: string): Question {
  return { body: JSON.stringify({ inputs: [JSON_INT8] }), headers: { [JSON_LENGTH]: value } };
}

function withOutput(parameters: object): Question {
  return { body: { inputs: [JSON_INT8], outputs: [{ name: "OUTPUT", parameters }] } };
}

function withParameters(parameters: object): Question {
  return { body: { inputs: [JSON_INT8], parameters } };
}

describe("infer refuses", () => {
  it.each(REFUSED)("%s", async (...[, model, question, message]) => {
    const reply = await send(`/v2/models/identity-${model}/infer`, { method: "POST", ...question });
    expect([reply.status, reply.json]).toEqual([
      400,
      { error: expect.stringContaining(message) as string },
    ]);
    expect(reply.headers["content-type"]).toBe("application/json");
    await expectAlive();
  });

  it("a raw body where the model has two inputs", async () => {
    const reply = await send("/v2/models/simple/infer", headed("0"));
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("has 2 inputs")]);
  });

  it.each([
    ["sequences", withParameters({ sequence_id: 5, sequence_start: true })],
    ["shared memory of an input", withInputParameters({ shared_memory_region: "r" })],
    ["shared memory of an output", withOutput({ shared_memory_region: "r" })],
  ])("%s with 501", async (_name, question) => {
    const reply = await send("/v2/models/identity-int8/infer", question);
    expect([reply.status, reply.json]).toEqual([
      501,
      { error: expect.stringContaining("this version does not serve") as string },
    ]);
  });

  it.each(["a%2Fb", "..%2F..%2Fetc", "%00", "a%5Cb", "%E2%80%AE", "stats"])(
    "the model name %s",
    async (name) => {
      const reply = await send(`/v2/models/${name}/infer`, { body: { inputs: [] } });
      expect(reply.status).toBe(404);
      await expectAlive();
    },
  );
});

function withInputParameters(parameters: object): Question {
  return { body: { inputs: [{ ...INT8, parameters }] } };
}

describe("extensions", () => {
  it("are those that are served", async () => {
    const { json } = await send("/v2");
    expect(json).toMatchObject({
      extensions: [
        "classification",
        "model_repository",
        "model_repository(unload_dependents)",
        "schedule_policy",
        "model_configuration",
        "binary_tensor_data",
        "parameters",
        "statistics",
      ],
    });
  });

  it("classification gives the largest elements of each row with their labels", async () => {
    const data = [5.1, 3.5, 1.4, 0.2, 6.3, 2.9, 5.6, 1.8];
    const input = { name: "float_input", datatype: "FP32", shape: [2, 4], data };
    const outputs = [{ name: "probabilities", parameters: { classification: 2 } }];
    const reply = await send("/v2/models/iris/infer", { body: { inputs: [input], outputs } });
    const [output] = (reply.json as InferBody).outputs;
    expect(output).toMatchObject({ name: "probabilities", datatype: "BYTES", shape: [2, 2] });
    expect(output?.data).toEqual([
      expect.stringMatching(/^0\.9\d+:0:setosa$/),
      expect.stringMatching(/^0\.0\d+:1:versicolor$/),
      expect.stringMatching(/^0\.\d+:2:virginica$/),
      expect.stringMatching(/^0\.\d+:1:versicolor$/),
    ]);
  });

  it("model configuration tells batches, shapes without the batch and time limits", async () => {
    for (const path of ["/v2/models/simple/config", "/v2/models/simple/versions/1/config"]) {
      expect((await send(path)).json).toMatchObject({
        name: "simple",
        platform: "onnx_onnxv1",
        backend: "onnx",
        version_policy: { latest: { num_versions: 1 } },
        max_batch_size: 64,
        input: [
          { name: "INPUT0", data_type: "TYPE_INT32", dims: [16] },
          { name: "INPUT1", data_type: "TYPE_INT32", dims: [16] },
        ],
        instance_group: [{ kind: "KIND_CPU", count: 1 }],
        dynamic_batching: {
          max_queue_delay_microseconds: 0,
          priority_levels: 3,
          default_priority_level: 2,
          default_queue_policy: { timeout_action: "REJECT", allow_timeout_override: true },
        },
      });
    }
    expect((await send("/v2/models/identity-bytes/config")).json).toMatchObject({
      input: [{ data_type: "TYPE_STRING" }],
    });
    expect((await send("/v2/models/absent/config")).status).toBe(404);
  });

  it("a model that is not batched says so, and why", async () => {
    const config = (await send("/v2/models/fixed-shape/config")).json as object;
    expect(config).toMatchObject({ max_batch_size: 0, input: [{ dims: [2, 3] }] });
    expect(config).not.toHaveProperty("dynamic_batching");
    expect((await send("/v2/models/fixed-shape")).json).toMatchObject({
      properties: { batched: "false", not_batched_because: expect.any(String) as string },
    });
    expect((await send("/v2/models/simple")).json).toMatchObject({
      inputs: [{ shape: [-1, 16] }, { shape: [-1, 16] }],
      properties: { batched: "true" },
    });
  });

  it("statistics count rows, runs and requests of a script", async () => {
    const { version } = await script("simple-string");
    expect(version).toMatchObject({ inference_count: 6, execution_count: 3 });
    const { success, fail, queue, compute_infer } = version.inference_stats;
    expect([success.count, fail.count, queue.count, compute_infer.count]).toEqual([3, 0, 3, 3]);
    expect(version.batch_stats.map(({ batch_size }) => batch_size)).toEqual([1, 2, 3]);
    for (const entry of version.batch_stats) {
      expect(entry.compute_infer.count).toBe(1);
      expect(Number.isInteger(entry.compute_infer.ns)).toBe(true);
    }
    expect(version.last_inference).toBeGreaterThan(1.7e12);
  });

  it("batches lists the last runs and why they left", async () => {
    const input = { name: "INPUT", datatype: "UINT32", shape: [3, 1], data: [1, 2, 3] };
    await send("/v2/models/identity-uint32/infer", { body: { inputs: [input] } });
    const { json } = await send("/v2/models/identity-uint32/batches");
    const { batches } = json as { batches: object[] };
    expect(batches.at(-1)).toMatchObject({
      endedAt: expect.stringMatching(/^20\d\d-.*Z$/) as string,
      rows: 3,
      requests: 1,
      reason: "idle",
      headAgeMs: expect.any(Number) as number,
      predictedMs: expect.any(Number) as number,
      actualMs: expect.any(Number) as number,
      outcome: "ok",
    });
  });

  it("schedule policy: the timeout is in microseconds", async () => {
    const input = { name: "INPUT", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] };
    const infer = async (timeout: number): Promise<number> => {
      const body = { inputs: [input], parameters: { timeout, priority: 1 } };
      return (await send("/v2/models/slow/infer", { body })).status;
    };
    expect(await infer(50_000_000)).toBe(200);
    // Refused at once where it is known to take longer, else dropped when the time is over.
    expect([503, 504]).toContain(await infer(20_000));
  });

  it("parameters of the client's own are taken everywhere", async () => {
    const parameters = { mine: "x", other: 1.5, third: true };
    const body = {
      inputs: [{ ...JSON_INT8, parameters }],
      outputs: [{ name: "OUTPUT", parameters }],
      parameters: { ...parameters, priority: 3, timeout: 0 },
    };
    expect((await send("/v2/models/identity-int8/infer", { body })).status).toBe(200);
  });
});

describe("model repository", () => {
  it("lists models, ready ones only when asked", async () => {
    const index = async (body: string | object): Promise<Answer> =>
      send("/v2/repository/index", { method: "POST", body });
    const entry = { name: "simple", version: "1", state: "READY", reason: "" };
    for (const body of ["", "{}", { ready: true }]) {
      expect((await index(body)).json).toContainEqual(entry);
    }
    expect((await index({ ready: "yes" })).status).toBe(400);
    expect((await index(`{"x":${"[".repeat(250_000)}`)).status).toBe(400);
    const other = await send("/v2/repository/mine/index", { method: "POST" });
    expect(other.status).toBe(501);
    await expectAlive();
  });

  it("loads and unloads as tritonclient asks", async () => {
    const path = "/v2/repository/models/identity-uint64";
    const unloaded = await send(`${path}/unload`, {
      body: { parameters: { unload_dependents: false } },
    });
    expect([unloaded.status, unloaded.json]).toEqual([
      200,
      { name: "identity-uint64", unload: true },
    ]);
    expect((await send("/v2/models/identity-uint64/ready")).status).toBe(503);
    const loaded = await send(`${path}/load`, { body: {} });
    expect([loaded.status, loaded.json]).toEqual([200, { name: "identity-uint64", load: true }]);
    expect((await send("/v2/models/identity-uint64/ready")).status).toBe(200);
  });

  it.each([
    ["config", { config: '{"max_batch_size":"16"}' }, 501, "as the configuration says"],
    ["a file", { "file:1/model.onnx": "AAAA" }, 501, "file:1/model.onnx"],
    ["a file elsewhere", { "file:../../etc/passwd": "AAAA" }, 501, "as the configuration says"],
  ])("refuses to load with %s", async (...[, parameters, status, message]) => {
    const reply = await send("/v2/repository/models/simple/load", { body: { parameters } });
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(message)]);
    await expectAlive();
  });

  it("says that an unknown model failed to load", async () => {
    const reply = await send("/v2/repository/models/nobody/load", { method: "POST" });
    expect([reply.status, reply.text]).toEqual([404, expect.stringContaining("failed to load")]);
  });

  it("refuses a parameter of unload that is none", async () => {
    const body = { parameters: { unload_dependents: "yes" } };
    expect((await send("/v2/repository/models/simple/unload", { body })).status).toBe(400);
  });

  it("stops a load body beyond the limit", async () => {
    const body = gzipSync(JSON.stringify({ parameters: { "file:1/m": "A".repeat(9_000_000) } }));
    const headers = { "content-encoding": "gzip" };
    const reply = await send("/v2/repository/models/simple/load", { body, headers });
    expect(reply.status).toBe(413);
    await expectAlive();
  });
});

it("prints no stack trace", () => {
  expect(server.printed).not.toMatch(STACK_LINE);
});

interface Duration {
  readonly count: number;
  readonly ns: number;
}

interface VersionStatistics {
  readonly last_inference: number;
  readonly inference_stats: Readonly<
    Record<"success" | "fail" | "queue" | "compute_infer", Duration>
  >;
  readonly batch_stats: { readonly batch_size: number; readonly compute_infer: Duration }[];
}

/** Sends one request each of one, two and three rows. */
async function script(model: string): Promise<{ readonly version: VersionStatistics }> {
  for (const rows of [1, 2, 3]) {
    const shape = [rows, 16];
    const data = Array.from({ length: rows * 16 }, () => "3");
    const inputs = ["INPUT0", "INPUT1"].map((name) => ({ name, datatype: "BYTES", shape, data }));
    const reply = await send(`/v2/models/${model}/infer`, { body: { inputs } });
    expect([reply.status, reply.text.slice(0, 99)]).toEqual([200, expect.any(String)]);
  }
  const { json } = await send(`/v2/models/${model}/stats`);
  const { model_stats } = json as { model_stats: VersionStatistics[] };
  expect(model_stats).toHaveLength(1);
  return { version: model_stats[0] as VersionStatistics };
}
