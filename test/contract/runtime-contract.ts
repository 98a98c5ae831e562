import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type {
  LoadedModel,
  RunOutputs,
  Runtime,
} from "../../packages/millrace/src/ports/runtime.ts";

export interface RuntimeContract {
  /** Runtime under test, for the names of the tests. */
  readonly name: string;
  /** A fresh runtime. */
  readonly create: () => Runtime;
  /** The same two models in the runtime's own format. */
  readonly models: RuntimeContractModels;
}

export interface RuntimeContractModels {
  /** FP32 `[-1, 4]`: INPUT0, INPUT1 → OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 − INPUT1. */
  readonly add: string;
  /** INT64 `[-1]` INDEX → FP32 `[-1]` VALUE: 0, 1, 2 give 10, 20, 30; 9 makes the run fail. */
  readonly gather: string;
}

/** What every Runtime adapter must do. Call it once at the top of a test file. */
export function describeRuntimeContract({ name, create, models }: RuntimeContract): void {
  describe(`${name} runtime contract: load`, () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "runtime-contract-"));
    });
    afterAll(async () => {
      await rm(folder, { recursive: true });
    });

    async function writeModel(fileName: string, bytes: Uint8Array): Promise<string> {
      const path = join(folder, fileName);
      await writeFile(path, bytes);
      return path;
    }

    test("load() describes inputs and outputs when the model is sound", async () => {
      const model = await load(create(), models.add);
      const { inputs, outputs, sizeBytes } = model.description;
      const spec = { datatype: "FP32", shape: [-1, 4] };
      expect(inputs).toEqual([
        { name: "INPUT0", ...spec },
        { name: "INPUT1", ...spec },
      ]);
      expect(outputs).toEqual([
        { name: "OUTPUT0", ...spec },
        { name: "OUTPUT1", ...spec },
      ]);
      expect(sizeBytes).toBe((await readFile(models.add)).length);
      await model.close();
    });

    test("load() reports the digest of the file and of what it loaded when nothing changed", async () => {
      const model = await load(create(), models.add);
      const { sha256, loadedSha256, changes } = model.description;
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(changes).toEqual([]);
      expect(loadedSha256).toBe(sha256);
      const again = await create().load({ path: models.add, sha256, threads: 1 });
      expect(again.description.sha256).toBe(sha256);
      await Promise.all([model.close(), again.close()]);
    });

    test("load() refuses with both digests when the file is not the expected one", async () => {
      const expected = "0".repeat(64);
      const error = await failureOf(
        create().load({ path: models.add, sha256: expected, threads: 1 }),
      );
      expect(error).toMatchObject(loadFailureNaming(models.add));
      expect(error.message).toContain(expected);
      expect(error.message).toMatch(/[1-9a-f][0-9a-f]{63}/);
    });

    test("load() names the file when it is missing", async () => {
      const path = join(folder, "missing.model");
      expect(await failureOf(load(create(), path))).toMatchObject(loadFailureNaming(path));
    });

    test("load() names the file when it is a folder", async () => {
      expect(await failureOf(load(create(), folder))).toMatchObject(loadFailureNaming(folder));
    });

    test("load() names the file when it is empty", async () => {
      const path = await writeModel("empty.model", new Uint8Array(0));
      expect(await failureOf(load(create(), path))).toMatchObject(loadFailureNaming(path));
    });

    test("load() names the file when it holds something else", async () => {
      const path = await writeModel("garbage.model", Buffer.from("not a model at all\n".repeat(9)));
      expect(await failureOf(load(create(), path))).toMatchObject(loadFailureNaming(path));
    });

    // The last quarter is left out: formats may end in parts a model can do without, and only `sha256` shows
    // that those are gone.
    test("load() names the file when it is cut off", async () => {
      const whole = await readFile(models.add);
      const lengthMax = Math.floor(whole.length * 0.75);
      const step = Math.ceil(lengthMax / 25);
      for (let length = 1; length < lengthMax; length += step) {
        const path = await writeModel(`cut-${length}.model`, whole.subarray(0, length));
        expect(await failureOf(load(create(), path))).toMatchObject(loadFailureNaming(path));
      }
    });

    test("load() rejects with the reason when it was aborted before it started", async () => {
      const reason = new Error("stopped");
      const file = { path: models.add, sha256: undefined, threads: 1 };
      await expect(create().load(file, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });

  describe(`${name} runtime contract: run`, () => {
    let add: LoadedModel;
    let gather: LoadedModel;
    beforeAll(async () => {
      add = await load(create(), models.add);
      gather = await load(create(), models.gather);
    });
    afterAll(async () => {
      await Promise.all([add.close(), gather.close()]);
    });

    test("run() gives the exact values when the inputs fit", async () => {
      const inputs = [
        floats("INPUT0", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
        floats("INPUT1", [2, 4], [0.5, 1, 0, -4, 10, 20, 30, 40]),
      ];
      const before = structuredClone(inputs);
      expect(await outputsOf(add.run(inputs, ["OUTPUT0", "OUTPUT1"]))).toEqual([
        floats("OUTPUT0", [2, 4], [1.5, 3, 3, 0, 15, 26, 37, 48]),
        floats("OUTPUT1", [2, 4], [0.5, 1, 3, 8, -5, -14, -23, -32]),
      ]);
      expect(inputs).toEqual(before);
    });

    test("run() takes inputs by name when their order differs", async () => {
      const inputs = [constant("INPUT1", 1), constant("INPUT0", 5)];
      const [difference] = await outputsOf(add.run(inputs, ["OUTPUT1"]));
      expect(difference).toEqual(constant("OUTPUT1", 4));
    });

    test("run() returns the outputs in the order asked for when it differs from the model's", async () => {
      const inputs = [constant("INPUT0", 5), constant("INPUT1", 1)];
      const outputs = await outputsOf(add.run(inputs, ["OUTPUT1", "OUTPUT0"]));
      expect(outputs).toEqual([constant("OUTPUT1", 4), constant("OUTPUT0", 6)]);
    });

    test("run() returns only the outputs asked for when there are more", async () => {
      const inputs = [constant("INPUT0", 5), constant("INPUT1", 1)];
      expect(await outputsOf(add.run(inputs, ["OUTPUT0"]))).toEqual([constant("OUTPUT0", 6)]);
      expect(await outputsOf(add.run(inputs, []))).toEqual([]);
    });

    test("run() reads only its window when the data is part of a larger buffer", async () => {
      const buffer = new Float32Array([9, 9, 1, 2, 3, 4, 9]);
      const window = { ...constant("INPUT0", 0), data: buffer.subarray(2, 6) };
      const inputs = [window, constant("INPUT1", 1)];
      const [sum] = await outputsOf(add.run(inputs, ["OUTPUT0"]));
      expect(sum).toEqual(floats("OUTPUT0", [1, 4], [2, 3, 4, 5]));
    });

    test("run() gives no rows when the batch is empty", async () => {
      const inputs = [floats("INPUT0", [0, 4], []), floats("INPUT1", [0, 4], [])];
      expect(await outputsOf(add.run(inputs, ["OUTPUT0"]))).toEqual([
        floats("OUTPUT0", [0, 4], []),
      ]);
    });

    test("run() gives each caller its own answer when runs overlap", async () => {
      const numbers = Array.from({ length: 50 }, (_, index) => index);
      const answers = await Promise.all(
        numbers.map((number) =>
          outputsOf(add.run([constant("INPUT0", number), constant("INPUT1", 1000)], ["OUTPUT0"])),
        ),
      );
      expect(answers).toEqual(numbers.map((number) => [constant("OUTPUT0", number + 1000)]));
    });

    test("run() leaves earlier outputs as they were when it runs again", async () => {
      const inputs = [constant("INPUT0", 1), constant("INPUT1", 1)];
      const [first] = await outputsOf(add.run(inputs, ["OUTPUT0"]));
      await add.run([constant("INPUT0", 7), constant("INPUT1", 7)], ["OUTPUT0"]);
      expect(first).toEqual(constant("OUTPUT0", 2));
    });

    test("run() gives the exact values when it may detach windows that share one buffer", async () => {
      const buffer = new Float32Array([9, 1, 2, 3, 4, 5, 5, 5, 5, 9]);
      const inputs = [
        { ...constant("INPUT0", 0), data: buffer.subarray(1, 5) },
        { ...constant("INPUT1", 0), data: buffer.subarray(5, 9) },
      ];
      const [sum] = await outputsOf(add.run(inputs, ["OUTPUT0"], { isInputOwned: true }));
      expect(sum).toEqual(floats("OUTPUT0", [1, 4], [6, 7, 8, 9]));
    });

    test("run() copies the inputs when it may detach them and they are in the pool of small Buffers", async () => {
      const bytes = Buffer.from(new Float32Array([1, 2, 3, 4]).buffer).toString("latin1");
      const pooled = Buffer.from(bytes, "latin1");
      expect(pooled.buffer.byteLength).toBe(Buffer.poolSize);
      const data = new Float32Array(pooled.buffer, pooled.byteOffset, 4);
      const inputs = [{ ...constant("INPUT0", 0), data }, constant("INPUT1", 1)];
      const [sum] = await outputsOf(add.run(inputs, ["OUTPUT0"], { isInputOwned: true }));
      expect(sum).toEqual(floats("OUTPUT0", [1, 4], [2, 3, 4, 5]));
      expect(pooled.toString("latin1")).toBe(bytes);
    });

    test("run() answers in the order of the calls when runs overlap", async () => {
      const order: number[] = [];
      const runs = [0, 1, 2, 1, 0].map((index, call) =>
        gather.run([indices([index])], ["VALUE"]).then(() => order.push(call)),
      );
      await Promise.all(runs);
      expect(order).toEqual([0, 1, 2, 3, 4]);
    });

    test("run() says the time of each run alone when runs overlap", async () => {
      const startMs = performance.now();
      const runs = Array.from({ length: 20 }, () => gather.run([indices([0])], ["VALUE"]));
      const times = (await Promise.all(runs)).map((run) => run.computeMs);
      const totalMs = performance.now() - startMs;
      expect(Math.min(...times)).toBeGreaterThan(0);
      expect(times.reduce((sum, time) => sum + time, 0)).toBeLessThanOrEqual(totalMs);
    });

    test("run() rejects with the reason when it was aborted before it started", async () => {
      const reason = new Error("too late");
      const inputs = [constant("INPUT0", 1), constant("INPUT1", 1)];
      const running = add.run(inputs, ["OUTPUT0"], { signal: AbortSignal.abort(reason) });
      await expect(running).rejects.toBe(reason);
    });

    test("run() rejects with MODEL_FAILED when the model fails, and works afterwards", async () => {
      const error = await failureOf(gather.run([indices([9])], ["VALUE"]));
      expect(error.code).toBe("MODEL_FAILED");
      expect(error.cause).toBeInstanceOf(Error);
      expect(error.message).not.toContain((error.cause as Error).message);
      const [values] = await outputsOf(gather.run([indices([2, 0, 1])], ["VALUE"]));
      expect(values).toEqual(floats("VALUE", [3], [30, 10, 20]));
    });

    test("run() fails only the run with bad input when runs overlap", async () => {
      const [good, bad, alsoGood] = await Promise.allSettled([
        outputsOf(gather.run([indices([0])], ["VALUE"])),
        outputsOf(gather.run([indices([9])], ["VALUE"])),
        outputsOf(gather.run([indices([1])], ["VALUE"])),
      ]);
      expect(good).toEqual({ status: "fulfilled", value: [floats("VALUE", [1], [10])] });
      expect(bad.status).toBe("rejected");
      expect(alsoGood).toEqual({ status: "fulfilled", value: [floats("VALUE", [1], [20])] });
    });
  });

  describe(`${name} runtime contract: close`, () => {
    test("close() does no harm when it is called twice", async () => {
      const model = await load(create(), models.add);
      await model.close();
      await expect(model.close()).resolves.toBeUndefined();
    });

    test("close() tells nobody that the model was lost", async () => {
      const model = await load(create(), models.add);
      const reasons: unknown[] = [];
      model.onLost((reason) => reasons.push(reason));
      await model.close();
      await new Promise((resolve) => setImmediate(resolve));
      expect(reasons).toEqual([]);
    });

    test("run() rejects with a MillraceError when the model is closed", async () => {
      const model = await load(create(), models.add);
      await model.close();
      const inputs = [constant("INPUT0", 1), constant("INPUT1", 1)];
      expect((await failureOf(model.run(inputs, ["OUTPUT0"]))).code).toBe("MODEL_NOT_READY");
    });

    test("close() leaves other models of the same file usable", async () => {
      const runtime = create();
      const [first, second] = await Promise.all([
        load(runtime, models.add),
        load(runtime, models.add),
      ]);
      await first.close();
      const inputs = [constant("INPUT0", 1), constant("INPUT1", 2)];
      const [sum] = await outputsOf(second.run(inputs, ["OUTPUT0"]));
      expect(sum).toEqual(constant("OUTPUT0", 3));
      await second.close();
    });
  });
}

function load(runtime: Runtime, path: string): Promise<LoadedModel> {
  return runtime.load({ path, sha256: undefined, threads: 1 });
}

async function outputsOf(run: Promise<RunOutputs>): Promise<Tensor[]> {
  return (await run).outputs;
}

async function failureOf(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof MillraceError) return error;
  throw error;
}

function loadFailureNaming(path: string): { code: string; message: unknown } {
  return { code: "MODEL_LOAD_FAILED", message: expect.stringContaining(`"${path}"`) as unknown };
}

function floats(name: string, shape: number[], values: number[]): Tensor {
  return { name, datatype: "FP32", shape, data: new Float32Array(values) };
}

/** One row of four equal numbers. */
function constant(name: string, value: number): Tensor {
  return floats(name, [1, 4], [value, value, value, value]);
}

function indices(values: number[]): Tensor {
  return {
    name: "INDEX",
    datatype: "INT64",
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  };
}
