/**
 * What does logging with full payload add to a prediction of the iris model, on the thread that answers it?
 *
 *     node --conditions=@millrace/source benchmarks/prediction-log/predict.ts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../packages/millrace/src/config/load.ts";
import { createServeRole } from "../../packages/millrace/src/main.ts";
import { PRIORITY_DEFAULT } from "../../packages/millrace/src/serve/prediction.ts";
import type { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";
import { describeMachine, ROOT } from "../machine.ts";

const PREDICTIONS = 5_000;
const ROUNDS = 14;

async function startRole(dir: string | undefined): Promise<ServeRole> {
  const input = {
    models: { iris: { source: join(ROOT, "examples/models/iris_svc.onnx") } },
    ...(dir !== undefined && { state: { dir } }),
  };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: ROOT });
  if (result.kind !== "ok") throw new Error("Cannot load the configuration");
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: console.error, error: console.error };
  const role = await createServeRole(result.config, () => log);
  await role.loadModels();
  return role;
}

/** @returns microseconds a prediction, of this thread alone: what writes has one of its own. */
async function measure({ plane }: ServeRole): Promise<number> {
  const target = plane.target(plane.services.get("iris"));
  const { predictor } = target;
  const name = predictor.inputs[0]?.name ?? "";
  const before = process.threadCpuUsage();
  for (let i = 0; i < PREDICTIONS; i++) {
    const data = Float32Array.of(5.1, 3.5, 1.4, i % 3);
    const inputs = [{ name, datatype: "FP32", shape: [1, 4], data }] as const;
    const predictionId = plane.newPredictionId();
    await plane.infer(target, inputs, predictor.predictionNames, {
      predictionId,
      endpoint: "/predict",
      requestId: predictionId,
      attributes: undefined,
      receivedMs: plane.clock.nowMs(),
      priority: PRIORITY_DEFAULT,
      timeoutMs: undefined,
      cancellation: undefined,
    });
    // As between requests: what was written is told to this thread.
    if (i % 64 === 0) await new Promise(setImmediate);
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / PREDICTIONS;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

console.log(describeMachine());
const dir = mkdtempSync(join(tmpdir(), "millrace-log-"));
const roles = { without: await startRole(undefined), with: await startRole(dir) };
const taken: Record<keyof typeof roles, number[]> = { without: [], with: [] };
for (let round = 0; round < ROUNDS; round++) {
  // By turns, so that both have the same neighbours.
  for (const name of ["without", "with"] as const) taken[name].push(await measure(roles[name]));
}
const [plain, logged] = [median(taken.without.slice(2)), median(taken.with.slice(2))];
console.log(`${plain.toFixed(2)} µs a prediction without a log, ${logged.toFixed(2)} µs with it`);
console.log(`${(logged - plain).toFixed(2)} µs a prediction for the log`);
for (const metric of roles.with.metrics()) {
  if (!metric.name.startsWith("predlog_") || metric.kind !== "counter") continue;
  for (const { labels, value } of metric.series) console.log(metric.name, labels.join(" "), value);
}
await Promise.all([roles.without.stop(0), roles.with.stop(0)]);
rmSync(dir, { recursive: true });
