import { parentPort, workerData } from "node:worker_threads";
import { LoadInputError } from "./load-input-error.ts";
import { LoadThread } from "./load-thread.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

/** Runs a thread of a load test, from its first message to its last. */
export async function runLoadThread(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("Cannot run a thread of a load test: this is no thread");
  const report = (message: ThreadReport) => {
    const isBlock = message.kind === "block";
    port.postMessage(message, isBlock ? [message.block.values.buffer as ArrayBuffer] : []);
  };
  try {
    const begin = Promise.withResolvers<bigint>();
    const thread = new LoadThread(workerData as ThreadStart, report); // given by LoadWorker
    port.on("message", (order: ThreadOrder) => {
      if (order.kind === "begin") begin.resolve(order.zeroNs);
      else if (order.kind === "taken") thread.taken();
      else if (order.kind === "finish") thread.finish();
      else thread.stop();
    });
    await thread.open();
    report({ kind: "ready" });
    report({ kind: "done", starts: await thread.run(await begin.promise) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report({ kind: "failed", why, isInput: error instanceof LoadInputError });
  }
  port.close();
}
