import type { ServiceConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { readRows } from "../../core/tensor/read-rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { DataPlane, Participation, Target } from "../data-plane.ts";
import type { Prediction } from "../prediction.ts";
import { encodeAnswer } from "./content-encoding.ts";
import type { Answer, AnswerHeader, Exchange, ExchangeHandler } from "./exchange.ts";
import { imageRows } from "./image-body.ts";
import { jsonBody } from "./json-body.ts";
import { JSON_TYPE, predictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";
import { checkHasLabel, labelReply, predictionReply } from "./prediction-json.ts";
import { withReplyFacts } from "./reply-facts.ts";
import { routedTarget } from "./routed-target.ts";

type Rows = readonly Tensor[];

/** Where the rows of a prediction come from. */
export interface RowsSource {
  readonly read: (exchange: Exchange, predictor: Predictor) => Rows | Promise<Rows>;
  /** Are they made for one request, so that whoever runs it may keep their memory? */
  readonly isOwned: boolean;
  /** How they take part in an experiment; by default as anybody's. */
  readonly participation?: Participation;
  /** What its routes begin with, as the prediction log has it. */
  readonly endpoint: string;
}

/** What a route makes of a prediction. */
export interface ReplyForm {
  /** What its routes end with. */
  readonly suffix: string;
  /** Throws before anything runs when what answers can never give such a reply. */
  readonly check?: (predictor: Predictor) => void;
  /** @returns the body. */
  readonly write: (prediction: Prediction, isOneRow: boolean) => string;
}

export const SCORES: ReplyForm = { suffix: "", write: predictionReply };
export const LABEL: ReplyForm = { suffix: "/label", check: checkHasLabel, write: labelReply };

/** @returns the handler of `/predict` and its family. */
export function predictExchange(
  plane: DataPlane,
  rows: RowsSource,
  reply: ReplyForm,
): ExchangeHandler {
  const endpoint = `${rows.endpoint}${reply.suffix}`;
  return async (exchange) => {
    const call = callOf(plane, exchange, endpoint, rows.isOwned);
    const target = await serviceTarget(plane, exchange, rows.participation);
    const { predictor } = target;
    reply.check?.(predictor);
    const inputs = await rows.read(exchange, predictor);
    const isOneRow = inputs[0]?.shape[0] === 1; // asked now: who owns them may have taken them apart later
    let prediction: Prediction;
    try {
      prediction = await plane.infer(target, inputs, predictor.predictionNames, call);
    } catch (error) {
      const instead = overloadReply(target, error);
      if (instead === undefined) throw error;
      return instead;
    }
    exchange.prediction = prediction;
    const headers = [JSON_TYPE, ...predictionHeaders(prediction)];
    const body = withReplyFacts(reply.write(prediction, isOneRow), target, prediction);
    const answer = { status: 200, headers, body };
    return encodeAnswer(answer, exchange.header("accept-encoding"));
  };
}

/** What the file says to answer in place of a refusal; undefined when it says nothing or this is none. */
function overloadReply({ service: { overload } }: Target, error: unknown): Answer | undefined {
  if (overload.kind !== "reply") return undefined;
  if (!(error instanceof MillraceError) || error.code !== "OVERLOADED") return undefined;
  const headers: AnswerHeader[] = [JSON_TYPE, ["x-degraded", "fallback"]];
  return { status: 200, headers, body: JSON.stringify(overload.reply) };
}

/** What answers a request to the service in its path, or to the default one. @throws as `routedTarget`. */
export function serviceTarget(
  plane: DataPlane,
  exchange: Exchange,
  participation: Participation | undefined,
): Target | Promise<Target> {
  return routedTarget(plane, serviceOf(plane, exchange), exchange, { participation });
}

/** The service in the path of a request, or the default one. @throws MODEL_NOT_FOUND */
export function serviceOf(plane: DataPlane, { service }: Exchange): ServiceConfig {
  return service === undefined ? defaultOf(plane) : plane.services.get(service);
}

function defaultOf(plane: DataPlane): ServiceConfig {
  const service = plane.services.default;
  if (service !== undefined) return service;
  const names = plane.services.all.map((known) => `/services/${known.name}`).join(", ");
  throw new MillraceError(
    "MODEL_NOT_FOUND",
    `Cannot choose a service: none is the default, use ${names} or set services.<name>.default`,
  );
}

/** The rows that the request brings. */
export const BODY_ROWS: RowsSource = {
  endpoint: "/predict",
  read: readBodyRows,
  isOwned: true,
};

/** The model's sample, which stays with the model. */
export const SAMPLE_ROWS: RowsSource = {
  endpoint: "/predict/test",
  read: readSample,
  isOwned: false,
  participation: "test",
};

function readBodyRows(exchange: Exchange, predictor: Predictor): Rows | Promise<Rows> {
  const image = imageRows(exchange, predictor.inputs);
  if (image !== undefined) return image;
  const body = jsonBody(exchange);
  if (body instanceof Uint8Array) return readRows(body, predictor.inputs);
  return body.then((bytes) => readRows(bytes, predictor.inputs));
}

function readSample(_exchange: Exchange, predictor: Predictor): Rows {
  if (predictor.sample !== undefined) return predictor.sample;
  throw new MillraceError(
    "SAMPLE_NOT_FOUND",
    `Cannot predict the sample: "${predictor.modelName}" has none, add models.<name>.sample to the model it begins with`,
  );
}
