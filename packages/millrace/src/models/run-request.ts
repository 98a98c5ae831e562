import type { Cancellation } from "../core/cancellation.ts";
import { FREED_BYTES_MIN, freeMemory } from "../core/free-memory.ts";
import { joinRows } from "../core/tensor/rows.ts";
import type { Tensor } from "../core/tensor/tensor.ts";

export interface RunResult {
  /** In the order of the names; they may share memory with those of other requests of the batch. */
  readonly outputs: Tensor[];
  /** From the arrival at the scheduler until the batch left. */
  readonly queueMs: number;
  /** Batch put together, handed over and taken apart. */
  readonly batchMs: number;
  readonly computeMs: number;
}

export interface RunRequestOptions {
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly isInputOwned: boolean;
  /** On the clock's `nowMs`. */
  readonly acceptedMs: number;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Outputs of some rows of a request. */
interface Part {
  readonly fromRow: number;
  readonly outputs: readonly Tensor[];
}

/** A request in the scheduler, with what is needed to answer it once. */
export class RunRequest {
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly isInputOwned: boolean;
  /** Its memory went to a thread, so it cannot run again. */
  isConsumed = false;
  readonly #options: RunRequestOptions;
  #stopWatching: (() => void) | undefined;
  readonly #parts: Part[] = [];
  #batchMs = 0;
  #computeMs = 0;

  constructor(options: RunRequestOptions) {
    this.inputs = options.inputs;
    this.outputNames = options.outputNames;
    this.isInputOwned = options.isInputOwned;
    this.#options = options;
  }

  /** Calls `cancel` when the client goes, until the request is answered. */
  cancelOn(cancellation: Cancellation, cancel: () => void): void {
    this.#stopWatching = cancellation.watch(cancel);
  }

  /** Adds what a run took that it was in. */
  addTimes(batchMs: number, computeMs: number): void {
    this.#batchMs += batchMs;
    this.#computeMs += computeMs;
  }

  /**
   * Keeps the outputs of some of its rows. They come in the order of their runs, which is not that of the rows when
   * several executors run them.
   */
  addPart(fromRow: number, outputs: readonly Tensor[]): void {
    this.#parts.push({ fromRow, outputs });
  }

  /** @param endedMs when its last run ended, on the clock's `nowMs`. */
  answerWithParts(endedMs: number): void {
    const parts = this.#parts.sort((a, b) => a.fromRow - b.fromRow);
    const joined = parts[0]?.outputs.map((_, i) =>
      joinRows(parts.map(({ outputs }) => outputs[i] as Tensor)),
    );
    this.answer(joined ?? [], endedMs);
  }

  /** @param endedMs when its last run ended, on the clock's `nowMs`. */
  answer(outputs: readonly Tensor[], endedMs: number): void {
    const batchMs = this.#batchMs;
    const computeMs = this.#computeMs;
    const queueMs = Math.max(0, endedMs - this.#options.acceptedMs - batchMs - computeMs);
    this.#stopWatching?.();
    if (this.isInputOwned) freeInputs(this.inputs, outputs);
    this.#options.resolve({ outputs: [...outputs], queueMs, batchMs, computeMs });
  }

  reject(error: unknown): void {
    this.#stopWatching?.();
    this.#options.reject(error);
  }
}

/** Frees what nobody reads any more, unless a model answers with its own inputs. */
function freeInputs(inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
  for (const { data } of inputs) {
    if (Array.isArray(data) || data.byteLength < FREED_BYTES_MIN) continue;
    const isAnswer = outputs.some((output) => bufferOf(output) === data.buffer);
    if (!isAnswer) freeMemory(data);
  }
}

function bufferOf({ data }: Tensor): ArrayBufferLike | undefined {
  return Array.isArray(data) ? undefined : data.buffer;
}
