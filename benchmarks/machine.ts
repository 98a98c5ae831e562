import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

/** Where and on what a benchmark ran: no number is quoted without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  /** Commit of the repository, with `+` when files differ from it. */
  readonly commit: string;
  /** Load average of the last minute when the run began. */
  readonly loadBefore: number;
  readonly startedAt: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    commit: describeCommit(),
    loadBefore: loadavg()[0] ?? NaN,
    startedAt: new Date().toISOString(),
  };
}

/** A load average above this before a run says that something else was using the machine. */
const QUIET_LOAD_MAX = 0.3;

/** @returns why the numbers of this machine at this moment are no evidence; undefined when it was idle. */
export function describeNoise({ loadBefore }: Machine): string | undefined {
  if (loadBefore <= QUIET_LOAD_MAX) return undefined;
  return `the machine was not idle: load average ${loadBefore.toFixed(2)} before the run`;
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGib, system, node, commit, startedAt } = machine;
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Node ${node}, commit ${commit}, ${startedAt}`;
}

function describeCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: ROOT, encoding: "utf8", timeout: 10_000 }).trim();
    const isChanged = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
