import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LoadPlan, LoadResult } from "./generator.ts";

/** Server and generator get a core each, so that neither takes time from the other. */
export const SERVER_CORE = 0;
const GENERATOR_CORE = 1;

/** Can processes be pinned here? Without it the numbers of a run are printed, and marked. */
export const canPin = availableParallelism() >= 2 && isInstalled("taskset");

/** @returns the command line that runs `command` on one core; `taskset` replaces itself, the pid stays. */
export function onCore(core: number | undefined, command: readonly string[]): string[] {
  return core === undefined || !canPin ? [...command] : ["taskset", "-c", String(core), ...command];
}

/** Runs a command to its end. @returns its output. @throws when it fails or takes longer than `timeoutMs`. */
export async function runProcess(
  [file = "", ...words]: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const options = { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 2 ** 24 } as const;
  return (await promisify(execFile)(file, words, options)).stdout;
}

export function isInstalled(command: string): boolean {
  try {
    execFileSync("which", [command], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Puts load on a server from the generator's core. */
export async function runGenerator(plan: LoadPlan): Promise<LoadResult> {
  const generator = `${import.meta.dirname}/generator.ts`;
  const command = onCore(GENERATOR_CORE, [process.execPath, generator, JSON.stringify(plan)]);
  const timeoutMs = plan.warmupMs + plan.durationMs + 30_000;
  return JSON.parse(await runProcess(command, timeoutMs)) as LoadResult;
}

/** Puts a closed-loop load on a server with wrk. @returns requests a second. */
export async function runWrk(
  { port, path, body }: Pick<LoadPlan, "port" | "path" | "body">,
  connections: number,
  durationMs: number,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  try {
    const script = join(folder, "post.lua");
    await writeFile(
      script,
      `wrk.method = "POST"\nwrk.body = [==[${body}]==]\nwrk.headers["content-type"] = "application/json"\n`,
    );
    const seconds = `${Math.ceil(durationMs / 1000)}s`;
    const wrk = ["wrk", "-t1", `-c${connections}`, `-d${seconds}`, "-s", script];
    const command = onCore(GENERATOR_CORE, [...wrk, `http://127.0.0.1:${port}${path}`]);
    const output = await runProcess(command, durationMs + 30_000);
    if (output.includes("Non-2xx")) throw new Error(`wrk got answers that are not 200:\n${output}`);
    return Number(/Requests\/sec: +([\d.]+)/.exec(output)?.[1]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
