import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import type { ModelConfig } from "../../packages/millrace/src/config/config.ts";
import type { Clock } from "../../packages/millrace/src/core/clock.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { ServedModel } from "../../packages/millrace/src/models/served-model.ts";
import { testPython } from "../../tools/test-venv.ts";
import { eventually, isRunning } from "../e2e/millrace-process.ts";
import { modelConfig, modelsOptions, NO_LIMITS } from "./model-parts.ts";

/** Adds to each number what the source says; fails, hangs or dies when told to. */
const SERVE = `
import os, sys, time
from millrace_process import serve
with open(sys.argv[1] + "/plus.txt" if os.path.isdir(sys.argv[1]) else sys.argv[1]) as file:
    plus = float(file.read())
def predict(inputs):
    x = inputs["x"]
    if (x < -100).any():
        os._exit(1) if (x > -200).all() else time.sleep(600)
    return {"y": x + plus, "pid": x * 0 + os.getpid()}
serve(predict, inputs={"x": ("FP32", [-1, 2])}, outputs={"y": ("FP32", [-1, 2]), "pid": ("FP32", [-1, 2])})
`;

let folder: string;
let events: string[];
let models: ServedModel[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-process-model-"));
  await writeFile(join(folder, "serve.py"), SERVE);
  events = [];
  models = [];
});
afterEach(async () => {
  await Promise.all(models.map((model) => model.close()));
  await rm(folder, { recursive: true });
});

async function serve(
  source: string,
  overrides: Partial<ModelConfig> = {},
  clock: Clock = systemClock,
): Promise<ServedModel> {
  const command = [testPython(), "serve.py", "{source}"];
  const files = [join(folder, "serve.py")];
  const program = { model: "model", command, folder, files, hasSource: true, env: {} };
  const config = modelConfig(join(folder, source), {
    runtime: "process",
    program: { ...program, startMs: 20_000 },
    placement: "auto",
    reload: { kind: "watch" },
    ...overrides,
  });
  const model = new ServedModel(
    config,
    modelsOptions(clock, (event) => events.push(event)),
  );
  models.push(model);
  await model.start();
  return model;
}

async function answer(model: ServedModel, value: number, output = "y"): Promise<number> {
  const data = Float32Array.of(value, value);
  const inputs = [{ name: "x", datatype: "FP32" as const, shape: [1, 2], data }];
  const result = await model.latest?.run(inputs, [output], {
    ...NO_LIMITS,
    receivedMs: systemClock.nowMs(),
  });
  return (result?.outputs[0]?.data as Float32Array | undefined)?.[0] ?? NaN;
}

async function put(name: string, text: string): Promise<void> {
  await writeFile(join(folder, "draft"), text);
  await rename(join(folder, "draft"), join(folder, name));
}

test("a program is proven to batch, measured and placed beside the serving thread", async () => {
  await put("plus.txt", "1");
  const model = await serve("plus.txt", { instances: 2 });
  expect(model.status()).toMatchObject({ isReady: true, placement: "worker", instances: 2 });
  expect(model.latest?.batching).toEqual({ isBatched: true, reason: undefined });
  expect(model.latest?.platform).toBe("python_function");
  const values = await Promise.all(Array.from({ length: 40 }, (_, i) => answer(model, i)));
  expect(values).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

test("a changed source is served by a new program beside the old one, which then ends", async () => {
  await put("plus.txt", "1");
  const model = await serve("plus.txt");
  const oldPid = await answer(model, 0, "pid");
  await put("plus.txt", "10");
  await eventually(() => events.includes("switched model@1 → model@2"), "the switch");
  expect(await answer(model, 1)).toBe(11);
  await eventually(() => events.includes("released model@1"), "the release");
  expect(isRunning(oldPid)).toBe(false);
});

test("a changed script is a version of its own", async () => {
  await put("plus.txt", "1");
  const model = await serve("plus.txt");
  await put("serve.py", SERVE.replace("x + plus", "x - plus"));
  await eventually(() => events.includes("switched model@1 → model@2"), "the switch");
  expect(await answer(model, 1)).toBe(0);
});

test("a source or script that does not work leaves the old program serving", async () => {
  await put("plus.txt", "1");
  const model = await serve("plus.txt");
  await put("plus.txt", "one");
  await eventually(() => events.includes("failed, model@1 serves"), "the failure");
  expect(model.status().problem).toContain(
    "its program exited with code 1: ValueError: could not convert string to float: 'one'",
  );
  expect(await answer(model, 1)).toBe(2);
});

test("a folder of numbered versions gives each program the folder of its version", async () => {
  for (const version of ["1", "2"]) {
    await mkdir(join(folder, "plus", version), { recursive: true });
    await put(`plus/${version}/plus.txt`, version);
  }
  const model = await serve("plus", { serve: { kind: "all" } });
  expect(model.status().versions).toEqual([1, 2]);
  expect(await answer(model, 1)).toBe(3);
});

test("a folder is the source when it has no numbered versions", async () => {
  await mkdir(join(folder, "plus"));
  await put("plus/plus.txt", "5");
  const model = await serve("plus");
  expect(await answer(model, 1)).toBe(6);
  await put("plus/plus.txt", "6");
  await eventually(() => events.includes("switched model@1 → model@2"), "the switch");
});

test("a program that dies in a run is started again", async () => {
  await put("plus.txt", "1");
  const model = await serve("plus.txt");
  await expect(answer(model, -101)).rejects.toMatchObject({ code: "EXECUTOR_LOST" });
  await eventually(() => events.includes("back model"), "the restart");
  expect(await answer(model, 1)).toBe(2);
});

test("a program that hangs in a run is killed, and another takes its place", async () => {
  await put("plus.txt", "1");
  const clock = new TestClock();
  const model = await serve("plus.txt", { reload: { kind: "off" } }, clock);
  const pid = await answer(model, 0, "pid");
  const hanging = answer(model, -201).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 50)); // it has been sent
  clock.advanceMs(33_000);
  expect(await hanging).toMatchObject({ code: "EXECUTOR_LOST" });
  await eventually(() => !isRunning(pid), "the end of the program");
  clock.advanceMs(1_000);
  await eventually(() => events.includes("back model"), "the restart");
  expect(await answer(model, 1)).toBe(2);
});
