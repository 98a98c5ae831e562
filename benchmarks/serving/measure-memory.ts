import { memoryOf, treeOf } from "./process-tree.ts";
import { rowKey, type RowKey, type Target } from "./target.ts";

/** What all processes of a server hold, in MiB. */
export interface MemoryRow extends RowKey {
  readonly moment: "after load";
  readonly processes: number;
  readonly pssMib: number;
  readonly privateDirtyMib: number;
}

export function measureMemory(target: Target): MemoryRow {
  const all = treeOf(target.server.pid).map(memoryOf);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    ...rowKey(target),
    moment: "after load",
    processes: all.length,
    pssMib: sum(all.map(({ pss }) => pss)),
    privateDirtyMib: sum(all.map(({ privateDirty }) => privateDirty)),
  };
}
