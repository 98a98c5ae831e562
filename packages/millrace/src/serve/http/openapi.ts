import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson, withShortNumbers } from "../../core/tensor/write-json.ts";
import type { Predictor } from "../../models/predictor.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import type { DataPlane } from "../data-plane.ts";
import { feedbackOperation } from "./openapi-feedback.ts";
import {
  arraySchema,
  get,
  jsonContent,
  object,
  parse,
  PROBLEM_SCHEMA,
  reply,
  type Json,
} from "./openapi-parts.ts";
import { invocations, protocolPaths, serverPaths } from "./openapi-protocols.ts";
import { textRequest } from "./openapi-text.ts";

/**
 * Describes what this process serves right now as OpenAPI 3.1: each service with its own input shapes and its
 * sample as the example, so that "Try it out" works.
 */
export function openApiDocument(plane: DataPlane, title: string): Json {
  const paths: Record<string, Json> = {};
  const fallbackService = plane.services.default;
  for (const service of plane.services.all) {
    const predictor = plane.predictorsOf(service).at(-1);
    if (predictor === undefined) continue;
    const operations = serviceOperations(service.name, predictor);
    for (const [path, item] of Object.entries(operations)) {
      paths[`/services/${service.name}${path}`] = item;
      if (service === fallbackService) paths[path] = item;
    }
    paths[`/services/${service.name}/health`] = get(service.name, "Does the service answer?");
    Object.assign(paths, protocolPaths(service.name, predictor));
    if (service === fallbackService) paths["/invocations"] = invocations(service.name, predictor);
  }
  Object.assign(paths, healthPaths(), serverPaths());
  return {
    openapi: "3.1.0",
    info: {
      title,
      version: MILLRACE_VERSION,
      description: "Served by Millrace. Each service is shown with its own sample.",
    },
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      securitySchemes: { key: { type: "http", scheme: "bearer" } },
    },
    security: [{}, { key: [] }],
    paths,
  };
}

function healthPaths(): Record<string, Json> {
  return {
    "/health": get("health", "Ready when every required model answers"),
    "/health/all": get("health", "State of each model"),
    "/ping": get("health", "MLflow readiness"),
    "/version": get("health", "Version of the server"),
  };
}

function serviceOperations(tag: string, predictor: Predictor): Record<string, Json> {
  const body = predictRequest(predictor);
  const output = predictor.samplePrediction;
  const scores =
    output === undefined
      ? undefined
      : parse(`{"prediction":${output.shape[0] === 1 ? rowJson(output, 0) : nestedJson(output)}}`);
  const scoresReply = reply(
    "The prediction: one row in gives its output, several rows give several",
    {
      schema: replySchema(predictor),
      ...(scores === undefined ? {} : { example: scores }),
    },
  );
  const operations: Record<string, Json> = {
    "/predict": {
      post: { tags: [tag], summary: "Predict", requestBody: body, responses: scoresReply },
    },
    "/feedback": feedbackOperation(tag, predictor.labels?.[0]),
    "/metadata": get(tag, "Input and output of the service, with its sample"),
  };
  if (predictor.sample !== undefined) {
    operations["/predict/test"] = get(tag, "Predict the sample");
  }
  if (predictor.labels !== undefined) {
    const label = { prediction: predictor.labels[0] };
    const schema = { type: "object", properties: { prediction: { type: "string" } } };
    operations["/predict/label"] = {
      post: {
        tags: [tag],
        summary: "Predict the label",
        requestBody: body,
        responses: reply("The label of the largest score", { schema, example: label }),
      },
    };
    operations["/label"] = get(tag, "Labels by index");
    if (predictor.sample !== undefined) {
      operations["/predict/test/label"] = get(tag, "Predict the label of the sample");
    }
  }
  return operations;
}

function replySchema({ isBare, predictionNames }: Predictor): Json {
  const names = isBare ? predictionNames : ["prediction"];
  return { type: "object", properties: Object.fromEntries(names.map((name) => [name, {}])) };
}

function predictRequest(predictor: Predictor): Json {
  const { inputs, sample } = predictor;
  const text = textRequest(inputs, sample);
  if (text !== undefined) return text;
  const isSingle = inputs.length === 1;
  const byName = (describe: (spec: TensorSpec, index: number) => unknown): Json =>
    Object.fromEntries(inputs.map((spec, i) => [spec.name, describe(spec, i)]));
  const schema = isSingle
    ? object({ data: arraySchema(inputs[0] as TensorSpec) })
    : object({ inputs: object(byName(arraySchema)) });
  if (sample === undefined) return jsonContent({ schema });
  const rows = (tensor: Tensor): unknown => parse(nestedJson(withShortNumbers(tensor)));
  const example = isSingle
    ? { data: rows(sample[0] as Tensor) }
    : { inputs: byName((_spec, i) => rows(sample[i] as Tensor)) };
  return jsonContent({ schema, example });
}
