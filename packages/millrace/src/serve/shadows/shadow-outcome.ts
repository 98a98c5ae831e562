import type { Comparison } from "../../core/compare/comparison.ts";
import { MillraceError } from "../../core/errors.ts";
import { knownMembers } from "../../core/predictions/known-members.ts";
import type { ExplainedShadow } from "../../core/predictions/explanation.ts";
import type { ShadowComparison } from "../../core/predictions/logged-prediction.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Predictor, PredictorResult } from "../../models/predictor.ts";
import { modelsThatRan, type Prediction } from "../prediction.ts";
import type { PredictionOutcome } from "../prediction-log.ts";
import type { PredictionRecord } from "../recent-predictions.ts";
import type { CopiedRequest } from "./copied-request.ts";

/** Why the shadow did not answer. */
export interface Failure {
  readonly error: unknown;
}

/** A request and what a shadow made of it. */
export interface ShadowPair {
  readonly copied: CopiedRequest;
  /** Name of the shadow. */
  readonly shadow: string;
  readonly predictor: Predictor;
  readonly result: PredictorResult | Failure;
  /** Undefined unless both answered. */
  readonly comparison: Comparison | undefined;
  readonly tookMs: number;
}

const NO_INPUTS: readonly Tensor[] = [];

const NOT_MADE = { queueMs: 0, batchMs: 0, computeMs: 0, trace: undefined } as const;

/** Of the text of a difference. */
const DIFFERENCE_LENGTH_MAX = 512;

/** The shadow's prediction as the log has it: beside the answer, under the same id. */
export function shadowOutcome(pair: ShadowPair): PredictionOutcome {
  const { copied, shadow, predictor, result, comparison } = pair;
  const { job, call } = copied;
  const prediction = "error" in result ? undefined : predictionOf(pair, result);
  // The answer's row has the inputs. Where both differ they are wanted beside each other, and that row may be left out.
  const inputs = comparison?.isAgreed === true ? NO_INPUTS : job.inputs;
  return {
    job: {
      ...job,
      predictor,
      inputs,
      call,
      limits: { ...job.limits, isInputOwned: false, cancellation: undefined },
    },
    record: recordOf(pair, prediction),
    prediction,
    shadow: { name: shadow, comparison: comparisonOf(pair) },
  };
}

function predictionOf(
  { copied, predictor }: ShadowPair,
  { outputs, queueMs, batchMs, computeMs, graph }: PredictorResult,
): Prediction {
  return {
    id: copied.record.id,
    predictor,
    model: graph === undefined ? predictor.id : modelsThatRan(graph.trace) || predictor.id,
    outputs,
    queueMs,
    batchMs,
    computeMs,
    degraded: undefined,
    degradations: graph?.degraded ?? [],
    cache: undefined,
    trace: graph?.trace,
  };
}

function recordOf(
  { copied, predictor, result, tookMs }: ShadowPair,
  prediction: Prediction | undefined,
): PredictionRecord {
  const { queueMs, batchMs, computeMs, trace } = prediction ?? NOT_MADE;
  return {
    ...copied.record,
    ...failureOf(result),
    model: prediction?.model ?? predictor.id,
    digest: predictor.digest,
    role: "shadow",
    asked: undefined,
    tookMs,
    queueMs,
    batchMs,
    computeMs,
    degraded: undefined,
    cache: undefined,
    trace: trace ?? copied.call.trace,
    observed: undefined,
  };
}

function failureOf(result: ShadowPair["result"]): Pick<PredictionRecord, "code" | "message"> {
  if (!("error" in result)) return { code: "ok", message: undefined };
  const { error } = result;
  return error instanceof MillraceError
    ? { code: error.code, message: error.message }
    : { code: "INTERNAL", message: undefined };
}

function comparisonOf({ copied, comparison }: ShadowPair): ShadowComparison {
  const { model, code, tookMs, computeMs } = copied.record;
  return {
    primaryModel: model,
    primaryCode: code,
    primaryUs: toMicroseconds(tookMs),
    primaryInferUs: toMicroseconds(computeMs),
    ...(comparison === undefined ? {} : { isAgreed: comparison.isAgreed }),
    ...(comparison?.distance === undefined ? {} : { distance: comparison.distance }),
    ...(comparison?.detail === undefined
      ? {}
      : { difference: comparison.detail.slice(0, DIFFERENCE_LENGTH_MAX) }),
  };
}

/** As `explain` shows it. */
export function explainedShadow(
  { shadow, tookMs, comparison }: ShadowPair,
  { record }: PredictionOutcome,
): ExplainedShadow {
  return knownMembers<ExplainedShadow>({
    name: shadow,
    model: record.model,
    status: record.code,
    error: record.message,
    duration_ms: Math.round(tookMs * 1000) / 1000,
    agreed: comparison?.isAgreed,
    distance: comparison?.distance,
    difference: comparison?.detail?.slice(0, DIFFERENCE_LENGTH_MAX),
  });
}

function toMicroseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}
