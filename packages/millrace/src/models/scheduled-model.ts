import type { Clock } from "../core/clock.ts";
import {
  BatchItem,
  type Batch,
  type BatchRecord,
  type BatchSlice,
  type Priority,
  type Refusal,
} from "../core/batch/batch.ts";
import { Batcher, type BatcherOptions } from "../core/batch/batcher.ts";
import { MillraceError } from "../core/errors.ts";
import { joinRows, sliceRows } from "../core/tensor/rows.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel, RunOutputs } from "../ports/runtime.ts";
import { ExecutorPool } from "./executor-pool.ts";

/** What bounds one run, beside the scheduler's own limits. */
export interface RunLimits {
  /** When the request came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** On `clock.nowMs`; what is not done by then is dropped. */
  readonly deadlineAtMs: number;
  readonly priority: Priority;
  readonly signal: AbortSignal | undefined;
  /** Nobody needs the inputs afterwards: their memory may be moved to another thread. */
  readonly isInputOwned: boolean;
}

export interface RunResult {
  /** In the order of the names; they may share memory with those of other requests of the batch. */
  readonly outputs: Tensor[];
  /** From the arrival at the scheduler until the batch left. */
  readonly queueMs: number;
  /** Batch put together, handed over and taken apart. */
  readonly batchMs: number;
  readonly computeMs: number;
}

/** What happens to the executors and batches of a model, for the log and the metrics. Must not throw. */
export interface SchedulerEvents {
  batchEnded(rows: number, computeMs: number): void;
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
  readonly batch: Omit<BatcherOptions<Run>, "clock" | "actions">;
  readonly clock: Clock;
  readonly events: SchedulerEvents;
}

/** A request in the scheduler, with what is needed to answer it. */
interface Run {
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly isInputOwned: boolean;
  readonly acceptedMs: number;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
  forgetSignal: (() => void) | undefined;
  /** What came back so far, by output, when it has more rows than a batch. */
  parts: Tensor[][] | undefined;
  batchMs: number;
  computeMs: number;
  /** Its memory went to a thread, so it cannot run again. */
  isConsumed: boolean;
}

/** Smaller inputs are copied to a thread, which costs nothing, and can run again when that thread dies. */
const MOVED_BYTES_MIN = 16_384;

/** Runs a model through the scheduler: joins the rows of a batch, hands it to an executor, cuts the outputs apart. */
export class ScheduledModel {
  readonly batcher: Batcher<Run>;
  readonly isBatched: boolean;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: SchedulerEvents;
  readonly #pool: ExecutorPool;
  readonly #isInline: boolean;
  /** Is every extent beside the rows the same in all requests? Then only the outputs tell buckets apart. */
  readonly #hasOneShape: boolean;
  /** Does the first axis of the first input count rows? */
  readonly #countsRows: boolean;
  #cancelTimer: () => void = () => undefined;
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
    this.#countsRows = options.inputs[0]?.shape[0] === -1;
    this.#hasOneShape = options.inputs.every(({ shape }) => !shape.slice(1).includes(-1));
    const poll = (): void => this.batcher.poll();
    this.batcher = new Batcher({
      ...options.batch,
      clock: options.clock,
      actions: {
        run: (batch) => this.#runBatch(batch),
        answer: (slice, offset, isLast) => this.#answer(slice, offset, isLast),
        drop: ({ request }, refusal, cause) => this.#reject(request, this.#errorOf(refusal, cause)),
        pollSoon: () => this.#clock.soon(poll),
        pollAt: (atMs) => {
          this.#cancelTimer();
          this.#cancelTimer = this.#clock.schedule(atMs - this.#clock.nowMs(), poll);
        },
      },
    });
    this.#pool = new ExecutorPool(options.executors, {
      clock: options.clock,
      start: options.startExecutor,
      events: {
        up: (index) => {
          this.batcher.executorUp(index, this.#depth);
          this.#events.executorBack();
        },
        down: (index, backAtMs, reason) => {
          this.batcher.executorDown(index, backAtMs);
          this.#events.executorLost(reason, backAtMs - this.#clock.nowMs());
        },
        restartFailed: (index, backAtMs, reason) => {
          this.batcher.executorDown(index, backAtMs);
          this.#events.executorNotBack(reason, backAtMs - this.#clock.nowMs());
        },
      },
    });
    for (let index = 0; index < this.#pool.count; index++) {
      this.batcher.executorUp(index, this.#depth);
    }
  }

  /** A thread may have a batch waiting at its door; on the serving loop that would only close it too early. */
  get #depth(): 1 | 2 {
    return this.#isInline ? 1 : 2;
  }

  get executorCount(): number {
    return this.#pool.count;
  }

  /** Teaches the scheduler before the first request what a run of `rows` rows takes. */
  learn(rows: number, tookMs: number, outputNames: readonly string[]): void {
    if (this.isBatched) this.batcher.learn(outputNames.join(","), rows, tookMs);
    else this.batcher.learn("", 1, tookMs);
  }

  /** The last batches, oldest first. */
  recentBatches(): BatchRecord[] {
    return this.batcher.journal.records();
  }

  /** Rows the scheduler counts for a request. */
  rowsOf(inputs: readonly Tensor[]): number {
    if (!this.isBatched) return 1;
    return inputs[0]?.shape[0] ?? 1;
  }

  /**
   * Runs the model when its turn comes.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, EXECUTOR_LOST, MODEL_FAILED, `signal.reason`.
   */
  run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
  ): Promise<RunResult> {
    const { signal } = limits;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const run: Run = {
        inputs,
        outputNames,
        isInputOwned: limits.isInputOwned,
        acceptedMs: this.#clock.nowMs(),
        resolve,
        reject,
        forgetSignal: undefined,
        parts: undefined,
        batchMs: 0,
        computeMs: 0,
        isConsumed: false,
      };
      const item = this.batcher.arrive({
        request: run,
        // A request without rows takes the place of one; its bucket keeps it alone.
        rows: Math.max(1, this.rowsOf(inputs)),
        bytes: bytesOf(inputs),
        bucket: this.#bucketOf(inputs, outputNames),
        priority: limits.priority,
        receivedMs: limits.receivedMs,
        deadlineAtMs: limits.deadlineAtMs,
      });
      if (!(item instanceof BatchItem)) reject(this.#errorOf(item, undefined));
      else if (signal !== undefined) this.#cancelOn(signal, item);
    });
  }

  /** Answers every request that is still here with an error. */
  dropAll(): void {
    this.batcher.dropAll();
  }

  /** Frees the executors. The caller has waited for all runs. */
  async close(): Promise<void> {
    this.batcher.close();
    this.#cancelTimer();
    await this.#pool.close();
  }

  #cancelOn(signal: AbortSignal, item: BatchItem<Run>): void {
    const cancel = (): void => {
      if (item.isGone) return;
      this.batcher.cancel(item);
      item.request.reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    item.request.forgetSignal = () => signal.removeEventListener("abort", cancel);
  }

  /** What may share a run: the same outputs, and inputs of the same shape beside the rows. */
  #bucketOf(inputs: readonly Tensor[], outputNames: readonly string[]): string {
    if (!this.isBatched) return "";
    if (this.#lastNames !== outputNames) {
      this.#lastNames = outputNames;
      this.#lastKey = outputNames.join(",");
    }
    const isEmpty = inputs[0]?.shape[0] === 0;
    if (this.#hasOneShape && !isEmpty) return this.#lastKey;
    const shapes = inputs.map(({ shape }) => shape.slice(1).join("x"));
    return `${this.#lastKey} ${shapes.join(" ")}${isEmpty ? " empty" : ""}`;
  }

  #runBatch(batch: Batch<Run>): void {
    const first = (batch.slices[0] as BatchSlice<Run>).item.request;
    const executor = this.#pool.model(batch.executor);
    if (executor === undefined || first.isConsumed) {
      // It was lost with the thread that had its memory: there is nothing to run.
      this.#clock.soon(() => this.#fail(batch, lost(this.#name)));
      return;
    }
    const isWhole = batch.slices.length === 1 && batch.rows === this.#unitsOf(first);
    const inputs = isWhole ? first.inputs : this.#joined(batch);
    const isInputOwned = !isWhole || (first.isInputOwned && bytesOf(inputs) >= MOVED_BYTES_MIN);
    if (isWhole && isInputOwned && !this.#isInline) first.isConsumed = true;
    executor.run(inputs, first.outputNames, { isInputOwned }).then(
      (result) => this.#end(batch, result),
      (error: unknown) => this.#fail(batch, error),
    );
  }

  #unitsOf({ inputs }: Run): number {
    return Math.max(1, this.rowsOf(inputs));
  }

  /** The inputs of a batch: the rows of every part, one after the other. */
  #joined({ slices }: Batch<Run>): Tensor[] {
    const { inputs } = (slices[0] as BatchSlice<Run>).item.request;
    return inputs.map((_, i) =>
      joinRows(
        slices.map(({ item, fromRow, rows }) =>
          sliceRows(item.request.inputs[i] as Tensor, fromRow, rows),
        ),
      ),
    );
  }

  #end(batch: Batch<Run>, { outputs, computeMs }: RunOutputs): void {
    const isCut = batch.slices.length > 1 || batch.slices[0]?.rows !== batch.slices[0]?.item.rows;
    const wrong = isCut ? outputs.find(({ shape }) => shape[0] !== batch.rows) : undefined;
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

  /** Rows the model really ran: a request that runs alone counts as one for the scheduler. */
  #rowsRun(batch: Batch<Run>): number {
    if (this.isBatched) return batch.rows;
    const [input] = (batch.slices[0] as BatchSlice<Run>).item.request.inputs;
    return this.#countsRows ? (input?.shape[0] ?? 1) : 1;
  }

  #fail(batch: Batch<Run>, error: unknown): void {
    // What a dead thread ran comes back to the scheduler when the pool has noticed its death.
    const isLost = error instanceof MillraceError && error.code === "EXECUTOR_LOST";
    if (isLost && this.#pool.model(batch.executor) === undefined) return;
    this.batcher.batchFailed(batch, error);
    this.#next();
  }

  /** A thread gets its next batch at once. The serving loop first reads what has arrived while the model ran. */
  #next(): void {
    if (!this.#isInline) this.batcher.poll();
    else if (this.batcher.itemCount > 0) this.batcher.pollSoon();
  }

  #answer({ item, rows }: BatchSlice<Run>, offset: number, isLast: boolean): void {
    const { request } = item;
    const { outputs, batch, computeMs, endedMs } = this.#ended as Ended;
    request.computeMs += computeMs;
    request.batchMs += Math.max(0, endedMs - batch.leftAtMs - computeMs);
    const own =
      rows === batch.rows ? outputs : outputs.map((output) => sliceRows(output, offset, rows));
    if (!isLast || request.parts !== undefined) {
      request.parts ??= own.map(() => []);
      for (const [i, output] of own.entries()) request.parts[i]?.push(output);
    }
    if (!isLast) return;
    request.forgetSignal?.();
    const { batchMs, computeMs: allComputeMs } = request;
    request.resolve({
      outputs: request.parts?.map(joinRows) ?? [...own],
      queueMs: Math.max(0, endedMs - request.acceptedMs - batchMs - allComputeMs),
      batchMs,
      computeMs: allComputeMs,
    });
  }

  #reject(request: Run, error: unknown): void {
    request.forgetSignal?.();
    request.reject(error);
  }

  #errorOf({ reason, retryAfterMs }: Refusal, cause: unknown): unknown {
    const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    const overloaded = (state: string, name: string): MillraceError =>
      new MillraceError("OVERLOADED", `Cannot predict: ${state}`, {
        reason: name,
        retryAfterSeconds,
      });
    switch (reason) {
      case "model_failed":
        return cause;
      case "expired":
        return new MillraceError(
          "DEADLINE_EXCEEDED",
          "Cannot predict: the deadline passed before the model had answered",
        );
      case "cancelled":
        return new MillraceError("CANCELLED", "Cannot predict: the client has gone");
      case "executor_lost":
        return lost(this.#name);
      case "predicted_deadline":
      case "early_drop":
        return overloaded(
          `model "${this.#name}" could not answer in time, its queue is too long`,
          "predicted_deadline",
        );
      case "queue_rows":
        return overloaded(
          `${this.batcher.waitingRows} rows wait for model "${this.#name}", its limit is reached`,
          "queue",
        );
      case "queue_bytes":
        return overloaded(`the requests for model "${this.#name}" fill its memory`, "memory");
      case "memory":
        return overloaded("the requests for all models fill the memory of the process", "memory");
      case "shutdown":
        return overloaded("the server is shutting down", "shutdown");
    }
  }
}

interface Ended {
  readonly outputs: readonly Tensor[];
  readonly batch: Batch<Run>;
  readonly computeMs: number;
  readonly endedMs: number;
}

function lost(name: string): MillraceError {
  return new MillraceError(
    "EXECUTOR_LOST",
    `Cannot predict: the thread of model "${name}" died and is being started again`,
    { reason: "executor_lost", retryAfterSeconds: 1 },
  );
}

/** Memory of the elements; of texts their length in UTF-16, since counting UTF-8 would cost more than it tells. */
function bytesOf(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (const { data } of tensors) {
    if (!Array.isArray(data)) bytes += data.byteLength;
    else for (const text of data) bytes += 2 * text.length + 16;
  }
  return bytes;
}
