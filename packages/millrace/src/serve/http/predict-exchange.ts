import type { ServiceConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { labelRows } from "../../core/tensor/argmax.ts";
import { readRows } from "../../core/tensor/read-rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../../core/tensor/write-json.ts";
import type { ModelVersion } from "../../models/model-version.ts";
import type { DataPlane, Prediction, Target } from "../data-plane.ts";
import { encodeAnswer } from "./content-encoding.ts";
import type { Answer, AnswerHeader, Exchange, ExchangeHandler } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import { JSON_TYPE, predictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";
import { routedTarget } from "./routed-target.ts";

type Rows = readonly Tensor[];

/** Where the rows of a prediction come from. */
export interface RowsSource {
  readonly read: (exchange: Exchange, version: ModelVersion) => Rows | Promise<Rows>;
  /** Are they made for one request, so that whoever runs it may keep their memory? */
  readonly isOwned: boolean;
}

export type ReplyWriter = (prediction: Prediction, isOneRow: boolean) => string;

/** @returns the handler of `/predict` and its family. `write` makes the body of the reply. */
export function predictExchange(
  plane: DataPlane,
  rows: RowsSource,
  write: ReplyWriter,
): ExchangeHandler {
  return async (exchange) => {
    const call = callOf(plane, exchange, rows.isOwned);
    const target = await serviceTarget(plane, exchange);
    const { version } = target;
    const inputs = await rows.read(exchange, version);
    const isOneRow = inputs[0]?.shape[0] === 1; // asked now: who owns them may have taken them apart later
    let prediction: Prediction;
    try {
      prediction = await plane.infer(target, inputs, version.predictionNames, call);
    } catch (error) {
      const instead = overloadReply(target, error);
      if (instead === undefined) throw error;
      return instead;
    }
    exchange.prediction = prediction;
    const headers = [JSON_TYPE, ...predictionHeaders(prediction)];
    const answer = { status: 200, headers, body: write(prediction, isOneRow) };
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
export function serviceTarget(plane: DataPlane, exchange: Exchange): Target | Promise<Target> {
  const { service: name } = exchange;
  const service = name === undefined ? defaultOf(plane) : plane.service(name);
  return routedTarget(plane, service, exchange);
}

function defaultOf(plane: DataPlane): ServiceConfig {
  const service = plane.defaultService;
  if (service !== undefined) return service;
  const names = plane.services.map((known) => `/services/${known.name}`).join(", ");
  throw new MillraceError(
    "MODEL_NOT_FOUND",
    `Cannot choose a service: none is the default, use ${names} or set services.<name>.default`,
  );
}

/** The rows that the request brings. */
export const BODY_ROWS: RowsSource = { read: readBodyRows, isOwned: true };

/** The model's sample, which stays with the model. */
export const SAMPLE_ROWS: RowsSource = { read: readSample, isOwned: false };

function readBodyRows(exchange: Exchange, version: ModelVersion): Rows | Promise<Rows> {
  const body = jsonBody(exchange);
  if (body instanceof Uint8Array) return readRows(body, version.inputs);
  return body.then((bytes) => readRows(bytes, version.inputs));
}

function readSample(_exchange: Exchange, version: ModelVersion): Rows {
  if (version.sample !== undefined) return version.sample;
  throw new MillraceError(
    "SAMPLE_NOT_FOUND",
    `Cannot predict the sample: model "${version.modelName}" has none, add models.${version.modelName}.sample`,
  );
}

/** One row in gives that row's output, several rows give several. */
export function scoresReply(prediction: Prediction, isOneRow: boolean): string {
  const output = prediction.outputs[0] as Tensor;
  const isBare = isOneRow && output.shape[0] === 1;
  return `{"prediction":${isBare ? rowJson(output, 0) : nestedJson(output)}}`;
}

/** The label with the highest score, one per row. */
export function labelReply(prediction: Prediction): string {
  const labels = labelRows(prediction.outputs[0] as Tensor, prediction.version.labels);
  return JSON.stringify({ prediction: labels.length === 1 ? labels[0] : labels });
}
