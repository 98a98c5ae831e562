import type { InputConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { predictionSpec } from "../core/graph/prediction-of.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { RetryBudget } from "../core/overload/retry-budget.ts";
import { runStep } from "../core/graph/run-step.ts";
import type { Step } from "../core/graph/step.ts";
import { StepTrace } from "../core/graph/step-trace.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { ModelVersion } from "../models/model-version.ts";
import type { Predictor, PredictorRequest, PredictorResult, Reads } from "../models/predictor.ts";
import type { RunLimits } from "../models/scheduled-model.ts";
import { countFailure, countRequest, type Statistics } from "../models/statistics.ts";

export interface GraphPredictorOptions {
  /** Whose graph it is. */
  readonly serviceName: string;
  readonly root: Step;
  /** Every version that a step runs, once. */
  readonly versions: readonly ModelVersion[];
  readonly digest: string;
  readonly isBare: boolean;
  readonly reads: Reads;
  readonly statistics: Statistics;
  /** Of the service, whatever graphs it has one after the other. */
  readonly budget: RetryBudget;
  readonly clock: Clock;
  /** Nobody runs it any more, and nobody will. */
  readonly onClosed: () => void;
}

/** Ids of models in one header line; a graph of more names the first ones. */
const IDS_MAX = 16;

/**
 * A graph with the versions its steps run. It keeps them from being freed as long as it serves: when a model changes, a
 * new graph takes its place, whole, or this one stays.
 */
export class GraphPredictor implements Predictor {
  readonly modelName: string;
  readonly version = 1;
  readonly id: string;
  readonly platform = "ensemble";
  readonly digest: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  readonly predictionOutput: TensorSpec | undefined;
  readonly predictionNames: readonly string[];
  readonly isBare: boolean;
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly sample: readonly Tensor[] | undefined;
  readonly samplePrediction = undefined;
  readonly statistics: Statistics;
  readonly reads: Reads;
  /** Every version that a step runs, once. */
  readonly versions: readonly ModelVersion[];
  readonly #root: Step;
  readonly #budget: RetryBudget;
  readonly #clock: Clock;
  readonly #onClosed: () => void;
  #holdCount = 0;
  #isRetired = false;
  #isClosed = false;

  constructor(options: GraphPredictorOptions) {
    const { root, versions } = options;
    this.modelName = options.serviceName;
    this.id = idOf(versions) ?? options.serviceName;
    this.digest = options.digest;
    this.inputs = root.inputs;
    this.outputs = root.outputs;
    this.outputNames = root.outputs.map(({ name }) => name);
    this.predictionOutput = predictionSpec(root);
    this.predictionNames =
      this.predictionOutput === undefined ? this.outputNames : [this.predictionOutput.name];
    this.isBare = options.isBare;
    this.labels = root.labels;
    this.score = root.score;
    this.sample = sampleOf(root.inputs, versions);
    this.statistics = options.statistics;
    this.reads = options.reads;
    this.versions = versions;
    this.#root = root;
    this.#budget = options.budget;
    this.#clock = options.clock;
    this.#onClosed = options.onClosed;
    for (const version of versions) version.hold();
  }

  get isUp(): boolean {
    return this.versions.every((version) => version.isUp);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get fallbackReason(): string | undefined {
    const reasons = this.versions.flatMap(({ id, fallbackReason }) =>
      fallbackReason === undefined ? [] : [`${id}: ${fallbackReason}`],
    );
    return reasons.length === 0 ? undefined : reasons.join("; ");
  }

  findOutput(name: string): TensorSpec | undefined {
    return this.outputs.find((output) => output.name === name);
  }

  inputConfig(name: string): InputConfig | undefined {
    for (const version of this.versions) {
      const found = version.inputConfig(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  rowsOf(inputs: readonly Tensor[]): number {
    return this.inputs[0]?.shape[0] === -1 ? (inputs[0]?.shape[0] ?? 1) : 1;
  }

  /** What the steps do with a request is not known before. */
  isTooLate(): boolean {
    return false;
  }

  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
    request: PredictorRequest,
  ): Promise<PredictorResult> {
    const { receivedMs, deadlineAtMs, cancellation, priority } = limits;
    const clock = this.#clock;
    const budget = limits.isOnce === true ? undefined : this.#budget;
    const trace = StepTrace.start(this.modelName, "graph", clock, receivedMs);
    request.trace = trace;
    const startedMs = clock.nowMs();
    budget?.begin();
    try {
      const context = { clock, deadlineAtMs, cancellation, priority, request, trace, budget };
      const { outputs, degraded, observed } = await runStep(this.#root, inputs, context, trace);
      if (observed.length > 0) request.observed = observed;
      const nowMs = clock.nowMs();
      if (nowMs >= deadlineAtMs) throw tooLate();
      const computeMs = nowMs - startedMs;
      const own = chosen(outputs, outputNames);
      if (own.length === 0 && outputNames.length > 0) throw nothingLeft(outputNames, degraded);
      const wallMs = clock.wallMs();
      const times = { queueMs: 0, batchMs: 0, computeMs };
      countRequest(this.statistics, { wallMs, rows: this.rowsOf(inputs), ...times });
      return {
        outputs: own,
        ...times,
        graph: { trace, degraded },
      };
    } catch (error) {
      countFailure(this.statistics, clock.nowMs() - receivedMs);
      throw error;
    } finally {
      budget?.end();
    }
  }

  hold(): void {
    this.#holdCount++;
  }

  release(): void {
    this.#holdCount--;
    this.#closeIfIdle();
  }

  /** Another graph has taken its place: its models are let go when the requests in flight are answered. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (!this.#isRetired || this.#holdCount > 0 || this.#isClosed) return;
    this.#isClosed = true;
    for (const version of this.versions) version.release();
    this.#onClosed();
  }
}

function idOf(versions: readonly ModelVersion[]): string | undefined {
  if (versions.length === 0) return undefined;
  const ids = versions.slice(0, IDS_MAX).map(({ id }) => id);
  return versions.length > IDS_MAX ? `${ids.join(", ")}, …` : ids.join(", ");
}

/** The sample of the model that takes what the graph takes. */
function sampleOf(
  inputs: readonly TensorSpec[],
  versions: readonly ModelVersion[],
): readonly Tensor[] | undefined {
  for (const { sample } of versions) {
    if (sample?.length !== inputs.length) continue;
    const isSame = inputs.every(({ name, datatype, shape }, i) => {
      const tensor = sample[i] as Tensor;
      const fits = shape.every((extent, axis) => extent === -1 || extent === tensor.shape[axis]);
      return tensor.name === name && tensor.datatype === datatype && fits;
    });
    if (isSame) return sample;
  }
  return undefined;
}

/** Whoever asks for one branch that failed has no answer, but an error. */
function nothingLeft(names: readonly string[], degraded: readonly Degradation[]): unknown {
  const { cause } = degraded.find(({ step }) => names.includes(step)) ?? degraded[0] ?? {};
  if (cause instanceof MillraceError) return cause;
  return new MillraceError("MODEL_FAILED", "Cannot predict: what was asked for is missing", {
    cause,
  });
}

function chosen(outputs: readonly Tensor[], names: readonly string[]): Tensor[] {
  return names.flatMap((name) => outputs.find((output) => output.name === name) ?? []);
}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the last step ended after the deadline",
  );
}
