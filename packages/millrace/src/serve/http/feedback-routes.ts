import type { FastifyInstance } from "fastify";
import type { ServerConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { readFeedback } from "../../core/feedback/read-feedback.ts";
import type { DataPlane } from "../data-plane.ts";
import type { FeedbackIntake } from "../feedback/feedback-intake.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { throughFastify } from "./fastify-exchange.ts";
import { jsonBody } from "./json-body.ts";
import { serviceOf } from "./predict-exchange.ts";
import { JSON_TYPE } from "./prediction-headers.ts";

/** Bytes of one request: a thousand entries of a KiB. */
const BODY_BYTES_MAX = 1024 * 1024;

/** What names a request, so that sending it again changes nothing. */
const KEY_HEADER = "idempotency-key";
const KEY_PATTERN = /^[\x21-\x7e]{1,200}$/;

export interface FeedbackRoutesOptions {
  readonly plane: DataPlane;
  readonly feedback: FeedbackIntake;
  readonly server: Pick<ServerConfig, "bodyBytesMax">;
}

/** `POST /feedback` for the default service, and under `/services/{service}` for every one. */
export function addFeedbackRoutes(app: FastifyInstance, options: FeedbackRoutesOptions): void {
  const { plane, feedback, server } = options;
  const bodyLimit = Math.min(BODY_BYTES_MAX, server.bodyBytesMax);
  const hasOwnBodyLimit = bodyLimit < server.bodyBytesMax;
  const route = { config: { scope: "infer", hasOwnBodyLimit }, bodyLimit } as const;
  const handler = throughFastify((exchange) => takeFeedback(plane, feedback, exchange));
  app.post("/feedback", route, handler);
  app.post("/services/:service/feedback", route, handler);
}

async function takeFeedback(
  plane: DataPlane,
  feedback: FeedbackIntake,
  exchange: Exchange,
): Promise<Answer> {
  const service = serviceOf(plane, exchange);
  const key = keyOf(exchange);
  const read = readFeedback(await jsonBody(exchange), feedback.nowMs);
  const ids = await feedback.take(service.name, read, key);
  const body = read.isList ? { feedback_ids: ids } : { feedback_id: ids[0] };
  return { status: 202, headers: [JSON_TYPE], body: JSON.stringify(body) };
}

function keyOf(exchange: Exchange): string | undefined {
  const key = exchange.anyHeader(KEY_HEADER);
  if (key === undefined || KEY_PATTERN.test(key)) return key;
  const message = `found ${key.length} characters, expected 1 to 200 of ASCII without space`;
  throw new MillraceError("INVALID_HEADER", `Cannot read header ${KEY_HEADER}: ${message}`, {
    problems: [{ location: ["header", KEY_HEADER], message, type: "range" }],
  });
}
