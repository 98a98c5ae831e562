import { serverTiming } from "../../core/graph/server-timing.ts";
import type { Prediction } from "../prediction.ts";
import type { AnswerHeader } from "./exchange.ts";

/** Without a charset: KServe's client compares it literally. */
export const JSON_TYPE: AnswerHeader = ["content-type", "application/json"];

/** The facts about a prediction, as headers of its reply. */
export function predictionHeaders(prediction: Prediction): readonly AnswerHeader[] {
  const { model, degraded, cache } = prediction;
  const headers: AnswerHeader[] = [
    ["x-model", model],
    ["server-timing", timingOf(prediction)],
  ];
  if (cache !== undefined) headers.push(["x-cache", cache]);
  if (degraded !== undefined) {
    headers.push(["x-degraded", degraded]);
    if (prediction.degradations.length > 0) headers.push(["x-degraded-steps", stepsOf(prediction)]);
  }
  return headers;
}

function timingOf({ queueMs, batchMs, computeMs, trace }: Prediction): string {
  if (trace !== undefined) return serverTiming(trace);
  return `queue;dur=${rounded(queueMs)}, batch;dur=${rounded(batchMs)}, infer;dur=${rounded(computeMs)}`;
}

/** Steps that an answer lacks or has from elsewhere, `species.virginica;missing;DEADLINE_EXCEEDED`. */
function stepsOf({ degradations }: Prediction): string {
  const texts = degradations.map(({ step, kind, code }) => `${step};${kind};${code}`);
  return texts.slice(0, STEPS_MAX).join(", ");
}

/** Degraded steps in one header. */
const STEPS_MAX = 16;

/** Milliseconds with microseconds as decimals. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
