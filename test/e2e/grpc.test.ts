import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { credentials, status, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcClient, memberOf, type AskOptions, type Reply } from "./grpc-client.ts";
import { ask } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { fixture, IRIS, takePort, Workspace } from "./workspace.ts";

const TYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 fp16 fp32 fp64 bytes".split(
  " ",
);

const MODELS = `
models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }
  add: ./add.onnx
  slow: ./slow.onnx
  absent: { source: ./absent.onnx, required: false }
${TYPES.map((type) => `  ${type}: ./identity-${type}.onnx`).join("\n")}
services:
  iris: { default: true }
  slow: { timeout: 20s }
`;

/** For tests that start a process of their own: what they need and no more. */
const FEW_MODELS = `
models: { iris: ./iris.onnx, add: ./add.onnx }
services: { iris: { default: true } }
`;

const SLOW_MODEL = `
models: { slow: ./slow.onnx }
services: { slow: { timeout: 20s } }
`;

function folderWith(file: string): Workspace {
  const names = ["add.onnx", "slow.onnx", ...TYPES.map((type) => `identity-${type}.onnx`)];
  return new Workspace({
    "millrace.yaml": file,
    "iris.onnx": IRIS,
    ...Object.fromEntries(names.map((name) => [name, fixture(name)])),
  });
}

function start(folder: Workspace, command = "serve"): Promise<MillraceProcess> {
  return MillraceProcess.start([command, "millrace.yaml"], { cwd: folder.path });
}

function addressOf({ facts }: MillraceProcess): string {
  if (facts.grpc === undefined) throw new Error("The process does not say where gRPC is");
  return facts.grpc;
}

let folder: Workspace;
let server: MillraceProcess;
let client: GrpcClient;
beforeAll(async () => {
  folder = folderWith(MODELS);
  server = await start(folder);
  client = new GrpcClient(addressOf(server));
});
afterAll(async () => {
  client[Symbol.dispose]();
  await server.stop();
  folder[Symbol.dispose]();
});

const SETOSA = Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
const IRIS_INPUT = { name: "float_input", datatype: "FP32", shape: [1, 4] };
const IRIS_REQUEST = { model_name: "iris", inputs: [IRIS_INPUT], raw_input_contents: [SETOSA] };

const SLOW_REQUEST = {
  model_name: "slow",
  inputs: [{ name: "INPUT", datatype: "FP32", shape: [1, 4] }],
  raw_input_contents: [SETOSA],
};

async function infer(message: object, options: AskOptions = {}): Promise<Reply> {
  return (await client.ask("ModelInfer", message, options)).reply;
}

/** The error a call ends with. */
async function failure(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error("The call went well");
}

function codeOf(error: ServiceError): (string | number | Buffer | undefined)[] {
  return [error.code, error.metadata.get("x-error-code")[0]];
}

async function expectAlive(): Promise<void> {
  expect((await infer(IRIS_REQUEST))["model_name"]).toBe("iris");
}

describe("ModelInfer", () => {
  it("answers with raw contents, facts as metadata and the id when the request has raw contents", async () => {
    const { reply, head } = await client.ask("ModelInfer", { ...IRIS_REQUEST, id: "größe" });
    expect([reply["model_name"], reply["model_version"], reply["id"]]).toEqual([
      "iris",
      "1",
      "größe",
    ]);
    expect(reply["outputs"]).toMatchObject([
      { name: "output_label", datatype: "INT64", shape: ["1"], contents: null },
      { name: "probabilities", datatype: "FP32", shape: ["1", "3"], contents: null },
    ]);
    const [label, scores] = reply["raw_output_contents"] as [Buffer, Buffer];
    expect(label.readBigInt64LE()).toBe(0n);
    expect(scores.readFloatLE()).toBeCloseTo(0.97, 2);
    expect(head.get("x-model")).toEqual(["iris@1"]);
    expect(String(head.get("x-prediction-id")[0])).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/);
  });

  it("answers with raw contents too when the request has typed ones", async () => {
    const inputs = [{ ...IRIS_INPUT, contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } }];
    const typed = await infer({ model_name: "iris", inputs });
    const raw = await infer(IRIS_REQUEST);
    expect(typed["raw_output_contents"]).toEqual(raw["raw_output_contents"]);
  });

  const RAW: readonly [type: string, bytes: Buffer, count: number][] = [
    ["bool", Buffer.of(0, 1), 2],
    ["int8", Buffer.from(Int8Array.of(-128, 127).buffer), 2],
    ["int16", Buffer.from(Int16Array.of(-32768, 32767).buffer), 2],
    ["int32", Buffer.from(Int32Array.of(-(2 ** 31), 2 ** 31 - 1).buffer), 2],
    [
      "int64",
      Buffer.from(BigInt64Array.of(-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n).buffer),
      5,
    ],
    ["uint8", Buffer.of(0, 255), 2],
    ["uint16", Buffer.from(Uint16Array.of(0, 65535).buffer), 2],
    ["uint32", Buffer.from(Uint32Array.of(0, 2 ** 32 - 1).buffer), 2],
    ["uint64", Buffer.from(BigUint64Array.of(0n, 2n ** 64n - 1n).buffer), 2],
    ["fp16", Buffer.from(Uint16Array.of(0x3c00, 0x7bff, 0x8000).buffer), 3],
    ["fp32", Buffer.from(Float32Array.of(NaN, Infinity, -Infinity, -0, 1.5).buffer), 5],
    ["fp64", Buffer.from(Float64Array.of(NaN, Infinity, -Infinity, -0, 5e-324).buffer), 5],
    [
      "bytes",
      Buffer.from("\u0002\u0000\u0000\u0000aé\u0000\u0000\u0000".replace("é", "b") + "\u0000"),
      2,
    ],
  ];
  it.each(RAW)("gives back every bit when raw elements are %s", async (type, bytes, count) => {
    const inputs = [{ name: "INPUT", datatype: type.toUpperCase(), shape: [1, count] }];
    const reply = await infer({ model_name: type, inputs, raw_input_contents: [bytes] });
    expect(reply["outputs"]).toMatchObject([
      { datatype: type.toUpperCase(), shape: ["1", String(count)] },
    ]);
    expect(reply["raw_output_contents"]).toEqual([bytes]);
  });

  it.each<[string, string, unknown[], Buffer]>([
    ["bool", "bool_contents", [true, false], Buffer.of(1, 0)],
    ["int8", "int_contents", [-128, 127], Buffer.of(0x80, 0x7f)],
    ["int16", "int_contents", [-32768], Buffer.from(Int16Array.of(-32768).buffer)],
    ["int32", "int_contents", [-1], Buffer.from(Int32Array.of(-1).buffer)],
    [
      "int64",
      "int64_contents",
      ["-9223372036854775808", "9223372036854775807"],
      Buffer.from(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n).buffer),
    ],
    ["uint8", "uint_contents", [255], Buffer.of(255)],
    ["uint16", "uint_contents", [65535], Buffer.of(255, 255)],
    ["uint32", "uint_contents", [2 ** 32 - 1], Buffer.of(255, 255, 255, 255)],
    ["uint64", "uint64_contents", ["18446744073709551615"], Buffer.alloc(8, 255)],
    ["fp32", "fp32_contents", [Infinity], Buffer.from(Float32Array.of(Infinity).buffer)],
    ["fp64", "fp64_contents", [1e300], Buffer.from(Float64Array.of(1e300).buffer)],
    [
      "bytes",
      "bytes_contents",
      [Buffer.from("ab"), Buffer.alloc(0)],
      Buffer.of(2, 0, 0, 0, 97, 98, 0, 0, 0, 0),
    ],
  ])("takes typed elements when they are %s", async (type, field, values, raw) => {
    const shape = [1, values.length];
    const inputs = [
      { name: "INPUT", datatype: type.toUpperCase(), shape, contents: { [field]: values } },
    ];
    expect((await infer({ model_name: type, inputs }))["raw_output_contents"]).toEqual([raw]);
  });

  it("gives the requested outputs in their order when some are asked for", async () => {
    const outputs = [{ name: "probabilities" }, { name: "output_label" }];
    const reply = await infer({ ...IRIS_REQUEST, outputs });
    expect((reply["outputs"] as Reply[]).map((output) => output["name"])).toEqual([
      "probabilities",
      "output_label",
    ]);
  });

  it("gives classes when an output asks for them", async () => {
    const outputs = [{ name: "probabilities", parameters: { classification: { int64_param: 1 } } }];
    const reply = await infer({ ...IRIS_REQUEST, outputs });
    expect(reply["outputs"]).toMatchObject([{ datatype: "BYTES", shape: ["1", "1"] }]);
    expect(String((reply["raw_output_contents"] as Buffer[])[0])).toMatch(/:0:setosa$/);
  });

  it.each<[string, object, number, string]>([
    ["the model is unknown", { model_name: "nobody" }, status.NOT_FOUND, "MODEL_NOT_FOUND"],
    [
      "the version is unknown",
      { ...IRIS_REQUEST, model_version: "9" },
      status.NOT_FOUND,
      "MODEL_NOT_FOUND",
    ],
    [
      "the model is not ready",
      { ...IRIS_REQUEST, model_name: "absent" },
      status.UNAVAILABLE,
      "MODEL_NOT_READY",
    ],
    ["an input is missing", { model_name: "iris" }, status.INVALID_ARGUMENT, "INVALID_BODY"],
    [
      "the shape does not fit",
      { ...IRIS_REQUEST, inputs: [{ ...IRIS_INPUT, shape: [4] }] },
      status.INVALID_ARGUMENT,
      "INVALID_TENSOR",
    ],
    [
      "an output is unknown",
      { ...IRIS_REQUEST, outputs: [{ name: "x" }] },
      status.INVALID_ARGUMENT,
      "INVALID_BODY",
    ],
    [
      "a sequence is asked for",
      { ...IRIS_REQUEST, parameters: { sequence_id: { int64_param: 1 } } },
      status.UNIMPLEMENTED,
      "NOT_IMPLEMENTED",
    ],
    [
      "the priority is none",
      { ...IRIS_REQUEST, parameters: { priority: { uint64_param: 99 } } },
      status.INVALID_ARGUMENT,
      "INVALID_BODY",
    ],
    [
      "a reserved parameter is sent",
      { ...IRIS_REQUEST, parameters: { triton_final_response: { bool_param: true } } },
      status.INVALID_ARGUMENT,
      "INVALID_BODY",
    ],
  ])(
    "ends with a status, a code and the prediction's id when %s",
    async (_what, message, code, name) => {
      const error = await failure(infer(message));
      expect(codeOf(error)).toEqual([code, name]);
      expect(error.details).toMatch(/^(Cannot|Request for unknown model)/);
      expect(String(error.metadata.get("x-prediction-id")[0])).toMatch(/-7/);
    },
  );

  it("tells when to come back when a call is UNAVAILABLE", async () => {
    const error = await failure(infer({ ...IRIS_REQUEST, model_name: "absent" }));
    expect(error.metadata.get("retry-after")).toEqual(["1"]);
    expect(error.metadata.get("grpc-retry-pushback-ms")).toEqual(["1000"]);
  });

  it("says other characters than ASCII as they are when an error has them", async () => {
    const error = await failure(infer({ ...IRIS_REQUEST, outputs: [{ name: "größe%" }] }));
    expect(error.details).toContain("größe%");
  });

  it("refuses bytes that are no message, and goes on", async () => {
    const path = "/inference.GRPCInferenceService/ModelInfer";
    for (const bytes of [
      Buffer.of(0xff),
      Buffer.of(10, 200, 1),
      Buffer.alloc(50, 0x80),
      Buffer.of(3),
    ]) {
      const error = await failure(client.askRaw(path, bytes));
      expect(codeOf(error)).toEqual([status.INVALID_ARGUMENT, "INVALID_BODY"]);
    }
    await expectAlive();
  });

  it("reads compressed messages when the client compresses them", async () => {
    for (const algorithm of [1, 2]) {
      using compressing = new GrpcClient(addressOf(server), {
        "grpc.default_compression_algorithm": algorithm,
      });
      const { reply } = await compressing.ask("ModelInfer", IRIS_REQUEST);
      expect(reply["model_name"]).toBe("iris");
    }
  });

  it("takes 64 MiB and refuses more when a message is large", async () => {
    const elements = 16 * 1024 * 1024 - 64;
    const inputs = [{ name: "INPUT", datatype: "FP32", shape: [1, elements] }];
    const data = Buffer.alloc(elements * 4, 1);
    const reply = await infer({ model_name: "fp32", inputs, raw_input_contents: [data] });
    expect(data.equals((reply["raw_output_contents"] as Buffer[])[0] as Buffer)).toBe(true);
    const larger = Buffer.alloc(65 * 1024 * 1024);
    const error = await failure(infer({ model_name: "fp32", raw_input_contents: [larger] }));
    expect(codeOf(error)).toEqual([status.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE"]);
    await expectAlive();
  });
});

describe("A deadline", () => {
  it("ends the call and gives up its place in the queue when it passes", async () => {
    const before = await executionsOfSlow();
    const first = infer(SLOW_REQUEST);
    const late = Array.from({ length: 4 }, () =>
      failure(infer(SLOW_REQUEST, { deadline: Date.now() + 100 })),
    );
    // UNAVAILABLE is what a call gets that cannot be in time, at once.
    const codes = (await Promise.all(late)).map((error) => error.code);
    for (const code of codes) {
      expect([status.DEADLINE_EXCEEDED, status.UNAVAILABLE]).toContain(code);
    }
    await first;
    await infer(SLOW_REQUEST);
    expect((await executionsOfSlow()) - before).toBeLessThanOrEqual(3);
  });

  it("is refused when it is none", async () => {
    const metadata = { "grpc-timeout": "soon" };
    const { trailers } = await rawCall({ headers: metadata, body: frame(Buffer.alloc(0)) });
    expect([trailers["grpc-status"], trailers["x-error-code"]]).toEqual(["3", "INVALID_HEADER"]);
  });
});

function codeAtEnd(stream: NodeJS.EventEmitter): Promise<number> {
  return new Promise((resolve) => {
    stream.on("status", ({ code }: { readonly code: number }) => resolve(code));
  });
}

async function executionsOfSlow(): Promise<number> {
  const { reply } = await client.ask("ModelStatistics", { name: "slow" });
  return Number((reply["model_stats"] as Reply[])[0]?.["execution_count"]);
}

describe("A cancelled call", () => {
  it("does not reach the model when it waits", async () => {
    const before = await executionsOfSlow();
    const first = infer(SLOW_REQUEST);
    const ended = Array.from(
      { length: 5 },
      () =>
        new Promise<ServiceError | null>((resolve) => {
          const cancel = client.start("ModelInfer", SLOW_REQUEST, resolve);
          setTimeout(cancel, 50);
        }),
    );
    for (const error of await Promise.all(ended)) expect(error?.code).toBe(status.CANCELLED);
    await first;
    await infer(SLOW_REQUEST);
    expect((await executionsOfSlow()) - before).toBeLessThanOrEqual(3);
  });
});

describe("ModelStreamInfer", () => {
  /** Sends messages on one stream. @returns the replies and the status at its end. */
  async function exchange(
    messages: readonly object[],
  ): Promise<{ replies: Reply[]; code: number }> {
    const stream = client.stream("ModelStreamInfer");
    const replies: Reply[] = [];
    stream.on("data", (reply: Reply) => replies.push(reply));
    stream.on("error", () => undefined);
    for (const message of messages) stream.write(message);
    stream.end();
    const code = await codeAtEnd(stream);
    return { replies, code };
  }

  it("answers each request once, in order, when there are many", async () => {
    const ids = Array.from({ length: 200 }, (_, i) => String(i));
    const { replies, code } = await exchange(ids.map((id) => ({ ...IRIS_REQUEST, id })));
    expect(code).toBe(status.OK);
    expect(replies.map((reply) => (reply["infer_response"] as Reply)["id"] as string)).toEqual(ids);
    expect(replies.every((reply) => reply["error_message"] === "")).toBe(true);
  });

  it("answers with an error and goes on when a request fails", async () => {
    const wrong = { ...IRIS_REQUEST, model_name: "nobody", id: "b" };
    const { replies, code } = await exchange([
      { ...IRIS_REQUEST, id: "a" },
      wrong,
      { ...IRIS_REQUEST, id: "c" },
    ]);
    expect(code).toBe(status.OK);
    expect(
      replies.map((reply) => [
        (reply["infer_response"] as Reply)["id"],
        reply["error_message"] !== "",
      ]),
    ).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
    ]);
    expect(replies[1]?.["error_message"]).toMatch(/^Request for unknown model/);
  });

  it("marks each reply as the last of its request when the client asks for that", async () => {
    const parameters = { triton_enable_empty_final_response: { bool_param: true } };
    const { replies } = await exchange([
      { ...IRIS_REQUEST, parameters },
      { model_name: "nobody", parameters },
      IRIS_REQUEST,
    ]);
    const marks = replies.map((reply) => (reply["infer_response"] as Reply)["parameters"] as Reply);
    const mark = { triton_final_response: { bool_param: true, parameter_choice: "bool_param" } };
    expect(marks).toEqual([mark, mark, {}]);
  });

  it("ends at once when it carries nothing", async () => {
    expect(await exchange([])).toEqual({ replies: [], code: status.OK });
  });

  it("ends with DEADLINE_EXCEEDED when its deadline passes", async () => {
    const stream = client.stream("ModelStreamInfer", { deadline: Date.now() + 200 });
    stream.on("error", () => undefined);
    stream.write(IRIS_REQUEST);
    const code = await codeAtEnd(stream);
    expect(code).toBe(status.DEADLINE_EXCEEDED);
  });

  it("drops what waits when the client cancels", async () => {
    const before = await executionsOfSlow();
    const stream = client.stream("ModelStreamInfer");
    stream.on("error", () => undefined);
    for (let i = 0; i < 10; i++) stream.write(SLOW_REQUEST);
    setTimeout(() => stream.cancel(), 100);
    expect(await codeAtEnd(stream)).toBe(status.CANCELLED);
    await infer(SLOW_REQUEST);
    expect((await executionsOfSlow()) - before).toBeLessThanOrEqual(4);
  });
});

describe("The other methods", () => {
  it("say what REST says", async () => {
    const rest = async (path: string): Promise<Reply> =>
      (await ask(server.url, path)).json as Reply;
    expect((await client.ask("ServerMetadata")).reply).toEqual(await rest("/v2"));
    const { reply } = await client.ask("ModelMetadata", { name: "iris" });
    const metadata = await rest("/v2/models/iris");
    expect([reply["name"], reply["versions"], reply["platform"]]).toEqual([
      metadata["name"],
      metadata["versions"],
      metadata["platform"],
    ]);
    expect(reply["inputs"]).toEqual([
      { name: "float_input", datatype: "FP32", shape: ["-1", "4"] },
    ]);
    const config = (await client.ask("ModelConfig", { name: "iris" })).reply["config"] as Reply;
    const restConfig = await rest("/v2/models/iris/config");
    expect([config["max_batch_size"], config["backend"]]).toEqual([
      restConfig["max_batch_size"],
      restConfig["backend"],
    ]);
    expect(config["input"]).toMatchObject([
      { name: "float_input", data_type: "TYPE_FP32", dims: ["4"] },
    ]);
  });

  it("tell what is live and ready", async () => {
    expect((await client.ask("ServerLive")).reply).toEqual({ live: true });
    expect((await client.ask("ServerReady")).reply).toEqual({ ready: true });
    expect((await client.ask("ModelReady", { name: "iris" })).reply).toEqual({ ready: true });
    expect((await client.ask("ModelReady", { name: "absent" })).reply).toEqual({ ready: false });
    expect((await failure(client.ask("ModelReady", { name: "nobody" }))).code).toBe(
      status.NOT_FOUND,
    );
  });

  function successes(statistics: Reply): number {
    return Number(memberOf(statistics, "inference_stats", "success", "count"));
  }

  it("count what was predicted", async () => {
    const statistics = async (): Promise<Reply> =>
      (
        (await client.ask("ModelStatistics", { name: "add" })).reply["model_stats"] as Reply[]
      )[0] as Reply;
    const before = await statistics();
    const { inputs } = (await client.ask("ModelMetadata", { name: "add" })).reply as {
      inputs: Reply[];
    };
    const shaped = inputs.map(({ name, datatype, shape }) => ({
      name,
      datatype,
      shape: (shape as string[]).map((extent) => (extent === "-1" ? 2 : Number(extent))),
    }));
    const raw = shaped.map(({ shape }) => Buffer.alloc(4 * shape.reduce((a, b) => a * b, 1)));
    await infer({ model_name: "add", inputs: shaped, raw_input_contents: raw });
    const after = await statistics();
    expect(Number(after["inference_count"]) - Number(before["inference_count"])).toBe(2);
    expect(successes(after)).toBe(successes(before) + 1);
    const all = (await client.ask("ModelStatistics")).reply["model_stats"] as Reply[];
    expect(all.length).toBeGreaterThan(TYPES.length);
  });

  it("list the repository, and load nothing without a key", async () => {
    const models = (await client.ask("RepositoryIndex")).reply["models"] as Reply[];
    expect(models).toContainEqual({ name: "iris", version: "1", state: "READY", reason: "" });
    const ready = (await client.ask("RepositoryIndex", { ready: true })).reply["models"] as Reply[];
    expect(ready.map((model) => model["name"] as string)).not.toContain("absent");
    const error = await failure(client.ask("RepositoryModelLoad", { model_name: "iris" }));
    expect(codeOf(error)).toEqual([status.PERMISSION_DENIED, "FORBIDDEN"]);
  });

  it.each([
    "SystemSharedMemoryStatus",
    "CudaSharedMemoryRegister",
    "TraceSetting",
    "LogSettings",
    "Nothing",
  ])("end with UNIMPLEMENTED when the method is %s", async (method) => {
    const call = client.askRaw(`/inference.GRPCInferenceService/${method}`, Buffer.alloc(0));
    expect(codeOf(await failure(call))).toEqual([status.UNIMPLEMENTED, "ROUTE_NOT_FOUND"]);
  });
});

describe("Health", () => {
  it("says whether the server and each model serve", async () => {
    for (const [service, expected] of [
      ["", "SERVING"],
      ["inference.GRPCInferenceService", "SERVING"],
      ["iris", "SERVING"],
      ["absent", "NOT_SERVING"],
    ] as const) {
      expect((await client.ask("health/Check", { service })).reply, `${service}`).toEqual({
        status: expected,
      });
    }
    expect((await failure(client.ask("health/Check", { service: "nobody" }))).code).toBe(
      status.NOT_FOUND,
    );
  });

  it("tells the state at once, and the next one when it changes", async () => {
    using own = folderWith(FEW_MODELS);
    await using other = await start(own);
    using watching = new GrpcClient(addressOf(other));
    const states: string[] = [];
    const watch = watching.watch("health/Watch", { service: "" });
    watch.on("data", (reply: Reply) => states.push(reply["status"] as string));
    watch.on("error", () => undefined);
    await eventually(() => states.length === 1, "the first state");
    other.signal("SIGTERM"); // it still answers for a second, and says that it stops
    await eventually(() => states.length === 2, "the second state");
    expect(states).toEqual(["SERVING", "NOT_SERVING"]);
    watch.cancel();
    expect(await other.ended()).toBe(0);
  });

  it("knows no service of another name when it is watched", async () => {
    const watch = client.watch("health/Watch", { service: "nobody" });
    watch.on("error", () => undefined);
    const [reply] = (await once(watch, "data")) as [Reply];
    expect(reply).toEqual({ status: "SERVICE_UNKNOWN" });
    watch.cancel();
  });
});

describe("Reflection", () => {
  it.each(["v1", "v1alpha"])(
    "lists the services and describes them when %s asks",
    async (version) => {
      const stream = client.stream(`${version}/ServerReflectionInfo`);
      const questions = [
        { list_services: "*" },
        { file_containing_symbol: "inference.GRPCInferenceService" },
        { file_containing_symbol: "inference.ModelInferRequest" },
        { file_by_filename: "inference.proto" },
        { file_containing_symbol: "inference.Nothing" },
      ];
      for (const question of questions) stream.write(question);
      stream.end();
      const replies = (await stream.toArray()) as Reply[];
      const services = memberOf(replies[0], "list_services_response", "service") as {
        name: string;
      }[];
      expect(services.map(({ name }) => name)).toEqual([
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ]);
      const files = replies
        .slice(1, 4)
        .map(
          (reply) =>
            memberOf(reply, "file_descriptor_response", "file_descriptor_proto") as Buffer[],
        );
      expect(files.every(([file]) => file?.includes("ModelInferRequest"))).toBe(true);
      expect(replies[4]?.["error_response"]).toMatchObject({ error_code: status.NOT_FOUND });
    },
  );
});

function frame(message: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface RawCall {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One HTTP/2 request as no gRPC client would send it. */
async function rawCall({
  headers = {},
  body,
}: RawCall): Promise<{ trailers: IncomingHttpHeaders }> {
  const session = connect(`http://${addressOf(server)}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/inference.GRPCInferenceService/ServerLive",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const trailers: IncomingHttpHeaders = {};
    const collect = (found: IncomingHttpHeaders): void => void Object.assign(trailers, found);
    stream.on("response", collect);
    stream.on("trailers", collect);
    stream.resume();
    stream.end(body);
    await once(stream, "close");
    return { trailers };
  } finally {
    session.destroy();
  }
}

describe("A call that is no proper gRPC", () => {
  it.each<[string, RawCall, Record<string, unknown>]>([
    ["it has no message", {}, { "grpc-status": "12" }],
    [
      "it has two messages",
      { body: Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))]) },
      { "grpc-status": "12" },
    ],
    ["a message is cut", { body: frame(Buffer.alloc(9)).subarray(0, 8) }, { "grpc-status": "3" }],
    ["the head of a message is cut", { body: Buffer.of(0, 0) }, { "grpc-status": "3" }],
    ["the flag is unknown", { body: frame(Buffer.alloc(0), 2) }, { "grpc-status": "3" }],
    [
      "it is compressed in no known way",
      { headers: { "grpc-encoding": "br" }, body: frame(Buffer.of(1), 1) },
      { "grpc-status": "12", "grpc-accept-encoding": "identity,deflate,gzip" },
    ],
    [
      "it is compressed and does not say how",
      { body: frame(Buffer.of(1), 1) },
      { "grpc-status": "12" },
    ],
    [
      "it is not what its encoding says",
      { headers: { "grpc-encoding": "gzip" }, body: frame(Buffer.of(1), 1) },
      { "grpc-status": "3" },
    ],
    ["4 GiB are announced", { body: Buffer.of(0, 255, 255, 255, 255) }, { "grpc-status": "8" }],
    [
      "its media type is another",
      { headers: { "content-type": "application/json" } },
      { ":status": 415 },
    ],
    ["its method is GET", { headers: { ":method": "GET" } }, { ":status": 405 }],
  ])("is refused when %s, and the next one is answered", async (_what, call, expected) => {
    expect((await rawCall(call)).trailers).toMatchObject(expected);
    await expectAlive();
  });

  it("loses its connection when it sends pings without end", async () => {
    const session: ClientHttp2Session = connect(`http://${addressOf(server)}`);
    session.on("error", () => undefined);
    const goaway = once(session, "goaway");
    const flood = setInterval(() => {
      for (let i = 0; i < 10 && !session.destroyed; i++) session.ping(() => undefined);
    }, 2);
    const [code] = (await goaway) as [number];
    clearInterval(flood);
    expect(code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.destroy();
    await expectAlive();
  });
});

describe("Keys", () => {
  const SECRETS = { infer: "infer-0123456789", read: "read-0123456789", admin: "admin-0123456789" };
  const keys = Object.entries(SECRETS)
    .map(([scope, secret]) => `{ name: ${scope}, secret: ${secret}, scopes: [${scope}] }`)
    .join(", ");
  let locked: MillraceProcess;
  let own: Workspace;
  let caller: GrpcClient;
  beforeAll(async () => {
    own = folderWith(`server: { auth: { keys: [${keys}] } }\n${FEW_MODELS}`);
    locked = await start(own);
    caller = new GrpcClient(addressOf(locked));
  });
  afterAll(async () => {
    caller[Symbol.dispose]();
    await locked.stop();
    own[Symbol.dispose]();
  });

  function withKey(secret: string): AskOptions {
    return { metadata: { authorization: `Bearer ${secret}` } };
  }

  it("decide who may predict and who may look", async () => {
    const predict = (options?: AskOptions) => caller.ask("ModelInfer", IRIS_REQUEST, options);
    expect((await failure(predict())).code).toBe(status.UNAUTHENTICATED);
    expect((await failure(predict(withKey("wrong-0123456789")))).code).toBe(status.UNAUTHENTICATED);
    expect((await failure(predict(withKey(SECRETS.read)))).code).toBe(status.PERMISSION_DENIED);
    expect((await predict(withKey(SECRETS.infer))).reply["model_name"]).toBe("iris");
    const look = caller.ask("ModelMetadata", { name: "iris" }, withKey(SECRETS.read));
    expect((await look).reply["name"]).toBe("iris");
    expect((await caller.ask("health/Check")).reply).toEqual({ status: "SERVING" });
  });

  it("let an admin unload and load, also as KServe's clients name the model", async () => {
    const admin = withKey(SECRETS.admin);
    const unloaded = await caller.ask("RepositoryModelUnload", { model_name: "add" }, admin);
    expect(unloaded.reply).toEqual({ model_name: "add", isUnloaded: true });
    expect((await caller.ask("ModelReady", { name: "add" })).reply).toEqual({ ready: false });
    const loaded = await caller.ask("RepositoryModelLoad", { repository_name: "add" }, admin);
    expect(loaded.reply).toEqual({ model_name: "add", isLoaded: true });
    expect((await caller.ask("ModelReady", { name: "add" })).reply).toEqual({ ready: true });
    const parameters = { config: { string_param: "{}" } };
    const overriding = caller.ask("RepositoryModelLoad", { model_name: "add", parameters }, admin);
    expect((await failure(overriding)).code).toBe(status.UNIMPLEMENTED);
  });
});

describe("A process with a gRPC port", () => {
  it("answers what is in flight and takes no more connections when it stops", async () => {
    using own = folderWith(SLOW_MODEL);
    await using stopping = await start(own);
    using caller = new GrpcClient(addressOf(stopping));
    const slow = Array.from({ length: 4 }, () => caller.ask("ModelInfer", SLOW_REQUEST));
    await Promise.race(slow);
    stopping.signal("SIGINT");
    for (const { reply } of await Promise.all(slow)) expect(reply["model_name"]).toBe("slow");
    expect(await stopping.ended()).toBe(0);
  });

  it("answers on one port from every process under up", async () => {
    using own = folderWith(`server: { processes: 2 }\n${FEW_MODELS}`);
    await using up = await start(own, "up");
    for (let i = 0; i < 20; i++) {
      using caller = new GrpcClient(addressOf(up), { "grpc.use_local_subchannel_pool": 1 });
      expect((await caller.ask("ModelInfer", IRIS_REQUEST)).reply["model_name"]).toBe("iris");
    }
    expect(await up.stop()).toBe(0);
  });

  const HTTP_PORTS = ["--port", "0", "--server.metrics-port", "0"];

  it("refuses to start when a port that was chosen is taken", async () => {
    using own = folderWith(FEW_MODELS);
    await using taken = await takePort();
    const ports = [...HTTP_PORTS, "--server.grpc-port", String(taken.port)];
    await expect(
      MillraceProcess.start(["serve", "millrace.yaml"], { cwd: own.path, ports }),
    ).rejects.toThrow(
      /^millrace ended:\nCannot listen on .* the port is in use; choose another with --server.grpc-port/,
    );
  });

  it("takes a free port and says so when the default one is taken", async () => {
    using own = folderWith(FEW_MODELS);
    const begin = (): Promise<MillraceProcess> =>
      MillraceProcess.start(["serve", "millrace.yaml"], { cwd: own.path, ports: HTTP_PORTS });
    await using first = await begin(); // it has the default port, unless somebody else has
    await using second = await begin();
    expect(addressOf(first)).not.toBe(addressOf(second));
    const line = await second.logLine(({ message }) => message.startsWith("gRPC is on port"));
    expect(line["wanted"]).toBe(8001);
  });

  it("listens to none when it is off", async () => {
    using own = folderWith(`server: { grpcPort: off }\n${FEW_MODELS}`);
    await using off = await MillraceProcess.start(["serve", "millrace.yaml"], {
      cwd: own.path,
      ports: HTTP_PORTS,
    });
    expect(off.facts.grpc).toBeUndefined();
  });

  it("speaks TLS when the file has a certificate", async () => {
    using own = folderWith(`server: { tls: { cert: cert.pem, key: key.pem } }\n${FEW_MODELS}`);
    const words =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1";
    execFileSync("openssl", words.split(" "), { cwd: own.path, stdio: "ignore" });
    await using secure = await start(own);
    const channel = credentials.createSsl(readFileSync(own.file("cert.pem")));
    using caller = new GrpcClient(addressOf(secure), {}, channel);
    expect((await caller.ask("ModelInfer", IRIS_REQUEST)).reply["model_name"]).toBe("iris");
    using plain = new GrpcClient(addressOf(secure));
    expect((await failure(plain.ask("ServerLive"))).code).toBe(status.UNAVAILABLE);
  });
});
