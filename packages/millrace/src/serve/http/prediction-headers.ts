import type { FastifyReply, FastifyRequest } from "fastify";
import type { Prediction } from "../data-plane.ts";

/**
 * The reply is finished JSON text. With a serializer of its own Fastify adds no charset to the content type,
 * which KServe's client compares literally.
 */
export function sendsJson(reply: FastifyReply, contentType = "application/json"): void {
  void reply.header("content-type", contentType).serializer(asItIs);
}

function asItIs(text: string): string {
  return text;
}

/** Puts the facts about a prediction into the headers of its reply. */
export function setPredictionHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  prediction: Prediction,
): void {
  const { version, queueMs, computeMs } = prediction;
  request.prediction = prediction;
  sendsJson(reply);
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
