import type { Prediction } from "../data-plane.ts";
import type { AnswerHeader } from "./exchange.ts";

/** Without a charset: KServe's client compares it literally. */
export const JSON_TYPE: AnswerHeader = ["content-type", "application/json"];

/** The facts about a prediction, as headers of its reply. */
export function predictionHeaders(prediction: Prediction): readonly AnswerHeader[] {
  const { version, queueMs, batchMs, computeMs, degraded } = prediction;
  const timing = `queue;dur=${rounded(queueMs)}, batch;dur=${rounded(batchMs)}, infer;dur=${rounded(computeMs)}`;
  const headers: AnswerHeader[] = [
    ["x-model", version.id],
    ["server-timing", timing],
  ];
  if (degraded !== undefined) headers.push(["x-degraded", degraded]);
  return headers;
}

/** Milliseconds with microseconds as decimals. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
