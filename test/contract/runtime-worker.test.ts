import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { POSTED_MAX } from "../../packages/millrace/src/adapters/runtime-worker/loaded-worker-model.ts";
import { WorkerRuntime } from "../../packages/millrace/src/adapters/runtime-worker/runtime-worker.ts";
import type { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import type { TensorData } from "../../packages/millrace/src/core/tensor/datatype.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { LoadedModel, RunOutputs } from "../../packages/millrace/src/ports/runtime.ts";
import { Workspace } from "../e2e/workspace.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { FAULTS, LOAD_FAULTS } from "../fixtures/runtime-worker-faults.ts";
import { describeRuntimeContract } from "./runtime-contract.ts";

const ENTRY = new URL("../../packages/millrace/src/runtime-worker-entry.ts", import.meta.url);
const FAULTY_ENTRY = new URL("../fixtures/faulty-runtime-worker-entry.ts", import.meta.url);

function runtime(entry = ENTRY): WorkerRuntime {
  return new WorkerRuntime({ name: "onnx", platform: "onnx_onnxv1", entry });
}

function load(name: string, entry = ENTRY): Promise<LoadedModel> {
  return runtime(entry).load({ path: fixtureModel(name), sha256: undefined, threads: 1 });
}

function floats(name: string, values: number[]): Tensor {
  return { name, datatype: "FP32", shape: [1, values.length], data: new Float32Array(values) };
}

/** @returns the run of gather.onnx: 0, 1, 2 give 10, 20, 30; FAULTS break the faulty thread. */
function gather(model: LoadedModel, index: number): Promise<RunOutputs> {
  const data = BigInt64Array.of(BigInt(index));
  return model.run([{ name: "INDEX", datatype: "INT64", shape: [1], data }], ["VALUE"]);
}

async function failureOf(work: Promise<unknown>): Promise<MillraceError> {
  return work.then(
    () => expect.unreachable("it did not fail"),
    (error: unknown) => error as MillraceError,
  );
}

describeRuntimeContract({
  name: "worker",
  create: () => runtime(),
  models: { add: fixtureModel("add.onnx"), gather: fixtureModel("gather.onnx") },
});

describe("memory", () => {
  test("run() moves the inputs without a copy when they are its own", async () => {
    const model = await load("identity-fp32.onnx");
    const buffer = new Float32Array([9, 1, 2, 9]);
    const input = { ...floats("INPUT", [0, 0]), data: buffer.subarray(1, 3) };
    const { outputs } = await model.run([input], ["OUTPUT"], { isInputOwned: true });
    expect(outputs).toEqual([floats("OUTPUT", [1, 2])]);
    expect(buffer.buffer.detached).toBe(true);
    await model.close();
  });

  test("run() leaves the inputs whole when they are the caller's", async () => {
    const model = await load("identity-fp32.onnx");
    const buffer = new Float32Array([9, 1, 2, 9]);
    const input = { ...floats("INPUT", [0, 0]), data: buffer.subarray(1, 3) };
    await model.run([input], ["OUTPUT"]);
    expect([...buffer]).toEqual([9, 1, 2, 9]);
    await model.close();
  });

  test("run() carries a Buffer whose elements are bytes when it is the caller's", async () => {
    const model = await load("identity-uint8.onnx");
    const data = Buffer.from([1, 2, 255]);
    const input: Tensor = { name: "INPUT", datatype: "UINT8", shape: [1, 3], data };
    const { outputs } = await model.run([input], ["OUTPUT"]);
    expect(outputs[0]?.data).toEqual(new Uint8Array([1, 2, 255]));
    expect([...data]).toEqual([1, 2, 255]);
    await model.close();
  });

  test("run() shares the memory with the thread when it is shared memory", async () => {
    const model = await load("identity-fp32.onnx");
    const data = new Float32Array(new SharedArrayBuffer(8));
    data.set([3, 4]);
    const input: Tensor = { name: "INPUT", datatype: "FP32", shape: [1, 2], data };
    const { outputs } = await model.run([input], ["OUTPUT"], { isInputOwned: true });
    expect(outputs).toEqual([floats("OUTPUT", [3, 4])]);
    await model.close();
  });

  test("run() gives outputs of their own memory when it names one twice", async () => {
    const model = await load("identity-fp32.onnx");
    const { outputs } = await model.run([floats("INPUT", [7])], ["OUTPUT", "OUTPUT"]);
    expect(outputs).toEqual([floats("OUTPUT", [7]), floats("OUTPUT", [7])]);
    await model.close();
  });
});

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

  test.each(VALUES)(
    "run() keeps every bit on both ways when the datatype is %s",
    async (datatype, data) => {
      const model = await load(`identity-${datatype.toLowerCase()}.onnx`);
      const input: Tensor = { name: "INPUT", datatype, shape: [1, 2], data };
      const { outputs } = await model.run([input], ["OUTPUT"]);
      expect(outputs).toEqual([{ ...input, name: "OUTPUT" }]);
      const copy = { ...input, data: structuredClone(data) };
      const moved = await model.run([copy], ["OUTPUT"], { isInputOwned: true });
      expect(moved.outputs).toEqual([{ ...input, name: "OUTPUT" }]);
      await model.close();
    },
  );
});

describe("errors", () => {
  test("run() rejects with code, problems and cause of the thread's error", async () => {
    const model = await load("identity-bytes.onnx");
    const input: Tensor = { name: "INPUT", datatype: "BYTES", shape: [1, 1], data: ["a\0b"] };
    const error = await failureOf(model.run([input], ["OUTPUT"]));
    expect(error).toMatchObject({
      name: "MillraceError",
      code: "INVALID_TENSOR",
      message: expect.stringContaining('input "INPUT" element 0') as unknown,
      problems: [{ location: ["INPUT", 0], type: "range" }],
    });
    expect(error.stack).toContain("ort-tensor");
    await model.close();
  });

  test("run() rejects with the thread's defect, and the thread lives on", async () => {
    const model = await load("gather.onnx", FAULTY_ENTRY);
    await expect(gather(model, FAULTS.defect)).rejects.toThrow("undefined is not a function");
    expect((await gather(model, 1)).outputs[0]?.data).toEqual(new Float32Array([20]));
    await model.close();
  });

  test("run() refuses one run more than the limit, and takes runs again when they have ended", async () => {
    const model = await load("gather.onnx");
    const runs = Array.from({ length: POSTED_MAX }, () => gather(model, 0));
    expect(await failureOf(gather(model, 0))).toMatchObject({
      code: "OVERLOADED",
      reason: "queue",
      message: expect.stringContaining(`the limit is ${POSTED_MAX}`) as unknown,
    });
    await Promise.all(runs);
    expect((await gather(model, 0)).outputs[0]?.data).toEqual(new Float32Array([10]));
    await model.close();
  });
});

describe("loss of the thread", () => {
  test.each([
    ["throws outside of a run", FAULTS.throw, "ended because of an error nobody handled"],
    ["exits", FAULTS.exit, "ended with exit code 7"],
  ])("run() rejects everything in flight and later when the thread %s", async (_, fault, how) => {
    const model = await load("gather.onnx", FAULTY_ENTRY);
    const reasons: MillraceError[] = [];
    model.onLost((reason) => reasons.push(reason));
    const breaking = gather(model, fault).catch(() => undefined); // may still be answered
    const failures = await Promise.all([gather(model, 0), gather(model, 1)].map(failureOf));
    await breaking;
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: "EXECUTOR_LOST", reason: "crash" });
      expect(failure.message).toBe(`Cannot run the model: its thread ${how}`);
    }
    expect(await failureOf(gather(model, 0))).toBe(failures[0]);
    expect(reasons).toEqual([failures[0]]);
    const late = new Promise((resolve) => model.onLost(resolve));
    expect(await late).toBe(failures[0]);
    await model.close();
    expect(reasons).toHaveLength(1);
  });

  test("onLost() comes when the thread dies between two runs", async () => {
    const model = await load("gather.onnx", FAULTY_ENTRY);
    const lost = new Promise<MillraceError>((resolve) => model.onLost(resolve));
    await gather(model, FAULTS.throw).catch(() => undefined);
    const reason = await lost;
    expect(reason.code).toBe("EXECUTOR_LOST");
    expect((reason.cause as Error).message).toBe("secret of the thread");
    expect(await failureOf(gather(model, 0))).toBe(reason);
  });

  test("load() gives a working model again when the one before was lost", async () => {
    const lost = await load("gather.onnx", FAULTY_ENTRY);
    await failureOf(gather(lost, FAULTS.exit));
    const model = await load("gather.onnx", FAULTY_ENTRY);
    expect((await gather(model, 0)).outputs[0]?.data).toEqual(new Float32Array([10]));
    await model.close();
  });

  test("run() rejects as out of memory, and the process lives, when the thread fills its heap", async () => {
    const { stdout } = await runScript(
      ["--max-old-space-size=48"],
      `import { WorkerRuntime } from "${moduleUrl("adapters/runtime-worker/runtime-worker.ts")}";
       const runtime = new WorkerRuntime({ name: "", platform: "", entry: new URL("${FAULTY_ENTRY.href}") });
       const model = await runtime.load({ path: "${fixtureModel("gather.onnx")}", threads: 1 });
       const data = BigInt64Array.of(${FAULTS.fillHeap}n);
       const run = model.run([{ name: "INDEX", datatype: "INT64", shape: [1], data }], ["VALUE"]);
       await run.catch(({ code, reason, message }) => console.log(code, reason, message));`,
    );
    expect(stdout).toBe(
      "EXECUTOR_LOST memory Cannot run the model: its thread ran out of JavaScript memory\n",
    );
  });
});

describe("loading", () => {
  test("load() names the file and the exit code when the thread dies meanwhile", async () => {
    const file = { path: LOAD_FAULTS.exit, sha256: undefined, threads: 1 };
    expect(await failureOf(runtime(FAULTY_ENTRY).load(file))).toMatchObject({
      code: "MODEL_LOAD_FAILED",
      message: `Cannot load model "${LOAD_FAULTS.exit}": its thread ended with exit code 7`,
    });
  });

  test("load() ends the thread and rejects with the reason when it is aborted meanwhile", async () => {
    const before = await threadCount();
    const controller = new AbortController();
    const file = { path: LOAD_FAULTS.hang, sha256: undefined, threads: 1 };
    const loading = failureOf(runtime(FAULTY_ENTRY).load(file, controller.signal));
    await expect.poll(threadCount).toBeGreaterThan(before);
    const reason = new Error("stopped");
    controller.abort(reason);
    expect(await loading).toBe(reason);
    await expect.poll(threadCount).toBe(before);
  });
});

describe("life of the thread", () => {
  test("close() lets posted runs end", async () => {
    const model = await load("gather.onnx");
    const runs = [0, 1, 2].map((index) => gather(model, index));
    const closing = model.close();
    const values = (await Promise.all(runs)).map((run) => run.outputs[0]?.data[0]);
    expect(values).toEqual([10, 20, 30]);
    await closing;
  });

  test("close() ends the thread, 20 times over", async () => {
    await (await load("add.onnx")).close();
    const before = await threadCount();
    for (let cycle = 0; cycle < 20; cycle++) {
      const model = await load("gather.onnx");
      await gather(model, 0);
      await model.close();
    }
    expect(await threadCount()).toBeLessThanOrEqual(before);
  });

  test("process.exit() keeps its code when a thread is in the middle of runs", async () => {
    const script = runScript(
      [],
      `import { WorkerRuntime } from "${moduleUrl("adapters/runtime-worker/runtime-worker.ts")}";
       const runtime = new WorkerRuntime({ name: "", platform: "", entry: new URL("${ENTRY.href}") });
       const model = await runtime.load({ path: "${fixtureModel("slow.onnx")}", threads: 1 });
       const data = () => new Float32Array(4);
       const run = () => model.run([{ name: "INPUT", datatype: "FP32", shape: [1, 4], data: data() }], ["OUTPUT"]);
       await run();
       for (let i = 0; i < 3; i++) void run();
       setTimeout(() => process.exit(3), 50);`,
    );
    await expect(script).rejects.toMatchObject({ code: 3, signal: null, stderr: "" });
  });

  test("an idle thread does not keep the process alive; onnxruntime in it writes no file", async () => {
    using folder = new Workspace({ "home/.keep": "" });
    const env = { HOME: folder.file("home"), XDG_CACHE_HOME: folder.file("home/cache") };
    const { stdout } = await runScript(
      [],
      `import { WorkerRuntime } from "${moduleUrl("adapters/runtime-worker/runtime-worker.ts")}";
       const runtime = new WorkerRuntime({ name: "", platform: "", entry: new URL("${ENTRY.href}") });
       const model = await runtime.load({ path: "${fixtureModel("gather.onnx")}", threads: 1 });
       const data = BigInt64Array.of(1n);
       const { outputs } = await model.run([{ name: "INDEX", datatype: "INT64", shape: [1], data }], ["VALUE"]);
       console.log(outputs[0].data[0]);`,
      env,
    );
    expect(stdout).toBe("20\n");
    expect(await readdir(folder.file("home"))).toEqual([".keep"]);
  });
});

function moduleUrl(path: string): string {
  return new URL(`../../packages/millrace/src/${path}`, import.meta.url).href;
}

/** Runs TypeScript in a Node process of its own, which must end by itself. */
function runScript(
  flags: readonly string[],
  source: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string }> {
  const args = [...flags, "--input-type=module-typescript", "--eval", source];
  const { ORT_DISABLE_TELEMETRY: _, ...inherited } = process.env;
  return promisify(execFile)(process.execPath, args, {
    env: { ...inherited, ...env },
    timeout: 20_000,
  });
}

/** Threads of this process, as Linux counts them. */
async function threadCount(): Promise<number> {
  return (await readdir("/proc/self/task")).length;
}
