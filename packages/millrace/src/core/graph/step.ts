import type { Priority } from "../batch/batch.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import type { RetryBudget } from "../overload/retry-budget.ts";
import type { Attributes } from "../rules/attributes.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { TraceContext } from "../trace-context/trace-context.ts";
import type { StepOutcome } from "./step-outcome.ts";
import type { StepTrace } from "./step-trace.ts";

/** What a step gives, and how to read it. */
export interface Given {
  /** The first axis counts rows; −1 is any extent. No two have the same name. */
  readonly outputs: readonly TensorSpec[];
  /** Index of the output that is the prediction; `all` where all of them together are it, as `{name: value}`. */
  readonly prediction: number | "all";
  /** Names of the classes of the prediction; undefined when it has none. */
  readonly labels: readonly string[] | undefined;
  /** Element of a row of the prediction that thresholds and `argmax` look at; 0 is the first. */
  readonly score: number;
}

/** What a step takes and gives. */
export interface Signature extends Given {
  /** The first axis counts rows; −1 is any extent. No two have the same name. */
  readonly inputs: readonly TensorSpec[];
}

/** The request as others know it: passed on to whoever works for it. */
export interface StepRequest {
  readonly predictionId: string;
  /** As in `x-request-id`; undefined where there is none, as in the library. */
  readonly requestId: string | undefined;
  /** What conditions look at; undefined in the library, which has no headers. */
  readonly attributes: Attributes | undefined;
  /** Come with the request or made for it; absent when it is a part of no trace. */
  readonly traceContext?: TraceContext | undefined;
  /** Is it a copy whose answer nobody gets? Other servers are told. */
  readonly isShadow?: boolean;
}

/** What a step has to know of the request it runs for. */
export interface StepContext {
  readonly clock: Clock;
  /** On `clock.nowMs`; what is not done by then is of no use. */
  readonly deadlineAtMs: number;
  /** Cancelled when nobody wants the outputs any more. */
  readonly cancellation: Cancellation | undefined;
  readonly priority: Priority;
  readonly request: StepRequest;
  /** Where the step writes down what happened in it. */
  readonly trace: StepTrace;
  /** Of the service: pays for every call beside the first one. Undefined where there shall be none. */
  readonly budget: RetryBudget | undefined;
  /** Servers that were asked in earlier tries of this step for this request: others are asked first. Absent in its only try. */
  readonly tried?: Set<string>;
}

/**
 * One thing a service does with a request: a model, or a combination of other steps. It is immutable and may run
 * many times at once. Run it through `runStep`, which minds the deadline, traces, and names it in errors.
 */
export interface Step extends Signature {
  /** For people: `iris-svc`, `softmax`, `branches.setosa`. */
  readonly name: string;
  /** What it is, for the trace: `model`, `sequence`, `parallel`, … */
  readonly kind: string;
  /**
   * @param inputs one per input, in that order, with its name, datatype and a shape that fits. Others may read them
   * too: a step neither changes them nor moves their memory.
   * @throws MillraceError; the reason of the cancellation when that ended it.
   */
  run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome>;
}
