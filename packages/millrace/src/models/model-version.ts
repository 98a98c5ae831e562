import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel } from "../ports/runtime.ts";
import { RunQueue, type RunLimits } from "./run-queue.ts";
import { countFailure, countSuccess, emptyStatistics } from "./statistics.ts";

export interface ModelVersionOptions {
  readonly modelName: string;
  readonly version: number;
  readonly model: LoadedModel;
  /** Platform name of the runtime: `onnx_onnxv1`. */
  readonly platform: string;
  /** File it was loaded from. */
  readonly path: string;
  /** Output that is "the prediction". */
  readonly predictionOutput: TensorSpec;
  readonly labels: readonly string[] | undefined;
  /** Inputs that warmed it up; undefined when no sample is known. */
  readonly sample: readonly Tensor[] | undefined;
  /** Prediction output of the sample. */
  readonly samplePrediction: Tensor | undefined;
  /** Why the fallback serves instead of the source; undefined when this is the source. */
  readonly fallbackReason: string | undefined;
  readonly clock: Clock;
}

export interface RunResult {
  readonly outputs: Tensor[];
  readonly queueMs: number;
  readonly computeMs: number;
}

/**
 * One version of a model, loaded and warm. It counts its runs, so that `drain` knows when the last one has
 * ended and its memory can be freed.
 */
export class ModelVersion {
  readonly modelName: string;
  readonly version: number;
  /** `iris-svc@1`, as in `x-model`. */
  readonly id: string;
  readonly path: string;
  readonly platform: string;
  readonly model: LoadedModel;
  readonly predictionOutput: TensorSpec;
  readonly labels: readonly string[] | undefined;
  readonly sample: readonly Tensor[] | undefined;
  readonly samplePrediction: Tensor | undefined;
  /** As in the options; it follows what is wrong with the source now. */
  fallbackReason: string | undefined;
  readonly statistics = emptyStatistics();
  readonly #clock: Clock;
  readonly #queue: RunQueue;
  #runCount = 0;
  #lastEndMs = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: ModelVersionOptions) {
    this.modelName = options.modelName;
    this.version = options.version;
    this.id = `${options.modelName}@${options.version}`;
    this.path = options.path;
    this.platform = options.platform;
    this.model = options.model;
    this.predictionOutput = options.predictionOutput;
    this.labels = options.labels;
    this.sample = options.sample;
    this.samplePrediction = options.samplePrediction;
    this.fallbackReason = options.fallbackReason;
    this.#clock = options.clock;
    this.#queue = new RunQueue(options.clock);
  }

  get inputs(): readonly TensorSpec[] {
    return this.model.description.inputs;
  }

  get outputs(): readonly TensorSpec[] {
    return this.model.description.outputs;
  }

  /** Runs accepted and not yet answered. */
  get inFlight(): number {
    return this.#runCount;
  }

  /** Runs waiting for the model. */
  get waiting(): number {
    return this.#queue.waitingCount;
  }

  /** @returns the output called `name` now or in the file; undefined when there is none. */
  findOutput(name: string): TensorSpec | undefined {
    const { outputs, outputAliases } = this.model.description;
    const target = Object.hasOwn(outputAliases, name) ? outputAliases[name] : name;
    return outputs.find((output) => output.name === target);
  }

  /**
   * Runs the model when its turn comes.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, MODEL_FAILED.
   */
  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
  ): Promise<RunResult> {
    const acceptedMs = this.#clock.nowMs();
    this.#runCount++;
    try {
      const result = await this.#queue.run(limits, async () => {
        const startedMs = this.#clock.nowMs();
        const outputs = await this.model.run(inputs, outputNames, limits.signal);
        const endedMs = this.#clock.nowMs();
        // Runs of one turn stand in line: what passed before the one in front ended was waiting.
        const computeMs = endedMs - Math.max(startedMs, this.#lastEndMs);
        this.#lastEndMs = endedMs;
        return { outputs, queueMs: endedMs - acceptedMs - computeMs, computeMs };
      });
      countSuccess(this.statistics, {
        wallMs: this.#clock.wallMs(),
        rows: this.rowsOf(inputs),
        queueMs: result.queueMs,
        computeMs: result.computeMs,
      });
      this.#checkInTime(limits);
      return result;
    } catch (error) {
      countFailure(this.statistics, this.#clock.nowMs() - acceptedMs);
      throw error;
    } finally {
      this.#runCount--;
      if (this.#runCount === 0) this.#onIdle?.();
    }
  }

  /** Does the first axis of the first input count rows? */
  get isBatched(): boolean {
    return this.inputs[0]?.shape[0] === -1;
  }

  /** Rows of a request: the extent of the batch axis, 1 for a model without one. */
  rowsOf(inputs: readonly Tensor[]): number {
    return this.isBatched ? (inputs[0]?.shape[0] ?? 1) : 1;
  }

  #checkInTime(limits: RunLimits): void {
    if (this.#clock.nowMs() < limits.deadlineAtMs) return;
    throw new MillraceError(
      "DEADLINE_EXCEEDED",
      "Cannot predict: the model answered after the deadline",
    );
  }

  /** Waits for the runs in flight, then frees the model. Nothing may be started after this call. */
  async drain(): Promise<void> {
    if (this.#runCount > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.model.close();
  }
}
