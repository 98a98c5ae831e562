import { tensorBytes } from "../../core/tensor/tensor-bytes.ts";
import type { Job } from "../answers.ts";
import type { Call, Prediction } from "../prediction.ts";
import type { PredictionRecord } from "../recent-predictions.ts";

/** A request that was answered, as far as its copies need it: the inputs are those of the request itself. */
export interface CopiedRequest {
  readonly job: Job;
  readonly record: PredictionRecord;
  /** Undefined when it failed. */
  readonly prediction: Prediction | undefined;
  /** What steps of the copy know of the request. */
  readonly call: Call;
  /** Memory that is not freed as long as there is a copy: rules and steps may still look at the message it came in. */
  readonly bytes: number;
}

/** @param prediction undefined when it failed. */
export function copiedRequest(
  job: Job,
  record: PredictionRecord,
  prediction: Prediction | undefined,
): CopiedRequest {
  const askedBytes = Math.max(tensorBytes(job.inputs), job.call.bodyBytes ?? 0);
  const bytes = askedBytes + tensorBytes(prediction?.outputs ?? []);
  return { job, record, prediction, call: callOfCopy(job.call), bytes };
}

/** What belongs to the connection of the client stays behind. */
function callOfCopy(call: Call): Call {
  const { predictionId, endpoint, requestId, attributes, traceContext, receivedMs } = call;
  return {
    predictionId,
    endpoint,
    requestId,
    attributes,
    traceContext,
    isShadow: true,
    receivedMs,
    priority: 3,
    timeoutMs: undefined,
    cancellation: undefined,
  };
}
