import { availableParallelism, constants, setPriority } from "node:os";
import type { QueryEngine, QueryResult } from "./ports/query-engine.ts";
import type { NumberedQuery, QuerySettings } from "./query/query-messages.ts";
import { endWithSupervisor } from "./supervisor/child-process.ts";
import { IpcPeer } from "./supervisor/ipc-peer.ts";

/** The composition root of the query process: apart from `main.ts`, so that nobody else loads a database. */

/** Threads beyond these make a query of 10 million rows hardly faster. */
const THREADS_MAX = 8;

/** What the query process runs: it waits for queries, and ends when whoever started it is gone. */
export function runQueryProcess(): void {
  // Predictions come first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const running = new Map<number, AbortController>();
  let engine: QueryEngine | undefined;
  const stop = async (): Promise<void> => {
    for (const controller of running.values()) controller.abort();
    await engine?.close();
    process.exit(0);
  };
  new IpcPeer(process, {
    async start(settings: QuerySettings): Promise<void> {
      engine = await openEngine(settings);
    },
    async query({ id, order }: NumberedQuery): Promise<QueryResult> {
      if (engine === undefined) throw new Error("the process has not been started yet");
      const controller = new AbortController();
      running.set(id, controller);
      try {
        return await engine.query(order, controller.signal);
      } finally {
        running.delete(id);
      }
    },
    cancel(id: number): Promise<void> {
      running.get(id)?.abort();
      return Promise.resolve();
    },
    stop,
  });
  endWithSupervisor(stop, stop);
}

async function openEngine(settings: QuerySettings): Promise<QueryEngine> {
  const [{ DuckDbQueryEngine }, { FileSegmentStore }] = await Promise.all([
    import("./adapters/parquet-duckdb/query-engine.ts"),
    import("./adapters/segments-file/file-segment-store.ts"),
  ]);
  return new DuckDbQueryEngine({
    ...settings,
    segments: new FileSegmentStore(settings.folder),
    threadCount: Math.min(THREADS_MAX, availableParallelism()),
  });
}
