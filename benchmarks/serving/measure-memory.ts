import { setTimeout as sleep } from "node:timers/promises";
import { millraceServe, millraceUp } from "./millrace.ts";
import { leavesOf, memoryOf, treeOf, type Memory } from "./process-tree.ts";
import { runGenerator } from "./run-process.ts";
import { ServerProcess } from "./server-process.ts";
import { BODY, PATH } from "./verify-answers.ts";

export interface MemoryRow {
  readonly command: "serve" | "up";
  readonly role: "launcher" | "supervisor" | "serve process";
  /** `idle` is before the first request. */
  readonly moment: "idle" | "after load";
  readonly mib: Memory;
}

/** What runs beside it changes PSS, so everything else of the harness has ended at the moment of reading. */
const SETTLE_MS = 2_000;

export async function measureMemory(requests: number): Promise<MemoryRow[]> {
  return [...(await measureOne("serve", requests)), ...(await measureOne("up", requests))];
}

async function measureOne(command: MemoryRow["command"], requests: number): Promise<MemoryRow[]> {
  const server = await ServerProcess.start(command === "serve" ? millraceServe() : millraceUp());
  try {
    await sleep(SETTLE_MS);
    const idle = readRows(command, server.pid, "idle");
    const result = await runGenerator({
      port: server.port,
      path: PATH,
      body: BODY,
      connections: 16,
      arrivals: { kind: "closed" },
      warmupMs: 0,
      durationMs: 60_000,
      requestsMax: requests,
    });
    if (result.ok !== requests) throw new Error(`Only ${result.ok} of ${requests} were answered`);
    await sleep(SETTLE_MS);
    return [...idle, ...readRows(command, server.pid, "after load")];
  } finally {
    await server.stop();
  }
}

/** The process that was started is the launcher, those at the ends serve, what is between supervises. */
function readRows(
  command: MemoryRow["command"],
  root: number,
  moment: MemoryRow["moment"],
): MemoryRow[] {
  const leaves = new Set(leavesOf(root));
  return treeOf(root).map((pid) => {
    const role = leaves.has(pid) ? "serve process" : pid === root ? "launcher" : "supervisor";
    return { command, role, moment, mib: memoryOf(pid) };
  });
}
