import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a running Millrace leaves for other commands to find. */
export interface RunState {
  readonly pid: number;
  readonly url: string;
  /** Absent where the control role does not run. */
  readonly controlUrl?: string;
}

/** Notes where this Millrace listens. A folder that cannot be written costs only this convenience. */
export async function writeRunState(stateDir: string | undefined, state: RunState): Promise<void> {
  if (stateDir === undefined) return;
  try {
    await mkdir(stateDir, { recursive: true });
    await writeFile(join(stateDir, "running.json"), `${JSON.stringify(state)}\n`);
  } catch {
    return;
  }
}

export async function removeRunState(stateDir: string | undefined): Promise<void> {
  if (stateDir === undefined) return;
  const state = await readRunState(stateDir);
  if (state?.pid === process.pid) await rm(join(stateDir, "running.json"), { force: true });
}

/** @returns undefined when nothing runs there. */
export async function readRunState(stateDir: string): Promise<RunState | undefined> {
  try {
    const state = JSON.parse(await readFile(join(stateDir, "running.json"), "utf8")) as RunState;
    process.kill(state.pid, 0); // throws when there is no such process
    return state;
  } catch {
    return undefined;
  }
}
