import type { ServiceConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { labelRows } from "../../core/tensor/argmax.ts";
import { readRows } from "../../core/tensor/read-rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../../core/tensor/write-json.ts";
import type { ModelVersion } from "../../models/model-version.ts";
import type { DataPlane, Prediction, Target } from "../data-plane.ts";
import { encodeAnswer } from "./content-encoding.ts";
import type { Exchange, ExchangeHandler } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import { JSON_TYPE, predictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";

type Rows = readonly Tensor[];
export type RowsReader = (exchange: Exchange, version: ModelVersion) => Rows | Promise<Rows>;
export type ReplyWriter = (prediction: Prediction, inputs: Rows) => string;

/** @returns the handler of `/predict` and its family: `read` says where rows come from, `write` what goes back. */
export function predictExchange(
  plane: DataPlane,
  read: RowsReader,
  write: ReplyWriter,
): ExchangeHandler {
  return async (exchange) => {
    const call = callOf(plane, exchange);
    const target = serviceTarget(plane, exchange.service);
    const { version } = target;
    const inputs = await read(exchange, version);
    const outputNames = [version.predictionOutput.name];
    const prediction = await plane.infer(target, inputs, outputNames, call);
    exchange.prediction = prediction;
    const headers = [JSON_TYPE, ...predictionHeaders(prediction)];
    const answer = { status: 200, headers, body: write(prediction, inputs) };
    return encodeAnswer(answer, exchange.header("accept-encoding"));
  };
}

/** @param name undefined takes the default service. @throws MODEL_NOT_FOUND, MODEL_NOT_READY. */
export function serviceTarget(plane: DataPlane, name: string | undefined): Target {
  return plane.target(name === undefined ? defaultOf(plane) : plane.service(name));
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

export function bodyRows(exchange: Exchange, version: ModelVersion): Rows | Promise<Rows> {
  const body = jsonBody(exchange);
  if (body instanceof Uint8Array) return readRows(body, version.inputs);
  return body.then((bytes) => readRows(bytes, version.inputs));
}

export function sampleRows(_exchange: Exchange, version: ModelVersion): Rows {
  if (version.sample !== undefined) return version.sample;
  throw new MillraceError(
    "SAMPLE_NOT_FOUND",
    `Cannot predict the sample: model "${version.modelName}" has none, add models.${version.modelName}.sample`,
  );
}

/** One row in gives that row's output, several rows give several. */
export function scoresReply(prediction: Prediction, inputs: Rows): string {
  const output = prediction.outputs[0] as Tensor;
  const isOneRow = inputs[0]?.shape[0] === 1 && output.shape[0] === 1;
  return `{"prediction":${isOneRow ? rowJson(output, 0) : nestedJson(output)}}`;
}

/** The label with the highest score, one per row. */
export function labelReply(prediction: Prediction): string {
  const labels = labelRows(prediction.outputs[0] as Tensor, prediction.version.labels);
  return JSON.stringify({ prediction: labels.length === 1 ? labels[0] : labels });
}
