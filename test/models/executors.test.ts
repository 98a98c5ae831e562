import { execFile } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { WorkerRuntime } from "../../packages/millrace/src/adapters/runtime-worker/runtime-worker.ts";
import type { Config, ModelConfig } from "../../packages/millrace/src/config/config.ts";
import type { Clock } from "../../packages/millrace/src/core/clock.ts";
import { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import { Metrics } from "../../packages/millrace/src/core/metrics/metrics.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { Models } from "../../packages/millrace/src/models/models.ts";
import { Readiness } from "../../packages/millrace/src/serve/readiness.ts";
import { ServeMetrics } from "../../packages/millrace/src/serve/serve-metrics.ts";
import { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { FAULTS } from "../fixtures/runtime-worker-faults.ts";
import { MemoryTensorCaches } from "../../packages/millrace/src/adapters/cache-memory/memory-tensor-caches.ts";
import { createPlane, LOG, NO_SOURCES, setServices } from "./plane-parts.ts";
import { modelConfig, modelsOptions, NO_LIMITS } from "./model-parts.ts";

const FAULTY_ENTRY = new URL("../fixtures/faulty-runtime-worker-entry.ts", import.meta.url);

const open: Models[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((models) => models.close()));
});

interface WorldOptions {
  readonly clock?: Clock;
  readonly instances?: number;
  /** Its first input is INT64 `[N]`. */
  readonly file?: string;
  readonly rowsMax?: number;
}

/** One model on real threads, which break when they are told to. */
async function createWorld(options: WorldOptions = {}) {
  const { clock = systemClock, instances = 1, file = "gather.onnx", rowsMax = 64 } = options;
  const events: string[] = [];
  const parts = modelsOptions(clock, (event) => events.push(event));
  const worker = new WorkerRuntime({ name: "onnx", platform: "onnx_onnxv1", entry: FAULTY_ENTRY });
  const models = new Models({
    ...parts,
    runtimes: { ...parts.runtimes, onnx: { inline: undefined, worker } },
  });
  open.push(models);
  const registry = new Metrics();
  const metrics = new ServeMetrics(registry, () => models);
  const config = modelConfig(fixtureModel(file), {
    placement: "worker",
    instances,
    sample: [0],
    batch: { rowsMax, delayMs: 0, oversize: "split" },
  });
  await models.apply({ model: config });
  const version = models.version("model");
  const run = (...values: number[]): Promise<number[]> => {
    const data = BigInt64Array.from(values, BigInt);
    const name = version.inputs[0]?.name ?? "";
    const input: Tensor = { name, datatype: "INT64", shape: [values.length], data };
    return version
      .run([input], version.outputNames, { ...NO_LIMITS, receivedMs: clock.nowMs() })
      .then(({ outputs }) => Array.from((outputs[0] as Tensor).data as Float32Array, Number));
  };
  const plane = createPlane({ models, clock });
  await setServices(plane, []);
  const gauge = (name: string): number | undefined =>
    registry.snapshot().find((metric) => metric.name === name)?.series[0]?.value;
  return {
    models,
    version,
    events,
    metrics,
    run,
    gauge,
    readiness: new Readiness(models, plane.graphs),
  };
}

/** A file with this model and nothing else; it is not listened for. */
function configOf(model: ModelConfig): Config {
  return {
    name: "test",
    owner: undefined,
    runbook: undefined,
    file: undefined,
    stateDir: undefined,
    cacheStore: { kind: "memory" },
    log: LOG,
    traces: undefined,
    server: { bodyBytesMax: 1_000_000, drainMs: 1_000 } as Config["server"],
    models: { [model.name]: model },
    services: {},
  };
}

const codeOf = (result: Promise<unknown>): Promise<string> =>
  result.then(
    () => "ok",
    (error: unknown) => (error instanceof MillraceError ? error.code : String(error)),
  );

describe("a thread that dies", () => {
  test("is seen in readiness, status and metrics until another has taken its place", async () => {
    const { models, version, events, readiness, run, gauge } = await createWorld();
    expect([readiness.isReady, gauge("executors_up")]).toEqual([true, 1]);
    expect(await codeOf(run(FAULTS.exit))).toBe("EXECUTOR_LOST"); // it kills the second one too
    expect([readiness.isReady, gauge("executors_up"), gauge("model_ready")]).toEqual([false, 0, 0]);
    expect(readiness.problems()).toEqual([
      "model model is not ready: every thread of model@1 is lost and is being started again",
    ]);
    expect(models.status()[0]?.state).toBe("UNAVAILABLE");
    await expect.poll(() => version.isUp, { timeout: 20_000 }).toBe(true);
    expect([readiness.isReady, gauge("executors_up")]).toEqual([true, 1]);
    expect(await run(1)).toEqual([20]);
    expect(events.filter((event) => /lost|back/.test(event))).toEqual([
      "lost model",
      "back model",
      "lost model",
      "back model",
    ]);
  });

  test("takes nobody with it: requests under way are answered, right or with a retriable error", async () => {
    const { run, version } = await createWorld({ rowsMax: 4 });
    const values = Array.from({ length: 100 }, (_, i) => i % 3);
    const answers = values.map((value) =>
      run(value).then(
        ([answer]) => answer === (value + 1) * 10 || `wrong: ${String(answer)}`,
        (error: unknown) => (error as MillraceError).code === "EXECUTOR_LOST",
      ),
    );
    const poison = codeOf(run(FAULTS.exit));
    expect(new Set(await Promise.all(answers))).toEqual(new Set([true]));
    expect(await poison).toBe("EXECUTOR_LOST");
    expect(version.scheduled.batcher.itemCount).toBe(0);
    expect(version.inFlight).toBe(0);
    await expect.poll(() => version.isUp, { timeout: 20_000 }).toBe(true);
    expect(await run(2)).toEqual([30]);
  });

  test("leaves the model ready when it has another one", async () => {
    const { readiness, run, gauge } = await createWorld({ instances: 2 });
    const poison = codeOf(run(FAULTS.throw));
    await expect.poll(() => gauge("executors_up"), { timeout: 20_000, interval: 1 }).toBe(1);
    expect(readiness.isReady).toBe(true);
    expect(await run(1)).toEqual([20]);
    await poison;
  });

  test("close() during its restart leaves no thread behind", async () => {
    const { models, run, events } = await createWorld();
    await codeOf(run(FAULTS.exit));
    await models.close();
    expect(events.at(-1)).toBe("released model@1");
  });
});

describe("the log", () => {
  test("says why a thread died, with the error that nobody handled, and when it is back", async () => {
    const lines: { level: string; fields: object; message: string }[] = [];
    const write = (level: string) => (fields: object, message: string) =>
      void lines.push({ level, fields, message });
    const logger = {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    };
    const entry = FAULTY_ENTRY;
    const worker = new WorkerRuntime({ name: "onnx", platform: "onnx_onnxv1", entry });
    const { runtimes, ledger, downloadFolder } = modelsOptions(systemClock, () => undefined);
    const config = modelConfig(fixtureModel("gather.onnx"), { placement: "worker", sample: [0] });
    const role = new ServeRole(configOf(config), {
      runtimes: { ...runtimes, onnx: { inline: undefined, worker } },
      sources: NO_SOURCES,
      caches: new MemoryTensorCaches(systemClock),
      experiments: {
        openSticky: () => Promise.reject(new Error("no experiments here")),
        phases: ledger,
        hash: (text) => text,
      },
      sha256: (bytes) => hash("sha256", bytes, "hex"),
      coreCount: 1,
      share: { index: 0, processes: 1 },
      ledger,
      clock: systemClock,
      random: randomBytes,
      loggerFor: () => logger,
      downloadFolder,
    });
    await role.loadModels();
    open.push(role.models);
    const version = role.models.version("model");
    const data = BigInt64Array.of(BigInt(FAULTS.throw));
    const input: Tensor = { name: "INDEX", datatype: "INT64", shape: [1], data };
    void version.run([input], ["VALUE"], NO_LIMITS).catch(() => undefined);
    await expect
      .poll(() => lines.find(({ message }) => message.includes("runs again")), { timeout: 20_000 })
      .toBeDefined();
    expect(lines.find(({ level }) => level === "error")).toMatchObject({
      message: expect.stringContaining("ended because of an error nobody handled") as string,
      fields: { model: "model", backInMs: 100, err: { message: "secret of the thread" } },
    });
  });
});

describe("a run that hangs", () => {
  /** Some seconds; the end of the test process has to wait for it. */
  const MANY_ROUNDS = 2_000_000;

  test("is given up after 30 s: its request is answered, and the model answers others", async () => {
    const clock = new TestClock();
    const { version, run, events } = await createWorld({ clock, file: "rounds.onnx", rowsMax: 1 });
    const before = version.statistics.executionCount;
    const hung = codeOf(run(MANY_ROUNDS));
    await expect
      .poll(() => version.scheduled.batcher.executors.hasFree, { timeout: 20_000 })
      .toBe(false);
    clock.advanceMs(32_000);
    expect(await hung).toBe("EXECUTOR_LOST");
    expect(events.at(-1)).toBe("lost model");
    const next = run(1);
    clock.advanceMs(100);
    expect(await next).toEqual([1]);
    expect(version.statistics.executionCount).toBe(before + 1);
    expect(version.scheduled.batcher.itemCount).toBe(0);
  });

  test("fails the load when it is the sample's, and the model can be loaded again", async () => {
    const clock = new TestClock();
    const config = modelConfig(fixtureModel("rounds.onnx"), {
      placement: "worker",
      sample: [MANY_ROUNDS],
    });
    const models = new Models(modelsOptions(clock, () => undefined));
    open.push(models);
    const loading = models.apply({ model: config });
    await expect.poll(() => clock.timerCount, { timeout: 20_000 }).toBeGreaterThan(0);
    clock.advanceMs(600_000);
    await loading;
    expect(models.status()[0]?.problem).toMatch(/a trial run has not ended after 10 min$/);
    await models.apply({ model: { ...config, sample: [1] } });
    expect(models.status()[0]).toMatchObject({ isReady: true, problem: undefined });
  });

  test("does not keep the process for ever when it exits", async () => {
    const script = `
      import { createWorkerRuntime } from "${new URL("../../packages/millrace/src/main.ts", import.meta.url).href}";
      const file = { path: "${fixtureModel("rounds.onnx")}", sha256: undefined, threads: 1 };
      const model = await createWorkerRuntime().load(file);
      const data = BigInt64Array.of(10n ** 15n);
      const input = { name: "ROUNDS", datatype: "INT64", shape: [1], data };
      model.run([input], ["OUTPUT"]).catch(() => undefined);
      setTimeout(() => process.exit(3), 50);`;
    const args = ["--conditions=@millrace/source", "--input-type=module-typescript"];
    const ended = promisify(execFile)(process.execPath, [...args, "--eval", script], {
      timeout: 25_000,
      killSignal: "SIGTERM",
    });
    await expect(ended).rejects.toMatchObject({ signal: "SIGKILL" });
  });
});
