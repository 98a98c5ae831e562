import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ServiceConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { labelRows } from "../../core/tensor/argmax.ts";
import { readRows } from "../../core/tensor/read-rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../../core/tensor/write-json.ts";
import type { ModelVersion } from "../../models/model-version.ts";
import type { DataPlane, Prediction, Target } from "../data-plane.ts";
import { jsonBody } from "./json-body.ts";
import { sendsJson, setPredictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";
import { serviceMetadata } from "./service-metadata.ts";

interface ServiceParams {
  readonly service?: string;
}

/** `/predict` and its family, for the default service and under `/services/{service}` for every one. */
export function addPredictRoutes(app: FastifyInstance, plane: DataPlane): void {
  const infer = { config: { scope: "infer" } } as const;
  const read = { config: { scope: "read" } } as const;
  for (const prefix of ["", "/services/:service"]) {
    app.post(`${prefix}/predict`, infer, predict(plane, bodyRows, scoresReply));
    app.post(`${prefix}/predict/label`, infer, predict(plane, bodyRows, labelReply));
    app.get(`${prefix}/predict/test`, infer, predict(plane, sampleRows, scoresReply));
    app.get(`${prefix}/predict/test/label`, infer, predict(plane, sampleRows, labelReply));
    app.get(`${prefix}/label`, read, async (request) => labelsOf(targetOf(plane, request)));
    app.get(`${prefix}/metadata`, read, async (request, reply) => {
      sendsJson(reply);
      return serviceMetadata(plane, targetOf(plane, request));
    });
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<string>;
type RowsReader = (request: FastifyRequest, version: ModelVersion) => readonly Tensor[];
type ReplyWriter = (prediction: Prediction, inputs: readonly Tensor[]) => string;

function predict(plane: DataPlane, read: RowsReader, write: ReplyWriter): Handler {
  return async (request, reply) => {
    const call = callOf(plane, request, reply);
    const target = targetOf(plane, request);
    const inputs = read(request, target.version);
    const outputNames = [target.version.predictionOutput.name];
    const prediction = await plane.infer(target, inputs, outputNames, call);
    setPredictionHeaders(request, reply, prediction);
    return write(prediction, inputs);
  };
}

function bodyRows(request: FastifyRequest, version: ModelVersion): readonly Tensor[] {
  return readRows(jsonBody(request), version.inputs);
}

function targetOf(plane: DataPlane, request: FastifyRequest): Target {
  const { service } = request.params as ServiceParams;
  return plane.target(service === undefined ? defaultOf(plane) : plane.service(service));
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

function sampleRows(_request: FastifyRequest, version: ModelVersion): readonly Tensor[] {
  if (version.sample !== undefined) return version.sample;
  throw new MillraceError(
    "SAMPLE_NOT_FOUND",
    `Cannot predict the sample: model "${version.modelName}" has none, add models.${version.modelName}.sample`,
  );
}

/** One row in gives that row's output, several rows give several. */
function scoresReply(prediction: Prediction, inputs: readonly Tensor[]): string {
  const output = prediction.outputs[0] as Tensor;
  const isOneRow = inputs[0]?.shape[0] === 1 && output.shape[0] === 1;
  return `{"prediction":${isOneRow ? rowJson(output, 0) : nestedJson(output)}}`;
}

function labelReply(prediction: Prediction): string {
  const labels = labelRows(prediction.outputs[0] as Tensor, prediction.version.labels);
  return JSON.stringify({ prediction: labels.length === 1 ? labels[0] : labels });
}

function labelsOf({ version }: Target): Record<string, string> {
  if (version.labels !== undefined) return Object.fromEntries(version.labels.entries());
  throw new MillraceError(
    "LABELS_NOT_FOUND",
    `Cannot list labels: model "${version.modelName}" has none, add models.${version.modelName}.labels`,
  );
}
