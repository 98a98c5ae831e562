import type { InputConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { BatchRecord } from "../core/batch/batch.ts";
import { MillraceError } from "../core/errors.ts";
import type { Breaker, CallOutcome } from "../core/overload/breaker.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { ModelDescription, Placement } from "../ports/runtime.ts";
import type { Batching } from "./prove-batching.ts";
import type { Predictor } from "./predictor.ts";
import type { RunResult } from "./run-request.ts";
import type { RunLimits, ScheduledModel } from "./scheduled-model.ts";
import { countFailure, countRequest, type Statistics } from "./statistics.ts";

export interface ModelVersionOptions {
  readonly modelName: string;
  readonly version: number;
  readonly description: ModelDescription;
  /** Where it runs, and how its requests share runs. */
  readonly scheduled: ScheduledModel;
  readonly placement: Placement;
  readonly batching: Batching;
  /** Rows above which a request is refused; Infinity where it is run in parts. */
  readonly requestRowsMax: number;
  /** Platform name of the runtime: `onnx_onnxv1`. */
  readonly platform: string;
  /** File it was loaded from. */
  readonly path: string;
  /** Output that is "the prediction". */
  readonly predictionOutput: TensorSpec;
  readonly labels: readonly string[] | undefined;
  /** What the file says of its inputs, by name. */
  readonly inputConfigs: Readonly<Record<string, InputConfig>>;
  /** Element of a row of the prediction that thresholds and `argmax` of a graph look at. */
  readonly score: number;
  /** Inputs that warmed it up; undefined when no sample is known. */
  readonly sample: readonly Tensor[] | undefined;
  /** Prediction output of the sample. */
  readonly samplePrediction: Tensor | undefined;
  /** Why the fallback serves instead of the source; undefined when this is the source. */
  readonly fallbackReason: string | undefined;
  /** Counts its runs already. */
  readonly statistics: Statistics;
  readonly breaker: Breaker;
  readonly clock: Clock;
}

/**
 * One version of a model, loaded and warm. It counts its requests, so that `drain` knows when the last one has
 * ended and its memory can be freed.
 */
export class ModelVersion implements Predictor {
  readonly modelName: string;
  readonly version: number;
  /** `iris-svc@1`, as in `x-model`. */
  readonly id: string;
  readonly path: string;
  readonly platform: string;
  readonly description: ModelDescription;
  readonly placement: Placement;
  readonly batching: Batching;
  readonly predictionOutput: TensorSpec;
  /** The name of the prediction alone; the same array every time, which the scheduler knows again. */
  readonly predictionNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly isBare = false;
  readonly reads = "nothing";
  readonly sample: readonly Tensor[] | undefined;
  readonly samplePrediction: Tensor | undefined;
  /** As in the options; it follows what is wrong with the source now. */
  fallbackReason: string | undefined;
  readonly statistics: Statistics;
  readonly scheduled: ScheduledModel;
  readonly breaker: Breaker;
  readonly #inputConfigs: ModelVersionOptions["inputConfigs"];
  readonly #requestRowsMax: number;
  readonly #clock: Clock;
  #inFlight = 0;
  #holdCount = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ModelVersionOptions) {
    this.modelName = options.modelName;
    this.version = options.version;
    this.id = `${options.modelName}@${options.version}`;
    this.path = options.path;
    this.platform = options.platform;
    this.description = options.description;
    this.placement = options.placement;
    this.batching = options.batching;
    this.predictionOutput = options.predictionOutput;
    this.predictionNames = [options.predictionOutput.name];
    this.outputNames = options.description.outputs.map((output) => output.name);
    this.labels = options.labels;
    this.score = options.score;
    this.sample = options.sample;
    this.samplePrediction = options.samplePrediction;
    this.fallbackReason = options.fallbackReason;
    this.statistics = options.statistics;
    this.scheduled = options.scheduled;
    this.breaker = options.breaker;
    this.#inputConfigs = options.inputConfigs;
    this.#requestRowsMax = options.requestRowsMax;
    this.#clock = options.clock;
  }

  get inputs(): readonly TensorSpec[] {
    return this.description.inputs;
  }

  get outputs(): readonly TensorSpec[] {
    return this.description.outputs;
  }

  inputConfig(name: string): InputConfig | undefined {
    return this.#inputConfigs[name];
  }

  get digest(): string {
    return this.description.sha256;
  }

  /** Requests accepted and not yet answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Is there an executor that can run it? */
  get isUp(): boolean {
    return this.scheduled.isUp;
  }

  /** Rows waiting for the model. */
  get waiting(): number {
    return this.scheduled.batcher.waitingRows;
  }

  /** @returns the output called `name` now or in the file; undefined when there is none. */
  findOutput(name: string): TensorSpec | undefined {
    const { outputs, outputAliases } = this.description;
    const target = Object.hasOwn(outputAliases, name) ? outputAliases[name] : name;
    return outputs.find((output) => output.name === target);
  }

  /** Rows of a request: the extent of the first axis where that may vary, else 1. */
  rowsOf(inputs: readonly Tensor[]): number {
    return this.inputs[0]?.shape[0] === -1 ? (inputs[0]?.shape[0] ?? 1) : 1;
  }

  isTooLate(timeoutMs: number): boolean {
    return this.scheduled.batcher.isTooLate(timeoutMs);
  }

  /** How requests share runs, in words. */
  get batchText(): string {
    if (!this.batching.isBatched) return `one request a run: ${this.batching.reason ?? "unknown"}`;
    const rows = this.scheduled.batcher.buckets.latest?.cap.rows ?? 1;
    if (rows > 1) return `up to ${rows} rows a run`;
    const place = this.placement === "inline" ? ", or hold the serving thread for too long" : "";
    return `one request a run: batches gain nothing${place}`;
  }

  /** The last batches, oldest first. */
  recentBatches(): BatchRecord[] {
    return this.scheduled.batcher.journal.records();
  }

  /**
   * Runs the model when its turn comes.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, EXECUTOR_LOST, MODEL_FAILED; INVALID_TENSOR for more rows than
   * `batch.oversize: reject` allows.
   */
  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
  ): Promise<RunResult> {
    const rows = this.rowsOf(inputs);
    if (rows > this.#requestRowsMax) throw tooManyRows(rows, this.#requestRowsMax, this.modelName);
    const permit = this.breaker.tryAcquire();
    if (permit.kind === "refused") throw breakerOpen(this.id, permit.retryAfterMs);
    this.#inFlight++;
    let outcome: CallOutcome = "ignored";
    try {
      const result = await this.scheduled.run(inputs, outputNames, limits);
      if (this.#clock.nowMs() >= limits.deadlineAtMs) throw tooLate();
      const { queueMs, batchMs, computeMs } = result;
      const wallMs = this.#clock.wallMs();
      outcome = "ok";
      countRequest(this.statistics, { wallMs, rows, queueMs, batchMs, computeMs });
      return result;
    } catch (error) {
      if (isInfrastructure(error)) outcome = "failed";
      countFailure(this.statistics, this.#clock.nowMs() - limits.receivedMs);
      throw error;
    } finally {
      this.breaker.record(permit, outcome, 0);
      this.#inFlight--;
      this.#checkIdle();
    }
  }

  /** Has it been freed? Then another version has taken its place. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Keeps the version until `release`: for a request that waits for something else before it runs. */
  hold(): void {
    this.#holdCount++;
  }

  release(): void {
    this.#holdCount--;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#inFlight === 0 && this.#holdCount === 0) this.#onIdle?.();
  }

  /** Waits for the requests in flight, then frees the model. Nothing may be started after this call. */
  async drain(): Promise<void> {
    while (this.#inFlight > 0 || this.#holdCount > 0) {
      await new Promise<void>((resolve) => (this.#onIdle = resolve));
    }
    this.#isClosed = true;
    await this.scheduled.close();
  }
}

function tooManyRows(rows: number, rowsMax: number, model: string): MillraceError {
  const message = `the request has ${rows} rows, models.${model}.batch.rowsMax is ${rowsMax}`;
  return new MillraceError("INVALID_TENSOR", `Cannot predict: ${message}`, {
    problems: [{ location: ["body"], message, type: "shape" }],
  });
}

function tooLate(): MillraceError {
  return new MillraceError(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the model answered after the deadline",
  );
}

/** The server's own failures open the breaker. A request the model cannot take must not: it would lock out others. */
function isInfrastructure(error: unknown): boolean {
  return !(error instanceof MillraceError) || ["EXECUTOR_LOST", "INTERNAL"].includes(error.code);
}

function breakerOpen(id: string, retryAfterMs: number): MillraceError {
  return MillraceError.withoutStack(
    "OVERLOADED",
    `Cannot predict: model ${id} keeps failing, it is tried again soon`,
    { reason: "breaker", retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) },
  );
}
