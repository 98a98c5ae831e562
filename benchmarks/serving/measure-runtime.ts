import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { onCore, runProcess, SERVER_CORE } from "./run-process.ts";
import { modelsEnv, type Workload } from "./workloads.ts";

/** The runtime alone in a loop, on the server's core: what no server can be faster than. */
export interface RuntimeRow {
  readonly model: string;
  readonly batch: number;
  readonly repetition: number;
  readonly rowsPerSecond: number;
  /** Of one run. */
  readonly runMs: Percentiles;
}

export async function measureRuntime(
  { name, modelFile, casesFile }: Workload,
  batch: number,
  repetition: number,
  durationMs: number,
): Promise<RuntimeRow> {
  const script = `${import.meta.dirname}/models/raw_runtime.py`;
  const words = [modelsEnv.bin("python"), script, modelFile, casesFile];
  const command = onCore(SERVER_CORE, [...words, String(batch), String(durationMs / 1000)]);
  const { perSecond, ms } = JSON.parse(await runProcess(command, durationMs + 60_000)) as {
    readonly perSecond: number;
    readonly ms: readonly number[];
  }; // printed by raw_runtime.py
  return { model: name, batch, repetition, rowsPerSecond: perSecond, runMs: percentilesOf(ms) };
}
