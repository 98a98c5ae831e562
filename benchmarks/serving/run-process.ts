import { execFile, execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";

/** Server and generator get a core each, so that neither takes time from the other. */
export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

/** Can processes be pinned here? Without it the numbers of a run are printed, and marked. */
export const canPin = availableParallelism() >= 2 && isInstalled("taskset");

/** @returns the command line that runs `command` on one core; `taskset` replaces itself, the pid stays. */
export function onCore(core: number, command: readonly string[]): string[] {
  return canPin ? ["taskset", "-c", String(core), ...command] : [...command];
}

/** Runs a command to its end. @returns its output. @throws when it fails or takes longer than `timeoutMs`. */
export async function runProcess(
  [file = "", ...words]: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const options = { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 2 ** 28 } as const;
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
