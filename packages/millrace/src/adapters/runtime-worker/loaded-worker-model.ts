import { MillraceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { LoadedModel, ModelDescription, RunOutputs, RunOptions } from "../../ports/runtime.ts";
import { describeEnd, isOutOfMemory, type ModelThread, type ThreadEnd } from "./model-thread.ts";
import { packTensors } from "./pack-tensors.ts";
import type { ThreadReport } from "./thread-messages.ts";
import { fromWireError } from "./wire-error.ts";

/** Runs posted and not answered, per thread; one more is refused with OVERLOADED. Two keep a thread busy. */
export const POSTED_MAX = 1024;

interface PostedRun {
  readonly resolve: (run: RunOutputs) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * `open` takes runs; `closing` lets those that are posted end, then ends the thread; `lost` is a thread that died in
 * one of the two, with why. A closed model stays `closing`.
 */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "closing" }
  | { readonly kind: "lost"; readonly reason: MillraceError };

/** A model that computes on a thread of its own. A run that is posted cannot be called back. */
export class LoadedWorkerModel implements LoadedModel {
  readonly description: ModelDescription;
  readonly placement = "worker";
  readonly #thread: ModelThread;
  readonly #posted = new Map<number, PostedRun>();
  readonly #lost = Promise.withResolvers<MillraceError>();
  #state: State = { kind: "open" };
  #lastId = 0;

  /** @param thread one that has loaded its model. */
  constructor(thread: ModelThread, description: ModelDescription) {
    this.#thread = thread;
    this.description = description;
    thread.onReport((report) => this.#answer(report));
    void thread.ended.then((end) => this.#lose(end));
    thread.setIdle(true);
  }

  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    options?: RunOptions,
  ): Promise<RunOutputs> {
    options?.signal?.throwIfAborted();
    this.#refuseUnlessOpen();
    const { tensors, transfers } = packTensors(inputs, options?.isInputOwned === true);
    const id = ++this.#lastId;
    this.#thread.post({ kind: "run", id, inputs: tensors, outputNames }, transfers);
    if (this.#posted.size === 0) this.#thread.setIdle(false);
    return new Promise((resolve, reject) => this.#posted.set(id, { resolve, reject }));
  }

  onLost(listener: (reason: MillraceError) => void): void {
    void this.#lost.promise.then(listener);
  }

  async close(): Promise<void> {
    if (this.#state.kind === "open") {
      this.#state = { kind: "closing" };
      this.#thread.setIdle(false);
      if (this.#posted.size === 0) this.#thread.post({ kind: "close" });
    }
    await this.#thread.ended;
  }

  #refuseUnlessOpen(): void {
    if (this.#state.kind === "lost") throw this.#state.reason;
    if (this.#state.kind === "closing") {
      throw new MillraceError("MODEL_NOT_READY", "Cannot run the model: it is closed");
    }
    if (this.#posted.size < POSTED_MAX) return;
    const state = `${this.#posted.size} runs wait for its thread, the limit is ${POSTED_MAX}`;
    throw new MillraceError("OVERLOADED", `Cannot run the model: ${state}`, { reason: "queue" });
  }

  #answer(report: ThreadReport): void {
    if (report.kind === "loaded" || report.kind === "loadFailed") return;
    const run = this.#posted.get(report.id);
    this.#posted.delete(report.id);
    if (report.kind === "ran") run?.resolve(report.run);
    else run?.reject(fromWireError(report.error));
    if (this.#posted.size > 0) return;
    if (this.#state.kind === "closing") this.#thread.post({ kind: "close" });
    else this.#thread.setIdle(true);
  }

  #lose(end: ThreadEnd): void {
    const wasOpen = this.#state.kind === "open";
    if (!wasOpen && this.#posted.size === 0) return;
    const reason = new MillraceError(
      "EXECUTOR_LOST",
      `Cannot run the model: its thread ${describeEnd(end)}`,
      { reason: isOutOfMemory(end.error) ? "memory" : "crash", cause: end.error },
    );
    for (const run of this.#posted.values()) run.reject(reason);
    this.#posted.clear();
    if (!wasOpen) return;
    this.#state = { kind: "lost", reason };
    this.#lost.resolve(reason);
  }
}
