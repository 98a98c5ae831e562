import type { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import {
  BatchItem,
  type Batch,
  type BatchSlice,
  type Priority,
  type Refusal,
} from "../core/batch/batch.ts";
import { Batcher } from "../core/batch/batcher.ts";
import type { BatcherOptions } from "../core/batch/batcher-options.ts";
import { MillraceError } from "../core/errors.ts";
import { joinRows, sliceRows } from "../core/tensor/rows.ts";
import { tensorBytes } from "../core/tensor/tensor-bytes.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel, RunOutputs } from "../ports/runtime.ts";
import { ExecutorPool, type ExecutorEvents } from "./executor-pool.ts";
import { refusalError } from "./refusal-error.ts";
import { RunRequest, type RunResult } from "./run-request.ts";
import { RunWatch } from "./run-watch.ts";

/** What bounds one run, beside the scheduler's own limits. */
export interface RunLimits {
  /** When the request came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** On `clock.nowMs`; what is not done by then is dropped. */
  readonly deadlineAtMs: number;
  readonly priority: Priority;
  readonly cancellation: Cancellation | undefined;
  /** Nobody needs the inputs afterwards: their memory may be moved to another thread. */
  readonly isInputOwned: boolean;
  /** No step is tried again and no second server is asked, as for a copy that is nobody's answer. */
  readonly isOnce?: boolean;
}

/** What happens to the executors and batches of a model, for the log and the metrics. Must not throw. */
export interface SchedulerEvents {
  batchEnded(rows: number, computeMs: number): void;
  /** @param backInMs Infinity when it is not started again before a run that hangs has ended. */
  executorLost(reason: MillraceError, backInMs: number): void;
  executorBack(): void;
  executorNotBack(reason: unknown, backInMs: number): void;
}

export interface ScheduledModelOptions {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  /** Running copies of the model, at least one. */
  readonly executors: readonly LoadedModel[];
  /** Starts another copy when one has died. */
  readonly startExecutor: () => Promise<LoadedModel>;
  /** May requests share a run? When not, each runs alone whatever its rows. */
  readonly isBatched: boolean;
  readonly batch: Omit<BatcherOptions<RunRequest>, "clock" | "actions">;
  readonly clock: Clock;
  readonly events: SchedulerEvents;
}

/** Smaller inputs are copied to a thread, which costs nothing, and can run again when that thread dies. */
const MOVED_BYTES_MIN = 16_384;

/** A thread needs one batch at its door. On the serving loop so many may share a turn, if they are short. */
const DEPTH_OF_THREAD = 2;
const DEPTH_INLINE = 8;

/** Runs a model through the scheduler: joins the rows of a batch, hands it to an executor, cuts the outputs apart. */
export class ScheduledModel {
  readonly batcher: Batcher<RunRequest>;
  readonly isBatched: boolean;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: SchedulerEvents;
  readonly #pool: ExecutorPool;
  readonly #watch: RunWatch<RunRequest>;
  readonly #isInline: boolean;
  readonly #rowsMax: number;
  /** Is every extent beside the rows the same in all requests? Then only the outputs tell buckets apart. */
  readonly #hasOneShape: boolean;
  /** Does the first axis of the first input count rows? */
  readonly #countsRows: boolean;
  #cancelTimer: () => void = () => undefined;
  /** The run that is being given up. */
  #hung: Batch<RunRequest> | undefined;
  /** The run whose answers are being given. */
  #ended: Ended | undefined;
  /** The outputs that were asked for last, and their name in a bucket. */
  #lastNames: readonly string[] | undefined;
  #lastKey = "";

  constructor(options: ScheduledModelOptions) {
    this.isBatched = options.isBatched;
    this.#name = options.name;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#isInline = options.executors[0]?.placement === "inline";
    this.#rowsMax = options.batch.rowsMax;
    this.#countsRows = options.inputs[0]?.shape[0] === -1;
    this.#hasOneShape = options.inputs.every(({ shape }) => !shape.slice(1).includes(-1));
    const poll = (): void => this.batcher.poll();
    this.batcher = new Batcher({
      ...options.batch,
      clock: options.clock,
      actions: {
        run: (batch) => void this.#runBatch(batch),
        answer: (slice, offset, isLast) => this.#answer(slice, offset, isLast),
        drop: ({ request }, refusal, cause) => request.reject(this.#errorOf(refusal, cause)),
        pollSoon: () => this.#clock.soon(poll),
        pollAt: (atMs) => {
          this.#cancelTimer();
          this.#cancelTimer = this.#clock.schedule(atMs - this.#clock.nowMs(), poll);
        },
      },
    });
    this.#watch = new RunWatch({
      clock: options.clock,
      executors: this.batcher.executors,
      onHung: (batch, ranMs) => this.#giveUp(batch, ranMs),
    });
    this.#pool = new ExecutorPool(options.executors, {
      clock: options.clock,
      start: options.startExecutor,
      events: this.#executorEvents(),
    });
    for (let index = 0; index < this.#pool.count; index++) {
      this.batcher.executorUp(index, this.#depth);
    }
  }

  #executorEvents(): ExecutorEvents {
    return {
      up: (index) => {
        this.batcher.executorUp(index, this.#depth);
        this.#events.executorBack();
      },
      down: (index, backAtMs, reason) => {
        const hung = this.#hung;
        this.batcher.executorDown(index, backAtMs, (batch) => batch !== hung && !isConsumed(batch));
        this.#events.executorLost(reason, backAtMs - this.#clock.nowMs());
      },
      restartFailed: (index, backAtMs, reason) => {
        this.batcher.executorDown(index, backAtMs);
        this.#events.executorNotBack(reason, backAtMs - this.#clock.nowMs());
      },
    };
  }

  /** Batches an executor may hold: one that runs, and full ones that stand ready. */
  get #depth(): number {
    return this.#isInline ? DEPTH_INLINE : DEPTH_OF_THREAD;
  }

  get executorCount(): number {
    return this.#pool.count;
  }

  /** Teaches the scheduler before the first request what a run of `rows` rows takes. */
  learn(rows: number, tookMs: number, outputNames: readonly string[]): void {
    if (this.isBatched) this.batcher.learn(keyOf(outputNames), rows, tookMs);
    else this.batcher.learn("", 1, tookMs);
  }

  /** Rows the scheduler counts for a request. */
  rowsOf(inputs: readonly Tensor[]): number {
    if (!this.isBatched) return 1;
    return inputs[0]?.shape[0] ?? 1;
  }

  /**
   * Runs the model when its turn comes.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, EXECUTOR_LOST, MODEL_FAILED, the reason of the cancellation.
   */
  run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
  ): Promise<RunResult> {
    const { cancellation } = limits;
    if (cancellation?.isCancelled === true) return Promise.reject(cancellation.reason as Error);
    return new Promise((resolve, reject) => {
      const request = new RunRequest({
        inputs,
        outputNames,
        isInputOwned: limits.isInputOwned,
        acceptedMs: this.#clock.nowMs(),
        resolve,
        reject,
      });
      const item = this.batcher.arrive({
        request,
        // A request without rows fills a batch, so that it runs alone: there is nothing to join it with.
        rows: this.rowsOf(inputs) || this.#rowsMax,
        bytes: tensorBytes(inputs),
        bucket: this.#bucketOf(inputs, outputNames),
        priority: limits.priority,
        receivedMs: limits.receivedMs,
        deadlineAtMs: limits.deadlineAtMs,
      });
      if (!(item instanceof BatchItem)) reject(this.#errorOf(item, undefined));
      else if (cancellation !== undefined) this.#cancelOn(cancellation, item);
    });
  }

  /** Is there an executor that can run it? */
  get isUp(): boolean {
    return this.batcher.executors.hasUp;
  }

  /** Answers every request that is still here with an error, and those that still come. */
  dropAll(): void {
    this.batcher.close();
    this.batcher.dropAll();
  }

  /** Frees the executors. The caller has waited for all runs. */
  async close(): Promise<void> {
    this.batcher.close();
    this.#cancelTimer();
    this.#watch.stop();
    await this.#pool.close();
  }

  #cancelOn(cancellation: Cancellation, item: BatchItem<RunRequest>): void {
    item.request.cancelOn(cancellation, () => {
      if (item.isGone) return;
      this.batcher.cancel(item);
      item.request.reject(cancellation.reason);
    });
  }

  /** What may share a run: the same outputs, and inputs of the same shape beside the rows. */
  #bucketOf(inputs: readonly Tensor[], outputNames: readonly string[]): string {
    if (!this.isBatched) return "";
    if (this.#lastNames !== outputNames) {
      this.#lastNames = outputNames;
      this.#lastKey = keyOf(outputNames);
    }
    const isEmpty = inputs[0]?.shape[0] === 0;
    if (this.#hasOneShape && !isEmpty) return this.#lastKey;
    const shapes = inputs.map(({ shape }) => shape.slice(1).join("x"));
    return `${this.#lastKey} ${shapes.join(" ")}${isEmpty ? " empty" : ""}`;
  }

  /** Never rejects: whatever goes wrong with a batch is the end of that batch alone. */
  async #runBatch(batch: Batch<RunRequest>): Promise<void> {
    const executor = this.#pool.model(batch.executor) as LoadedModel; // one that is down gets no batches
    if (!this.#isInline) this.#watch.start();
    try {
      const result = await this.#start(batch, executor);
      // What was given up may end after all, when it has been answered or runs elsewhere.
      if (this.#pool.model(batch.executor) === executor) this.#end(batch, result);
    } catch (error) {
      // What a dead thread ran comes back to the scheduler when the pool notices its death.
      const isLost = error instanceof MillraceError && error.code === "EXECUTOR_LOST";
      if (!isLost && this.#pool.model(batch.executor) === executor) this.#fail(batch, error);
    }
  }

  async #start(batch: Batch<RunRequest>, executor: LoadedModel): Promise<RunOutputs> {
    const { request } = (batch.slices[0] as BatchSlice<RunRequest>).item;
    const isWhole = isWholeRequest(batch);
    const inputs = isWhole ? request.inputs : this.#joined(batch);
    const isInputOwned =
      !isWhole || (request.isInputOwned && tensorBytes(inputs) >= MOVED_BYTES_MIN);
    request.isConsumed = isWhole && isInputOwned && !this.#isInline;
    return executor.run(inputs, request.outputNames, { isInputOwned });
  }

  /** The run does not end: its executor is left to it, and what it held is answered or runs elsewhere. */
  #giveUp(batch: Batch<RunRequest>, ranMs: number): void {
    const seconds = Math.round(ranMs / 1000);
    const reason = new MillraceError(
      "EXECUTOR_LOST",
      `Cannot run the model: a run of ${batch.rows} rows has not ended after ${seconds} s`,
      { reason: "hang" },
    );
    this.#hung = batch;
    this.#pool.abandon(batch.executor, reason);
    this.#hung = undefined;
  }

  /** The inputs of a batch: the rows of every part, one after the other. */
  #joined({ slices }: Batch<RunRequest>): Tensor[] {
    const { inputs } = (slices[0] as BatchSlice<RunRequest>).item.request;
    return inputs.map((_, i) =>
      joinRows(
        slices.map(({ item, fromRow, rows }) =>
          sliceRows(item.request.inputs[i] as Tensor, fromRow, rows),
        ),
      ),
    );
  }

  #end(batch: Batch<RunRequest>, { outputs, computeMs }: RunOutputs): void {
    const wrong = isWholeRequest(batch)
      ? undefined
      : outputs.find(({ shape }) => shape[0] !== batch.rows);
    if (wrong !== undefined) {
      const state = `output "${wrong.name}" has ${wrong.shape[0] ?? "no"} rows for a batch of ${batch.rows}`;
      this.#fail(batch, new MillraceError("MODEL_FAILED", `Cannot run the model: ${state}`));
      return;
    }
    this.#events.batchEnded(this.#rowsRun(batch), computeMs);
    this.#ended = { outputs, batch, computeMs, endedMs: this.#clock.nowMs() };
    this.batcher.batchDone(batch, computeMs);
    this.#ended = undefined;
    this.#next();
  }

  /** Rows the model really ran: the scheduler counts others for a request that runs alone. */
  #rowsRun(batch: Batch<RunRequest>): number {
    if (!isWholeRequest(batch)) return batch.rows;
    const [input] = (batch.slices[0] as BatchSlice<RunRequest>).item.request.inputs;
    return this.#countsRows ? (input?.shape[0] ?? 1) : 1;
  }

  #fail(batch: Batch<RunRequest>, error: unknown): void {
    this.batcher.batchFailed(batch, error);
    this.#next();
  }

  /** A thread gets its next batch at once. The serving loop first reads what has arrived while the model ran. */
  #next(): void {
    if (!this.#isInline) this.batcher.poll();
    else if (this.batcher.itemCount > 0) this.batcher.pollSoon();
  }

  #answer({ item, fromRow, rows }: BatchSlice<RunRequest>, offset: number, isLast: boolean): void {
    const { request } = item;
    const { outputs, batch, computeMs, endedMs } = this.#ended as Ended;
    request.addTimes(Math.max(0, endedMs - batch.leftAtMs - computeMs), computeMs);
    try {
      const own =
        rows === batch.rows ? outputs : outputs.map((output) => sliceRows(output, offset, rows));
      if (rows === item.rows) return request.answer(own, endedMs);
      request.addPart(fromRow, own);
      if (isLast) request.answerWithParts(endedMs);
    } catch (error) {
      // No memory for the rows of this request: the others of the batch are answered.
      this.batcher.cancel(item);
      request.reject(error);
    }
  }

  #errorOf({ reason, retryAfterMs }: Refusal, cause: unknown): unknown {
    const { waitingRows } = this.batcher;
    return refusalError({ model: this.#name, reason, retryAfterMs, waitingRows, cause });
  }
}

interface Ended {
  readonly outputs: readonly Tensor[];
  readonly batch: Batch<RunRequest>;
  readonly computeMs: number;
  readonly endedMs: number;
}

/** Readable, and never the same for different outputs, whatever their names. */
function keyOf(outputNames: readonly string[]): string {
  return outputNames.length === 1 ? (outputNames[0] as string) : JSON.stringify(outputNames);
}

function isWholeRequest({ slices }: Batch<RunRequest>): boolean {
  return slices.length === 1 && slices[0]?.rows === slices[0]?.item.rows;
}

/** Did the inputs of a batch go with its thread? */
function isConsumed({ slices }: Batch<RunRequest>): boolean {
  return slices.some(({ item }) => item.request.isConsumed);
}
