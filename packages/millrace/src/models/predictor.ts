import type { InputConfig } from "../config/config.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { StepRequest } from "../core/graph/step.ts";
import type { StepTrace } from "../core/graph/step-trace.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { RunResult } from "./run-request.ts";
import type { RunLimits } from "./scheduled-model.ts";
import type { Statistics } from "./statistics.ts";

/** The request as others know it, and what is found out about it. */
export interface PredictorRequest extends StepRequest {
  /** Set by a graph when it begins, so that it is there when the graph fails too. */
  trace?: StepTrace | undefined;
  /** Set to predictions that are nobody's answer, of what is deactivated and only observed: kept for analysis. */
  observed?: readonly Tensor[];
}

/** `head`: method, path, headers and the like; `body`: members of the JSON too. */
export type Reads = "nothing" | "head" | "body";

/** What happened in the steps of a graph. */
export interface GraphRun {
  readonly trace: StepTrace;
  /** What the answer lacks or has otherwise; empty when it is what the graph says first. */
  readonly degraded: readonly Degradation[];
}

export interface PredictorResult extends RunResult {
  /** Undefined for a model. */
  readonly graph?: GraphRun;
}

/**
 * What answers the requests of a service: a version of a model, or a graph of steps over versions of several. Whoever
 * runs it holds it meanwhile, so that it is not freed.
 */
export interface Predictor {
  /** Of the model; of a graph the service whose graph it is. */
  readonly modelName: string;
  /** 1 for a graph: what has versions are its models. */
  readonly version: number;
  /** `iris-svc@1` */
  readonly id: string;
  /** Open Inference Protocol platform name: `onnx_onnxv1`, `ensemble`. */
  readonly platform: string;
  /** Differs whenever the same inputs may give something else. */
  readonly digest: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly outputNames: readonly string[];
  /** Output that is "the prediction"; undefined where all together are it, as `{name: value}`. */
  readonly predictionOutput: TensorSpec | undefined;
  /** Names of the prediction's outputs; the same array every time, which the scheduler knows again. */
  readonly predictionNames: readonly string[];
  /** Is the prediction answered without `{"prediction": …}` around it, as that of branches side by side is? */
  readonly isBare: boolean;
  /** Names of the classes of the prediction. */
  readonly labels: readonly string[] | undefined;
  /** Element of a row of the prediction that is its score: what thresholds look at. */
  readonly score: number;
  /** Example inputs; undefined when none are known. */
  readonly sample: readonly Tensor[] | undefined;
  /** Prediction of the sample; undefined also where several outputs are it. */
  readonly samplePrediction: Tensor | undefined;
  /** Why something else than the file says first is served; undefined when all is well. */
  readonly fallbackReason: string | undefined;
  readonly statistics: Statistics;
  /** Can it answer now? */
  readonly isUp: boolean;
  /** Has it been freed? Then another one has taken its place. */
  readonly isClosed: boolean;
  /** What its steps look at beside the tensors. */
  readonly reads: Reads;
  /** @returns the output called `name` now or in the file; undefined when there is none. */
  findOutput(name: string): TensorSpec | undefined;
  /** What the file said of an input when it was made; of a graph's what it said of that of the model which takes it. */
  inputConfig(name: string): InputConfig | undefined;
  /** Rows of a request: the extent of the first axis where that may vary, else 1. */
  rowsOf(inputs: readonly Tensor[]): number;
  /** Would a request that has this much time be too late, as far as that is known before its body is read? */
  isTooLate(timeoutMs: number): boolean;
  /**
   * @param inputs one per input, checked against it.
   * @returns the outputs of those names in that order; those of a branch that is missing are left out.
   * @throws MillraceError: OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, MODEL_FAILED, …
   */
  run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    limits: RunLimits,
    request: PredictorRequest,
  ): Promise<PredictorResult>;
  /** Keeps it until `release`. */
  hold(): void;
  release(): void;
}
