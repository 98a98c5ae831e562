import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelConfig } from "../../packages/millrace/src/config/config.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { modelConfig, modelsOptions, NO_LIMITS } from "./model-parts.ts";
import { ServedModel } from "../../packages/millrace/src/models/served-model.ts";

const MODELS = join(import.meta.dirname, "../../examples/models");
const FIRST = join(MODELS, "iris_svc.onnx");
const SECOND = join(MODELS, "v2/iris_svc.onnx");
const ROW: Tensor = {
  name: "float_input",
  datatype: "FP32",
  shape: [1, 4],
  data: Float32Array.of(5.1, 3.5, 1.4, 0.2),
};

let folder: string;
let events: string[];
let models: ServedModel[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-model-"));
  events = [];
  models = [];
});
afterEach(async () => {
  await Promise.all(models.map((model) => model.close()));
  await rm(folder, { recursive: true });
});

async function start(overrides: Partial<ModelConfig> = {}): Promise<ServedModel> {
  const config = modelConfig(join(folder, "model.onnx"), {
    name: "iris",
    sample: [[5.1, 3.5, 1.4, 0.2]],
    ...overrides,
  });
  const model = new ServedModel(config, {
    ...modelsOptions(new TestClock(), (event) => events.push(event)),
    downloadFolder: join(folder, "downloads"),
  });
  models.push(model);
  await model.start();
  return model;
}

/** Puts a file in place as a deployment does. */
async function deploy(source: string, target = "model.onnx"): Promise<void> {
  await copyFile(source, join(folder, "next"));
  await rename(join(folder, "next"), join(folder, target));
}

async function deployVersion(number: number, source: string): Promise<void> {
  await mkdir(join(folder, "versions", String(number)), { recursive: true });
  await deploy(source, `versions/${number}/model.onnx`);
}

const folderSource = (): Pick<ModelConfig, "source"> => ({
  source: { kind: "path", path: join(folder, "versions") },
});

test("start() serves version 1 of a plain file when it is there", async () => {
  await deploy(FIRST);
  const model = await start();
  expect(model.latest?.id).toBe("iris@1");
  expect(model.status()).toMatchObject({ isReady: true, state: "READY", problem: undefined });
});

test("start() is not ready when there is no file, and refresh() serves it once it is there", async () => {
  const model = await start();
  expect(model.status()).toMatchObject({ isReady: false, state: "UNAVAILABLE" });
  expect(model.status().problem).toContain("there is no such file");
  await deploy(FIRST);
  await model.refresh();
  expect(model.status()).toMatchObject({ isReady: true, problem: undefined });
});

test("refresh() switches to a new file and releases the old one when its runs have ended", async () => {
  await deploy(FIRST);
  const model = await start();
  const old = model.latest;
  const running = old?.run([ROW], ["probabilities"], NO_LIMITS);
  await deploy(SECOND);
  await model.refresh();
  expect(model.latest?.id).toBe("iris@2");
  expect(events).toContain("switched iris@1 → iris@2");
  const result = await running;
  expect(result?.outputs[0]?.data[0]).toBeCloseTo(0.96691585, 5);
  await model.close();
  expect(events).toContain("released iris@1");
});

test("refresh() changes nothing when the same bytes are written again", async () => {
  await deploy(FIRST);
  const model = await start();
  const before = model.latest;
  await deploy(FIRST);
  await model.refresh();
  expect(model.latest).toBe(before);
  expect(events.filter((event) => event.startsWith("released"))).toEqual([]);
});

test("refresh() gives an earlier content its earlier number when it comes back", async () => {
  await deploy(FIRST);
  const model = await start();
  for (const file of [SECOND, FIRST]) {
    await deploy(file);
    await model.refresh();
  }
  expect(model.latest?.id).toBe("iris@1");
});

test("refresh() keeps the old version and says why when the new file is broken", async () => {
  await deploy(FIRST);
  const model = await start();
  await writeFile(join(folder, "model.onnx"), "not a model");
  await model.refresh();
  await model.refresh();
  expect(model.latest?.id).toBe("iris@1");
  expect(model.status().problem).toContain("not an ONNX file");
  expect(events.filter((event) => event.startsWith("failed"))).toEqual(["failed, iris@1 serves"]);
  await deploy(FIRST);
  await model.refresh();
  expect(model.status().problem).toBeUndefined();
  expect(events.at(-1)).toBe("recovered iris@1");
});

test("start() refuses a file whose sample does not fit", async () => {
  await deploy(FIRST);
  const model = await start({ sample: [[1, 2]] });
  expect(model.status().problem).toContain("the sample does not fit the model");
});

test("start() serves every sound version when one of them is broken", async () => {
  await deployVersion(1, FIRST);
  await deployVersion(2, SECOND);
  await mkdir(join(folder, "versions/3"));
  await writeFile(join(folder, "versions/3/model.onnx"), "broken");
  const model = await start({ ...folderSource(), serve: { kind: "all" } });
  expect(model.status()).toMatchObject({ isReady: true, versions: [1, 2] });
  expect(model.status().problem).toContain("versions/3/model.onnx");
  await deployVersion(4, FIRST);
  await model.refresh();
  expect(model.status().versions).toEqual([1, 2, 4]);
});

test("start() serves the version before when the latest one is broken", async () => {
  await deployVersion(1, FIRST);
  await mkdir(join(folder, "versions/2"));
  const model = await start(folderSource());
  expect(model.status()).toMatchObject({ isReady: true, versions: [1] });
  expect(model.status().problem).toContain("versions/2");
});

test("refresh() drops a version whose folder was removed", async () => {
  await deployVersion(1, FIRST);
  await deployVersion(2, SECOND);
  const model = await start({ ...folderSource(), serve: { kind: "all" } });
  await rm(join(folder, "versions/2"), { recursive: true });
  await model.refresh();
  expect(model.status().versions).toEqual([1]);
});

test("fallback serves and says why when the source cannot be loaded, and ends when it can", async () => {
  await deploy(SECOND, "fallback.onnx");
  await writeFile(join(folder, "model.onnx"), "broken");
  const model = await start({ fallback: { kind: "path", path: join(folder, "fallback.onnx") } });
  expect(model.status().fallbackReason).toContain("not an ONNX file");
  expect(events).toContain("failed, iris@1 serves");
  await rm(join(folder, "model.onnx"));
  await model.refresh();
  expect(model.status().fallbackReason).toContain("there is no such file");
  await deploy(FIRST);
  await model.refresh();
  expect(model.status()).toMatchObject({ fallbackReason: undefined, problem: undefined });
  expect(model.latest?.path).toBe(join(folder, "model.onnx"));
});

test("fallback gives way when the source turns out to be the same file", async () => {
  await deploy(FIRST, "fallback.onnx");
  const model = await start({ fallback: { kind: "path", path: join(folder, "fallback.onnx") } });
  await deploy(FIRST);
  await model.refresh();
  expect(model.status()).toMatchObject({ isReady: true, fallbackReason: undefined });
});

test("unload() takes the model out of service until load()", async () => {
  await deploy(FIRST);
  const model = await start();
  await model.unload();
  expect(model.status()).toMatchObject({ isReady: false, problem: "unloaded by request" });
  await model.load();
  expect(model.status()).toMatchObject({ isReady: true, problem: undefined });
});

test("load() rejects with MODEL_LOAD_FAILED when the file is broken, and keeps what serves", async () => {
  await deploy(FIRST);
  const model = await start();
  await writeFile(join(folder, "model.onnx"), "broken");
  await expect(model.load()).rejects.toMatchObject({
    code: "MODEL_LOAD_FAILED",
    message: expect.stringContaining("failed to load 'iris'"),
  });
  expect(model.latest?.id).toBe("iris@1");
});
