import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { LoadedModel, ModelFile, Runtime } from "../../ports/runtime.ts";
import { packTensors } from "./pack-tensors.ts";
import type { ThreadOrder, ThreadReport } from "./thread-messages.ts";
import { toWireError } from "./wire-error.ts";

/**
 * The whole life of a model's thread: loads the one model it was started for with `runtime`, runs it on order, frees
 * it and ends. An error that is not the answer to a load or a run ends the thread, and the other side sees that.
 */
export async function runModelThread(runtime: Runtime): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("Cannot run a model thread: this is no worker thread");
  let model: LoadedModel;
  try {
    model = await runtime.load(workerData as ModelFile);
  } catch (error) {
    report(port, { kind: "loadFailed", error: toWireError(error) });
    return; // nothing is left to wait for, so the thread ends
  }
  port.on("message", (order: ThreadOrder) => void obey(order, model, port));
  // The run that could not be read would wait for ever.
  port.on("messageerror", (error) => {
    throw error;
  });
  report(port, { kind: "loaded", description: model.description });
}

async function obey(order: ThreadOrder, model: LoadedModel, port: MessagePort): Promise<void> {
  if (order.kind === "close") {
    await model.close();
    port.close();
    return;
  }
  const { id, inputs, outputNames } = order;
  try {
    const { outputs, computeMs } = await model.run(inputs, outputNames, { isInputOwned: true });
    const packed = packTensors(outputs, true);
    const run = { outputs: packed.tensors, computeMs };
    report(port, { kind: "ran", id, run }, packed.transfers);
  } catch (error) {
    report(port, { kind: "runFailed", id, error: toWireError(error) });
  }
}

function report(port: MessagePort, message: ThreadReport, transfers?: ArrayBuffer[]): void {
  port.postMessage(message, transfers);
}
