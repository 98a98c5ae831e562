import type { FastifyReply, FastifyRequest } from "fastify";
import type { Prediction } from "../data-plane.ts";

/** A JSON body as bytes: of a text Fastify would add a charset to the content type, which KServe's client refuses. */
export function jsonBytes(json: string): Buffer {
  return Buffer.from(json);
}

/** Puts the facts about a prediction into the headers of its reply. */
export function setPredictionHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  prediction: Prediction,
): void {
  const { version, queueMs, computeMs } = prediction;
  request.prediction = prediction;
  void reply.header("content-type", "application/json");
  void reply.header("x-model", version.id);
  void reply.header(
    "server-timing",
    `queue;dur=${rounded(queueMs)}, infer;dur=${rounded(computeMs)}`,
  );
  if (version.fallbackReason !== undefined) void reply.header("x-degraded", "fallback");
}

/** Milliseconds with microseconds as decimals. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
