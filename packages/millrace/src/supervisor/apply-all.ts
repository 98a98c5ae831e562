import type { ServeStatus } from "../serve/serve-status.ts";
import { ChannelClosedError } from "./ipc-peer.ts";
import type { ConfigOrder } from "./serve-process.ts";

/** What a serve process does for it. */
export interface ApplyingProcess {
  apply(order: ConfigOrder): Promise<ServeStatus>;
}

/**
 * Hands a changed file to every process. It is done when all are: a change that came while one still loads models would
 * be undone by what it loads them for. A process that ends meanwhile does not count: it starts again with the file.
 * @returns what the first one has then; undefined when none is left.
 * @throws what one has against it.
 */
export async function applyAll(
  processes: readonly ApplyingProcess[],
  order: ConfigOrder,
): Promise<ServeStatus | undefined> {
  const results = await Promise.allSettled(processes.map((process) => process.apply(order)));
  for (const result of results) {
    if (result.status === "fulfilled" || result.reason instanceof ChannelClosedError) continue;
    throw result.reason;
  }
  return results.find((result) => result.status === "fulfilled")?.value;
}
