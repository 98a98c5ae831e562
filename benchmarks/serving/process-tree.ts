import { readFileSync, readdirSync } from "node:fs";

/** Memory of one process in MiB. */
export interface Memory {
  /** What it shares with others counts in parts: it shrinks when another Node process runs anywhere. */
  readonly pss: number;
  /** What it wrote itself, mostly its heap; nobody else's doing changes it. */
  readonly privateDirty: number;
  /** What it shares counts in full. */
  readonly rss: number;
}

/** @returns `pid` and everything it started that still runs, parents first. */
export function treeOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`); // any of them may have started a process
    return [pid, ...threads.flatMap((thread) => childrenOf(pid, thread)).flatMap(treeOf)];
  } catch {
    return []; // ended meanwhile
  }
}

function childrenOf(pid: number, thread: string): number[] {
  const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** Ends a process and everything it started, at once. */
export function killTree(pid: number): void {
  for (const member of treeOf(pid)) {
    try {
      process.kill(member, "SIGKILL");
    } catch {
      // ended meanwhile
    }
  }
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mib = (key: string): number =>
    Number(new RegExp(`^${key}: +(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
  return {
    pss: mib("Pss"),
    privateDirty: mib("Private_Dirty"),
    rss: mib("Rss"),
  };
}

/** One tick of the kernel's CPU accounting. */
const TICK_S = 0.01;

/** CPU time of processes, all their threads, user and system, in seconds. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = statOf(pid);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may hold spaces
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_S;
}

/** @returns nothing but zeros for a process that has ended. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return `) ${"0 ".repeat(FIELDS)}`;
  }
}

/** Fields of /proc/<pid>/stat that are read, at least. */
const FIELDS = 16;

/**
 * Time processes used a core since the machine started, and time the host took from it, in seconds. Without
 * interrupts: most of them carry the packets of the server itself, and no process is charged for them.
 */
export function coreBusySeconds(core: number): number {
  const lines = readFileSync("/proc/stat", "utf8").split("\n");
  const fields = lines.find((line) => line.startsWith(`cpu${core} `))?.split(" ");
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = fields?.slice(1).map(Number) ?? [];
  return (user + nice + system + steal) * TICK_S;
}
