import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { freeMemory } from "../../core/free-memory.ts";
import type { LoadedModel, ModelFile, Runtime } from "../../ports/runtime.ts";
import { NativeCalls } from "./native-calls.ts";
import { packTensors } from "./pack-tensors.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";
import { toWireError } from "./wire-error.ts";

/**
 * The whole life of a model's thread: loads the one model it was started for with `runtime`, runs it on order, frees
 * it and ends. An error that is not the answer to a load or a run ends the thread, and the other side sees that.
 */
export async function runModelThread(runtime: Runtime): Promise<void> {
  if (parentPort === null) throw new Error("Cannot run a model thread: this is no worker thread");
  const { file, nativeCalls } = workerData as ThreadStart;
  await new ModelServant(parentPort, new NativeCalls(nativeCalls)).serve(runtime, file);
}

/** Obeys the orders of one port. */
class ModelServant {
  readonly #port: MessagePort;
  readonly #nativeCalls: NativeCalls;
  readonly #closing = new AbortController();
  #model: LoadedModel | undefined;

  constructor(port: MessagePort, nativeCalls: NativeCalls) {
    this.#port = port;
    this.#nativeCalls = nativeCalls;
    port.on("message", (order: ThreadOrder) => void this.#obey(order));
    // The run that could not be read would wait for ever.
    port.on("messageerror", (error) => {
      throw error;
    });
  }

  async serve(runtime: Runtime, file: ModelFile): Promise<void> {
    if (!this.#nativeCalls.begin()) return;
    try {
      this.#model = await runtime.load(file, this.#closing.signal);
      if (this.#closing.signal.aborted) await this.#close();
      else this.#report({ kind: "loaded", description: this.#model.description });
    } catch (error) {
      this.#report({ kind: "loadFailed", error: toWireError(error) });
      this.#port.close();
    } finally {
      this.#nativeCalls.end();
    }
  }

  async #obey(order: ThreadOrder): Promise<void> {
    if (order.kind === "run") {
      if (this.#nativeCalls.begin()) await this.#run(order);
    } else if (this.#model === undefined) {
      this.#closing.abort();
    } else {
      await this.#close();
    }
  }

  async #run({ id, inputs, outputNames }: ThreadOrder & { kind: "run" }): Promise<void> {
    try {
      const { outputs, computeMs } = await this.#model!.run(inputs, outputNames, {
        isInputOwned: true,
      });
      const { tensors, transfers } = packTensors(outputs, true);
      this.#report({ kind: "ran", id, run: { outputs: tensors, computeMs } }, transfers);
      // They came for this run alone; what an output shares with them has left with it.
      for (const { data } of inputs) if (!Array.isArray(data)) freeMemory(data);
    } catch (error) {
      this.#report({ kind: "runFailed", id, error: toWireError(error) });
    } finally {
      this.#nativeCalls.end();
    }
  }

  async #close(): Promise<void> {
    await this.#model?.close();
    this.#port.close();
  }

  #report(report: ThreadReport, transfers?: ArrayBuffer[]): void {
    this.#port.postMessage(report, transfers);
  }
}
