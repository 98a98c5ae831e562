import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import type { ModelConfig } from "../../packages/millrace/src/config/config.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { ModelVersion } from "../../packages/millrace/src/models/model-version.ts";
import { ServedModel } from "../../packages/millrace/src/models/served-model.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { modelConfig, modelsOptions, NO_LIMITS } from "./model-parts.ts";

const models: ServedModel[] = [];
afterEach(async () => {
  await Promise.all(models.splice(0).map((model) => model.close()));
});

async function load(file: string, overrides: Partial<ModelConfig> = {}): Promise<ModelVersion> {
  const config = modelConfig(fixtureModel(file), overrides);
  const model = new ServedModel(
    config,
    modelsOptions(systemClock, () => undefined),
  );
  models.push(model);
  await model.start();
  if (model.latest === undefined) throw new Error(model.status().problem);
  return model.latest;
}

function numbers(name: string, ...rows: number[][]): Tensor {
  const width = rows[0]?.length ?? 0;
  const data = Float32Array.from(rows.flat());
  return { name, datatype: "FP32", shape: [rows.length, width], data };
}

function indices(...values: number[]): Tensor {
  const data = BigInt64Array.from(values, BigInt);
  return { name: "INDEX", datatype: "INT64", shape: [values.length], data };
}

/** Runs that arrive in the same moment. */
function runAll(
  version: ModelVersion,
  inputs: readonly Tensor[][],
): Promise<PromiseSettledResult<number[]>[]> {
  return Promise.allSettled(
    inputs.map(async (own) => {
      const { outputs } = await version.run(own, version.outputNames, NO_LIMITS);
      const [output] = outputs;
      return [...((output as Tensor).data as Float32Array)];
    }),
  );
}

const values = (results: PromiseSettledResult<number[]>[]): unknown[] =>
  results.map((result) =>
    result.status === "fulfilled" ? result.value : (result.reason as MillraceError).code,
  );

test("requests that arrive together share a run, and each gets its own rows", async () => {
  const version = await load("softmax.onnx");
  const before = version.statistics.executionCount;
  const rows = Array.from({ length: 20 }, (_, i) => [i, 0, 0, -i]);
  const input = version.inputs[0]?.name ?? "";
  const width = version.inputs[0]?.shape[1] ?? 4;
  const alone: unknown[] = [];
  for (const row of rows) {
    alone.push(...values(await runAll(version, [[numbers(input, row.slice(0, width))]])));
  }
  const together = values(
    await runAll(
      version,
      rows.map((row) => [numbers(input, row.slice(0, width))]),
    ),
  );
  expect(together).toEqual(alone);
  expect(version.statistics.executionCount - before).toBe(21);
  expect(version.recentBatches().at(-1)).toMatchObject({ rows: 20, requests: 20, outcome: "ok" });
});

test("a request that fails the model fails alone, and its siblings are answered", async () => {
  const version = await load("gather.onnx", { sample: [0] });
  expect(version.batching).toEqual({ isBatched: true, reason: undefined });
  const results = await runAll(version, [
    [indices(0)],
    [indices(1, 2)],
    [indices(99)],
    [indices(2)],
  ]);
  expect(values(results)).toEqual([[10], [20, 30], "MODEL_FAILED", [30]]);
  expect(version.scheduled.batcher.journal.bisectCount).toBeGreaterThan(0);
});

test("a request with more rows than a batch is run in parts and joined in order", async () => {
  const version = await load("gather.onnx", {
    sample: [0],
    batch: { rowsMax: 4, delayMs: 0, oversize: "split" },
  });
  const many = Array.from({ length: 11 }, (_, i) => i % 3);
  const results = await runAll(version, [[indices(...many)], [indices(1)]]);
  expect(values(results)).toEqual([many.map((i) => (i + 1) * 10), [20]]);
  expect(Math.max(...version.recentBatches().map((batch) => batch.rows))).toBe(4);
});

test("a request with more rows than a batch is refused when the file says so", async () => {
  const batch = { rowsMax: 4, delayMs: 0, oversize: "reject" } as const;
  const version = await load("gather.onnx", { sample: [0], batch });
  const [code] = values(await runAll(version, [[indices(0, 1, 2, 0, 1)]]));
  expect(code).toBe("INVALID_TENSOR");
  expect(values(await runAll(version, [[indices(0, 1, 2, 0)]]))).toEqual([[10, 20, 30, 10]]);
});

test("batch: off runs each request alone, with all its rows at once", async () => {
  const batch = { rowsMax: 1, delayMs: 0, oversize: "split" } as const;
  const version = await load("gather.onnx", { sample: [0], batch });
  const before = version.statistics.executionCount;
  expect(values(await runAll(version, [[indices(0, 1, 2)], [indices(1)]]))).toEqual([
    [10, 20, 30],
    [20],
  ]);
  expect(version.statistics.executionCount - before).toBe(2);
  expect(version.statistics.batches.get(3)?.count).toBe(1);
});

test("a request without rows is answered without disturbing the others", async () => {
  const version = await load("gather.onnx", { sample: [0] });
  expect(values(await runAll(version, [[indices()], [indices(1)]]))).toEqual([[], [20]]);
});

test("requests for other outputs or of other shapes do not share a run", async () => {
  const version = await load("add.onnx");
  const inputs = version.inputs.map(({ name, shape }) =>
    numbers(
      name,
      Array.from({ length: shape[1] ?? 1 }, () => 1),
    ),
  );
  const last = version.outputNames.slice(-1);
  await Promise.all([
    version.run(inputs, version.outputNames, NO_LIMITS),
    version.run(inputs, last, NO_LIMITS),
  ]);
  const kinds = new Set(version.recentBatches().map((batch) => batch.bucket));
  expect(kinds.size).toBe(version.outputNames.length > 1 ? 2 : 1);
});

describe("a model is batched only when that is proven", () => {
  test.each([
    ["mixes-rows.onnx", /two rows together give another "OUTPUT" than apart/],
    ["state-on-second-axis.onnx", /input "STATE" has the fixed extent 2/],
    ["fixed-shape.onnx", /has the fixed extent/],
    ["scalar.onnx", /is a single value/],
  ])("%s is not", async (file, reason) => {
    const version = await load(file);
    expect(version.batching.isBatched).toBe(false);
    expect(version.batching.reason).toMatch(reason);
  });

  test.each(["add.onnx", "identity-bytes.onnx", "identity-fp16.onnx", "classifier-network.onnx"])(
    "%s is",
    async (file) => {
      expect((await load(file)).batching).toEqual({ isBatched: true, reason: undefined });
    },
  );
});

describe("placement: auto", () => {
  test("keeps a fast model on the calling thread", async () => {
    expect((await load("add.onnx", { placement: "auto" })).placement).toBe("inline");
  });

  test("moves a slow model to a thread, where it does not block the caller", async () => {
    const version = await load("slow.onnx", { placement: "auto" });
    expect(version.placement).toBe("worker");
    let turns = 0;
    let isRunning = true;
    const count = (): void => {
      turns++;
      if (isRunning) setImmediate(count);
    };
    setImmediate(count);
    await runAll(version, [[numbers("INPUT", [1, 2, 3, 4])]]);
    isRunning = false;
    expect(turns).toBeGreaterThan(100);
  });
});

test("a cancelled request leaves at once and does not count as running", async () => {
  const version = await load("slow.onnx", { placement: "worker" });
  const input = [numbers("INPUT", [1, 2, 3, 4])];
  const running = version.run(input, version.outputNames, NO_LIMITS);
  const cancellation = new Cancellation();
  const cancelled = version.run(input, version.outputNames, {
    ...NO_LIMITS,
    cancellation,
  });
  cancellation.cancel(new MillraceError("CANCELLED", "gone"));
  await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
  expect(version.scheduled.batcher.itemCount).toBe(1);
  await running;
  expect(version.inFlight).toBe(0);
});

test("a request whose deadline passes while the model runs is answered then, not when the run ends", async () => {
  const version = await load("slow.onnx", { placement: "worker" });
  const startedMs = systemClock.nowMs();
  const limits = { ...NO_LIMITS, receivedMs: startedMs, deadlineAtMs: startedMs + 20 };
  const run = version.run([numbers("INPUT", [1, 2, 3, 4])], version.outputNames, limits);
  await expect(run).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect(version.scheduled.batcher.executors.hasFree).toBe(false);
});
