import { DATATYPES, type Datatype } from "../../core/tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { flatJson, nestedJson, rowJson, withShortNumbers } from "../../core/tensor/write-json.ts";
import type { ModelVersion } from "../../models/model-version.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import type { DataPlane } from "../data-plane.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Describes what this process serves right now as OpenAPI 3.1: each service with its own input shapes and its
 * sample as the example, so that "Try it out" works.
 */
export function openApiDocument(plane: DataPlane, title: string): Json {
  const paths: Record<string, Json> = {};
  const fallbackService = plane.defaultService;
  for (const service of plane.services) {
    const version = plane.models.model(service.model).latest;
    if (version === undefined) continue;
    const operations = serviceOperations(service.name, version);
    for (const [path, item] of Object.entries(operations)) {
      paths[`/services/${service.name}${path}`] = item;
      if (service === fallbackService) paths[path] = item;
    }
    Object.assign(paths, protocolPaths(service.name, version));
    if (service === fallbackService) paths["/invocations"] = invocations(service.name, version);
  }
  Object.assign(paths, commonPaths());
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

/** A service in the protocols of other servers. */
function protocolPaths(name: string, version: ModelVersion): Record<string, Json> {
  const infer = inferOperation(name, version);
  const paths: Record<string, Json> = {
    [`/services/${name}/health`]: get(name, "Does the service answer?"),
    [`/v1/models/${name}`]: get(name, "Versions of the model (TensorFlow Serving, KServe V1)"),
    [`/v1/models/${name}:predict`]: instancesOperation(name, version),
  };
  for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${version.version}`]) {
    paths[path] = get(name, "Names, types and shapes of the model");
    paths[`${path}/ready`] = get(name, "Does the model answer?");
    paths[`${path}/stats`] = get(name, "Counts and times of the model");
    paths[`${path}/infer`] = infer;
  }
  return paths;
}

/** What does not depend on the models. */
function commonPaths(): Record<string, Json> {
  const name = { name: "model", in: "path", required: true, schema: { type: "string" } };
  const repository = (verb: string): Json => {
    const { post } = repositoryOperation(`${verb} a model (needs an admin key)`);
    return { post: { ...post, parameters: [name] } };
  };
  return {
    "/health": get("health", "Ready when every required model answers"),
    "/health/all": get("health", "State of each model"),
    "/v2/health/ready": get("health", "Open Inference Protocol readiness"),
    "/v2/health/live": get("health", "Open Inference Protocol liveness"),
    "/ping": get("health", "MLflow readiness"),
    "/version": get("health", "Version of the server"),
    "/v2": get("models", "Name, version and extensions of the server"),
    "/v2/models": get("models", "Names of all services"),
    "/v2/models/stats": get("models", "Counts and times of each model version"),
    "/v2/repository/index": repositoryOperation("Models with their state"),
    "/v2/repository/models/{model}/load": repository("load"),
    "/v2/repository/models/{model}/unload": repository("unload"),
  };
}

const PROBLEM_SCHEMA = {
  type: "object",
  description: "RFC 9457 problem",
  required: ["title", "status", "code", "detail"],
  properties: {
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string" },
    detail: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: {
          location: { type: "array", items: { type: ["string", "integer"] } },
          message: { type: "string" },
          type: { type: "string" },
        },
      },
    },
  },
};

const PROBLEM_RESPONSES = {
  "4XX": {
    description: "What is wrong with the request, and where",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  },
  "5XX": {
    description: "Not ready, overloaded, too late, or the model failed",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  },
};

function serviceOperations(tag: string, version: ModelVersion): Record<string, Json> {
  const body = predictRequest(version);
  const output = version.samplePrediction;
  const scores =
    output === undefined
      ? undefined
      : parse(`{"prediction":${output.shape[0] === 1 ? rowJson(output, 0) : nestedJson(output)}}`);
  const scoresReply = reply(
    "The prediction: one row in gives its output, several rows give several",
    {
      schema: { type: "object", properties: { prediction: {} } },
      ...(scores === undefined ? {} : { example: scores }),
    },
  );
  const operations: Record<string, Json> = {
    "/predict": {
      post: { tags: [tag], summary: "Predict", requestBody: body, responses: scoresReply },
    },
    "/metadata": get(tag, "Input and output of the service, with its sample"),
  };
  if (version.sample !== undefined) {
    operations["/predict/test"] = get(tag, "Predict the sample");
  }
  if (version.labels !== undefined) {
    const label = { prediction: version.labels[0] };
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
    if (version.sample !== undefined) {
      operations["/predict/test/label"] = get(tag, "Predict the label of the sample");
    }
  }
  return operations;
}

function predictRequest(version: ModelVersion): Json {
  const { inputs, sample } = version;
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

function inferOperation(tag: string, version: ModelVersion): Json {
  const schema = object({
    inputs: {
      type: "array",
      items: object({
        name: { type: "string", enum: version.inputs.map((spec) => spec.name) },
        shape: { type: "array", items: { type: "integer" } },
        datatype: { type: "string" },
        data: { type: "array" },
      }),
    },
  });
  const example = version.sample && {
    inputs: version.sample.map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      datatype: tensor.datatype,
      data: parse(flatJson(withShortNumbers(tensor))),
    })),
  };
  const requestBody = jsonContent(example === undefined ? { schema } : { schema, example });
  const summary = "Infer (Open Inference Protocol V2)";
  return { post: { tags: [tag], summary, requestBody, responses: reply("Outputs", {}) } };
}

function instancesOperation(tag: string, version: ModelVersion): Json {
  const schema = object({ instances: { type: "array" } });
  const [sample, second] = version.sample ?? [];
  const isSingle = sample !== undefined && second === undefined;
  const requestBody = jsonContent(
    isSingle
      ? { schema, example: { instances: parse(nestedJson(withShortNumbers(sample))) } }
      : { schema },
  );
  const summary = "Predict (TensorFlow Serving, KServe V1)";
  return { post: { tags: [tag], summary, requestBody, responses: reply("The predictions", {}) } };
}

function invocations(tag: string, version: ModelVersion): Json {
  const [sample, second] = version.sample ?? [];
  const schema = { type: "object" };
  const requestBody = jsonContent(
    sample === undefined || second !== undefined
      ? { schema }
      : { schema, example: { inputs: parse(nestedJson(withShortNumbers(sample))) } },
  );
  const summary = "Predict (MLflow)";
  return { post: { tags: [tag], summary, requestBody, responses: reply("The predictions", {}) } };
}

function repositoryOperation(summary: string): { readonly post: Json } {
  return { post: { tags: ["models"], summary, responses: reply(summary, {}) } };
}

function get(tag: string, summary: string): Json {
  return { get: { tags: [tag], summary, responses: reply(summary, {}) } };
}

function reply(description: string, content: Json): Json {
  return {
    "200": { description, content: { "application/json": content } },
    ...PROBLEM_RESPONSES,
  };
}

function jsonContent(content: Json): Json {
  return { required: true, content: { "application/json": content } };
}

function object(properties: Json): Json {
  return { type: "object", required: Object.keys(properties), properties };
}

const ELEMENT_TYPES: Readonly<Record<(typeof DATATYPES)[Datatype]["json"], string>> = {
  boolean: "boolean",
  integer: "integer",
  number: "number",
  string: "string",
  none: "number",
};

/** Nested arrays of a tensor's shape. */
function arraySchema(spec: TensorSpec): Json {
  let schema: Json = { type: ELEMENT_TYPES[DATATYPES[spec.datatype].json] };
  for (const extent of spec.shape.toReversed()) {
    const bounds = extent === -1 ? { minItems: 1 } : { minItems: extent, maxItems: extent };
    schema = { type: "array", items: schema, ...bounds };
  }
  return { ...schema, description: `${spec.datatype} [${spec.shape.join(", ")}]` };
}

/** Our own writer made this text; parsing it gives the value a JSON document can hold. */
function parse(json: string): unknown {
  return JSON.parse(json) as unknown;
}
