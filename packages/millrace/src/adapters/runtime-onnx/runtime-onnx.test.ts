import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TensorData } from "../../core/tensor/datatype.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { LoadedModel } from "../../ports/runtime.ts";
import { OnnxRuntime } from "./runtime-onnx.ts";

// What every runtime must do is tested by test/contract/runtime-onnx.test.ts; here is what only ONNX has.

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);

function load(name: string): Promise<LoadedModel> {
  const path = fileURLToPath(new URL(name, MODELS));
  return new OnnxRuntime().load({ path, sha256: undefined, threads: 1 });
}

function floats(name: string, shape: number[], values: number[]): Tensor {
  return { name, datatype: "FP32", shape, data: new Float32Array(values) };
}

describe("datatypes", () => {
  const VALUES: [Tensor["datatype"], TensorData][] = [
    ["BOOL", new Uint8Array([0, 1])],
    ["UINT8", new Uint8Array([0, 255])],
    ["UINT16", new Uint16Array([0, 65535])],
    ["UINT32", new Uint32Array([0, 4294967295])],
    ["UINT64", new BigUint64Array([0n, 2n ** 64n - 1n])],
    ["INT8", new Int8Array([-128, 127])],
    ["INT16", new Int16Array([-32768, 32767])],
    ["INT32", new Int32Array([-2147483648, 2147483647])],
    ["INT64", new BigInt64Array([-(2n ** 63n), 2n ** 53n + 1n])],
    ["FP16", new Uint16Array([0x3c00, 0x7e01])],
    ["FP32", new Float32Array([NaN, -Infinity])],
    ["FP64", new Float64Array([Number.MIN_VALUE, NaN])],
    ["BYTES", ["", "Grüße 😀"]],
  ];

  test.each(VALUES)("run() keeps every bit when the datatype is %s", async (datatype, data) => {
    const model = await load(`identity-${datatype.toLowerCase()}.onnx`);
    expect(model.description.inputs).toEqual([{ name: "INPUT", datatype, shape: [-1, -1] }]);
    const { outputs } = await model.run(
      [{ name: "INPUT", datatype, shape: [1, 2], data }],
      ["OUTPUT"],
    );
    expect(outputs).toEqual([{ name: "OUTPUT", datatype, shape: [1, 2], data }]);
    await model.close();
  });

  test("load() refuses the model when its datatype is BF16", async () => {
    await expect(load("identity-bf16.onnx")).rejects.toThrow("element type BFLOAT16");
  });

  test("run() rejects with INVALID_TENSOR when a string contains NUL", async () => {
    const model = await load("identity-bytes.onnx");
    const input: Tensor = { name: "INPUT", datatype: "BYTES", shape: [1, 1], data: ["a\0b"] };
    await expect(model.run([input], ["OUTPUT"])).rejects.toMatchObject({ code: "INVALID_TENSOR" });
    await model.close();
  });
});

describe("shapes", () => {
  test("run() works when the model has no batch dimension", async () => {
    const model = await load("fixed-shape.onnx");
    expect(model.description.inputs[0]?.shape).toEqual([2, 3]);
    const { outputs } = await model.run([floats("INPUT", [2, 3], [1, 2, 3, 4, 5, 6])], ["OUTPUT"]);
    expect(outputs).toEqual([floats("OUTPUT", [2, 2], [4, 5, 10, 11])]);
    await model.close();
  });

  test("run() works when input and output are scalars", async () => {
    const model = await load("scalar.onnx");
    expect(model.description.inputs[0]?.shape).toEqual([]);
    const { outputs } = await model.run([floats("INPUT", [], [21])], ["OUTPUT"]);
    expect(outputs).toEqual([floats("OUTPUT", [], [42])]);
    await model.close();
  });

  test("load() describes only true inputs when initializers are listed as inputs", async () => {
    const model = await load("initializer-input.onnx");
    expect(model.description.inputs).toEqual([{ name: "INPUT", datatype: "FP32", shape: [-1, 2] }]);
    const { outputs } = await model.run([floats("INPUT", [1, 2], [1, 1])], ["OUTPUT"]);
    expect(outputs).toEqual([floats("OUTPUT", [1, 2], [2, 3])]);
    await model.close();
  });
});

describe("classifiers", () => {
  const SETOSA = floats("X", [1, 4], [5.1, 3.5, 1.4, 0.2]);

  test("load() exposes probabilities, labels and both digests when it removes a ZipMap", async () => {
    const model = await load("classifier-int-labels.onnx");
    const { description } = model;
    expect(description).toMatchObject({
      outputs: [
        { name: "output_label", datatype: "INT64", shape: [-1] },
        { name: "probabilities", datatype: "FP32", shape: [-1, 3] },
      ],
      outputAliases: { output_probability: "probabilities" },
      probabilitiesOutput: "probabilities",
      labels: ["0", "1", "2"],
    });
    expect(description.changes).toHaveLength(1);
    expect(description.loadedSha256).not.toBe(description.sha256);
    expect(description.details).toEqual({
      producer: "skl2onnx 1.20.0",
      irVersion: "10",
      opsets: "ai.onnx.ml 1, ai.onnx 21",
      operators: "TreeEnsembleClassifier 1, Cast 1",
    });
    await model.close();
  });

  test("run() gives label and probabilities when a ZipMap was removed", async () => {
    const model = await load("classifier-string-labels.onnx");
    const { outputs } = await model.run([SETOSA], ["output_label", "probabilities"]);
    const [label, probabilities] = outputs;
    expect(label).toEqual({
      name: "output_label",
      datatype: "BYTES",
      shape: [1],
      data: ["setosa"],
    });
    expect(probabilities?.shape).toEqual([1, 3]);
    // As Python gives it for the unchanged file (onnxruntime 1.31.1).
    expect(Number(probabilities?.data[0])).toBeCloseTo(0.98157942, 6);
    await model.close();
  });

  test("load() finds probabilities and labels when the export had no ZipMap", async () => {
    const model = await load("classifier-no-zip-map.onnx");
    expect(model.description).toMatchObject({
      outputAliases: {},
      probabilitiesOutput: "probabilities",
      labels: ["setosa", "versicolor", "virginica"],
      changes: [],
    });
    await model.close();
  });

  test("load() names no probabilities when the model is a one-class SVM", async () => {
    const model = await load("one-class-svm.onnx");
    expect(model.description).toMatchObject({
      outputs: [
        { name: "label", datatype: "INT64", shape: [-1, 1] },
        { name: "scores", datatype: "FP32", shape: [-1, 1] },
      ],
      probabilitiesOutput: undefined,
      labels: undefined,
    });
    await model.close();
  });

  test("load() keeps every old name as alias when several ZipMaps are removed", async () => {
    const model = await load("zip-map-twice.onnx");
    expect(model.description.outputAliases).toEqual({
      first_named: "first",
      second_named: "second",
      second_again: "second",
    });
    await model.close();
  });
});

describe("external data", () => {
  const INPUT = floats("INPUT", [1, 2], [1, 2]);

  test("run() uses the weights when they are beside the model", async () => {
    const model = await load("external/inside.onnx");
    const { outputs } = await model.run([INPUT], ["OUTPUT"]);
    expect(outputs).toEqual([floats("OUTPUT", [1, 2], [11, 22])]);
    expect(model.description.details["externalData"]).toBe("weights.bin");
    await model.close();
  });

  test("run() uses the weights when a ZipMap was removed as well", async () => {
    const model = await load("external/zip-map.onnx");
    const { outputs } = await model.run([INPUT], ["sum"]);
    expect(outputs).toEqual([floats("sum", [1, 2], [11, 22])]);
    await model.close();
  });

  test.each(["external/outside.onnx", "external/outside-in-subgraph.onnx"])(
    "load() names model and location when %s leads outside",
    async (name) => {
      await expect(load(name)).rejects.toMatchObject({
        code: "MODEL_LOAD_FAILED",
        message: expect.stringMatching(
          /outside.*\.onnx": its external data "\.\.\/secret\.bin" leads/,
        ) as unknown,
      });
    },
  );
});

describe("refusals", () => {
  test.each([
    ["opset-99.onnx", "it needs opset 99 of ai.onnx, the highest supported is 26"],
    ["ir-version-99.onnx", "its IR version is 99, the highest supported is 13"],
    ["unknown-operator.onnx", "its operator Frobnicate is unknown in opset 21"],
    ["sequence-output.onnx", 'its output "OUTPUT" is a sequence'],
    ["sequence-input.onnx", 'its input "INPUT" is of type sequence'],
  ])("load() says why when the model is %s", async (name, why) => {
    await expect(load(name)).rejects.toMatchObject({
      code: "MODEL_LOAD_FAILED",
      message: expect.stringContaining(`${name}": ${why}`) as unknown,
    });
  });

  test("load() says what the file looks like when it is a pickle or cut off", async () => {
    const folder = await mkdtemp(join(tmpdir(), "runtime-onnx-"));
    const runtime = new OnnxRuntime();
    const pickle = join(folder, "model.pkl");
    await writeFile(pickle, Buffer.from("\x80\x04\x95rest", "latin1"));
    await expect(runtime.load({ path: pickle, sha256: undefined, threads: 1 })).rejects.toThrow(
      "it is not an ONNX file but a Python pickle",
    );
    const cut = join(folder, "cut.onnx");
    await writeFile(cut, (await readFile(new URL("add.onnx", MODELS))).subarray(0, 100));
    await expect(runtime.load({ path: cut, sha256: undefined, threads: 1 })).rejects.toThrow(
      "it is truncated or damaged, field 7 lacks its last",
    );
    await rm(folder, { recursive: true });
  });

  test("load() does not find external data when only the model was copied", async () => {
    const folder = await mkdtemp(join(tmpdir(), "runtime-onnx-"));
    const path = join(folder, "copy.onnx");
    await copyFile(new URL("external/inside.onnx", MODELS), path);
    const loading = new OnnxRuntime().load({ path, sha256: undefined, threads: 1 });
    await expect(loading).rejects.toThrow('its external data "weights.bin" is not there');
    await rm(folder, { recursive: true });
  });
});
