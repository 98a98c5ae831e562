import type { PredictionLogConfig } from "../../config/config.ts";
import { textBytesMax } from "../../core/predictions/byte-writer.ts";
import { EXPANDED_ROWS_MAX } from "../../core/predictions/log-rows.ts";
import type {
  LogContext,
  LoggedPrediction,
  PayloadState,
  PredictionSummary,
} from "../../core/predictions/logged-prediction.ts";
import type { PrivacyPlan } from "../../core/predictions/privacy-plan.ts";
import { summaryOf } from "../../core/predictions/prediction-summary.ts";
import type { KeyedHash } from "../../core/predictions/redaction.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { PredictionOutcome } from "../prediction-log.ts";
import { factsJson, loggedAttributes } from "./log-facts.ts";
import type { PredictorLog } from "./predictor-log.ts";
import type { ServiceLog } from "./service-log.ts";
import { unitHashOf } from "./unit-hash.ts";

/** Inputs and prediction of more bytes are left out of their row. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;

/** Keyed hashes of one request; each takes some microseconds. */
const HASHES_MAX = 1_024;

/** What was found out before it is written down. */
export interface KeptOutcome {
  readonly service: ServiceLog;
  readonly redact: PredictionLogConfig["redact"];
  readonly hash: KeyedHash;
  readonly weight: number;
  readonly isOutlier: boolean | undefined;
  readonly outlierScore: number | undefined;
  /** Are inputs and prediction left out for want of room? */
  readonly isShed: boolean;
}

/** What becomes a row, as the service's file allows it. */
export function recordOf(outcome: PredictionOutcome, kept: KeptOutcome): LoggedPrediction {
  const { job, record, prediction } = outcome;
  const own = kept.service.of(job.predictor);
  const context = own.contextOf({
    endpoint: job.call.endpoint,
    role: record.role,
    rule: record.rule,
    arm: record.arm,
    shadow: outcome.shadow?.name,
    overrideVersion: record.overrideVersion,
    answeredBy: prediction?.predictor ?? job.predictor,
  });
  const payload = payloadOf(outcome, context, own, kept);
  return {
    context,
    receivedUs: Math.round(record.receivedWallMs * 1000),
    predictionId: record.id,
    requestId: record.requestId,
    traceId: record.traceId,
    errorCode: record.code === "ok" ? undefined : record.code,
    queueUs: toMicroseconds(record.queueMs),
    batchUs: toMicroseconds(record.batchMs),
    inferUs: toMicroseconds(record.computeMs),
    totalUs: toMicroseconds(record.tookMs),
    rowCount: record.rowCount,
    unitHash: unitHashOf(
      { arm: record.arm, attributes: job.call.attributes },
      job.service.log.unit,
      kept.hash,
    ),
    isOutlier: kept.isOutlier,
    outlierScore: kept.outlierScore,
    weight: kept.weight,
    payload: payload.state,
    facts: factsJson({
      record,
      comparison: outcome.shadow?.comparison,
      models: record.model === own.id ? undefined : record.model,
      attributes: attributesOf(outcome, kept),
      isPrivate: context.policy !== "" || job.service.log.payload !== "full",
      hasPayload: payload.state === "full",
    }),
    inputs: payload.inputs,
    outputs: payload.outputs,
    summary: payload.summary,
  };
}

/** Are there not too many of them, and not too much work to do with them? */
export function isLoggable(inputs: readonly Tensor[], plan: PrivacyPlan | undefined): boolean {
  const logged = plan === undefined ? inputs : plan.allowed(inputs);
  if (dataBytesOf(logged) > PAYLOAD_BYTES_MAX) return false;
  return plan === undefined || plan.hashCountOf(logged) <= HASHES_MAX;
}

/** Of text it is the most it can be. */
function dataBytesOf(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (let i = 0; i < tensors.length; i++) {
    const { data } = tensors[i] as Tensor;
    if (!Array.isArray(data)) bytes += data.byteLength;
    else
      for (let k = 0; k < data.length && bytes <= PAYLOAD_BYTES_MAX; k++)
        bytes += textBytesMax(data[k] as string);
  }
  return bytes;
}

/** Where the file names no unit for the log, that of the experiment. */
function attributesOf(
  { job }: PredictionOutcome,
  { redact, hash }: KeptOutcome,
): Readonly<Record<string, string>> | undefined {
  const { attributes } = job.call;
  if (attributes === undefined) return undefined;
  return loggedAttributes(attributes, { wanted: job.service.log.attributes, redact, hash });
}

interface Payload {
  readonly state: PayloadState;
  readonly inputs: readonly Tensor[] | undefined;
  readonly outputs: readonly Tensor[] | undefined;
  readonly summary: PredictionSummary | undefined;
}

function payloadOf(
  { job, prediction }: PredictionOutcome,
  context: LogContext,
  { plan }: PredictorLog,
  { isShed, hash }: KeptOutcome,
): Payload {
  const outputs = prediction?.outputs;
  if (job.service.log.payload !== "full") return withoutTensors("off", context, outputs);
  if (isShed) return withoutTensors("shed", context, outputs);
  // The memory of inputs that `keepsInputs` did not ask for has moved to another thread.
  if (job.limits.isInputOwned || !isLoggable(job.inputs, plan)) {
    return withoutTensors("too_large", context, outputs);
  }
  const inputs = plan === undefined ? job.inputs : plan.apply(job.inputs, hash);
  const bytes = dataBytesOf(inputs) + (outputs === undefined ? 0 : dataBytesOf(outputs));
  if (bytes > PAYLOAD_BYTES_MAX) return withoutTensors("too_large", context, outputs);
  return { state: "full", inputs, outputs, summary: undefined };
}

/** Labels and scores are what metrics are made from; those of very many rows would be a payload themselves. */
function withoutTensors(
  state: PayloadState,
  context: LogContext,
  outputs: readonly Tensor[] | undefined,
): Payload {
  const isShort = outputs?.every(({ shape }) => (shape[0] ?? 1) <= EXPANDED_ROWS_MAX) === true;
  const summary = isShort ? summaryOf(outputs, context) : undefined;
  return { state, inputs: undefined, outputs: undefined, summary };
}

function toMicroseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}
