import type { Priority } from "../core/batch/batch.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { StepTrace } from "../core/graph/step-trace.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Predictor, PredictorRequest } from "../models/predictor.ts";
import type { RequestTrace } from "./request-trace.ts";

export const PRIORITY_DEFAULT: Priority = 2;

/** `endpoint` of predictions that nobody asked for: they are not logged. */
export const WARM_UP = "warm-up";

/** What a request brings along besides its tensors, whichever protocol it came by. */
export interface Call extends PredictorRequest {
  /** UUIDv7, from `newPredictionId`: known before the prediction is made, so that a failure has it too. */
  readonly predictionId: string;
  /** Route or call it came by, as the prediction log has it: `/predict`, `/v2/infer`, `ModelInfer`, `library`. */
  readonly endpoint: string;
  /** When the request came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** 1 is the most urgent, 2 the default, 3 what may wait. */
  readonly priority: Priority;
  /** Time the client allows; undefined leaves it to the service. */
  readonly timeoutMs: number | undefined;
  /** Cancelled when the client has gone. */
  readonly cancellation: Cancellation | undefined;
  /** Length of the message it came in, which may stay in memory as long as the call does; absent where there was none. */
  readonly bodyBytes?: number;
  /** Nobody needs the inputs afterwards: their memory may be moved to another thread. */
  readonly isInputOwned?: boolean;
  /** Set when the limits of the service have let it in, where it has shadows: they get what was let in. */
  isAdmitted?: boolean;
  /** Told what was decided; undefined where nothing is traced. */
  readonly requestTrace?: RequestTrace | undefined;
}

export interface Prediction {
  /** UUIDv7. */
  readonly id: string;
  readonly predictor: Predictor;
  /** Versions that answered, as `x-model` says it: `iris@1`; of a graph those that ran. */
  readonly model: string;
  /** One per requested output, in that order; those of a branch that is missing are left out. */
  readonly outputs: readonly Tensor[];
  /** Waited until its batch left. */
  readonly queueMs: number;
  /** Batch put together, handed over and taken apart. */
  readonly batchMs: number;
  /** The model itself, or all steps of the graph. */
  readonly computeMs: number;
  /** The answer is not what was asked for, but better than none; undefined when it is. */
  readonly degraded: "fallback" | "partial" | "cached" | undefined;
  /** What it lacks or has otherwise, by step; empty when nothing. */
  readonly degradations: readonly Degradation[];
  /** Where a cache was asked. */
  readonly cache: "hit" | "miss" | "stale" | undefined;
  /** Undefined for a model. */
  readonly trace: StepTrace | undefined;
}

/** Models that ran in a graph, `a@1, b@2`; cut where it gets too long for a header. */
export function modelsThatRan(trace: StepTrace): string {
  const ids = new Set<string>();
  collect(trace, ids);
  return [...ids].join(", ");
}

const IDS_MAX = 16;

function collect(trace: StepTrace, ids: Set<string>): void {
  const { model } = trace.facts;
  if (typeof model === "string" && ids.size < IDS_MAX) ids.add(model);
  for (const child of trace.children) collect(child, ids);
}
