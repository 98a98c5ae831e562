import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

/** What a running Millrace leaves for other commands to find. */
export interface RunState {
  readonly pid: number;
  readonly url: string;
  /** Absent where the control role does not run. */
  readonly controlUrl?: string;
  readonly grpcUrl?: string;
  readonly metricsUrl?: string;
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
  const state = await readNoted(stateDir);
  if (state?.pid === process.pid) await rm(join(stateDir, "running.json"), { force: true });
}

/** @returns undefined when nothing runs there. */
export async function readRunState(stateDir: string): Promise<RunState | undefined> {
  const state = await readNoted(stateDir);
  if (state === undefined) return undefined;
  try {
    process.kill(state.pid, 0); // throws when there is no such process
    // There is one by its number where one that was killed is never waited for, or another one has it by now.
    return (await isListening(state.controlUrl ?? state.url)) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined when there is none. */
async function readNoted(stateDir: string): Promise<RunState | undefined> {
  try {
    const text = await readFile(join(stateDir, "running.json"), "utf8");
    return (JSON.parse(text) as RunState | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Does anybody listen there? What answers late does. @throws when it is no address. */
async function isListening(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port || DEFAULT_PORTS[protocol]) });
  socket.setTimeout(CONNECT_MS_MAX);
  try {
    await Promise.race([once(socket, "connect"), once(socket, "timeout")]);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** A process that is this busy runs. */
const CONNECT_MS_MAX = 1_000;
