import type { Tensor } from "../../core/tensor/tensor.ts";
import { flatJson, nestedJson, withShortNumbers } from "../../core/tensor/write-json.ts";
import type { Predictor } from "../../models/predictor.ts";
import { jsonContent, object, parse, reply, type Json } from "./openapi-parts.ts";

/** A service in the protocols of other servers, by path. */
export function protocolPaths(name: string, predictor: Predictor): Record<string, Json> {
  const infer = inferOperation(name, predictor);
  const paths: Record<string, Json> = {
    [`/v1/models/${name}`]: get(name, "Versions of the model (TensorFlow Serving, KServe V1)"),
    [`/v1/models/${name}:predict`]: instancesOperation(name, predictor),
  };
  for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${predictor.version}`]) {
    paths[path] = get(name, "Names, types and shapes of the model");
    paths[`${path}/ready`] = get(name, "Does the model answer?");
    paths[`${path}/config`] = get(name, "How the model is run: batches, instances, time limits");
    paths[`${path}/stats`] = get(name, "Counts and times of the model");
    paths[`${path}/batches`] = get(
      name,
      "The last runs of the model, and why each left when it did",
    );
    paths[`${path}/infer`] = infer;
  }
  return paths;
}

/** What does not depend on the models, by path. */
export function serverPaths(): Record<string, Json> {
  return {
    "/v2/health/ready": get("health", "Open Inference Protocol readiness"),
    "/v2/health/live": get("health", "Open Inference Protocol liveness"),
    "/v2": get("models", "Name, version and extensions of the server"),
    "/v2/models": get("models", "Names of all services"),
    "/v2/models/stats": get("models", "Counts and times of each model version"),
    "/v2/repository/index": post("Models with their state"),
    "/v2/repository/{repository}/index": post("Refused: there is one repository", "repository"),
    "/v2/repository/models/{model}/load": post("Load a model (needs an admin key)", "model"),
    "/v2/repository/models/{model}/unload": post("Unload a model (needs an admin key)", "model"),
  };
}

/** MLflow's route, for the default service. */
export function invocations(tag: string, predictor: Predictor): Json {
  const [sample, second] = predictor.sample ?? [];
  const schema = { type: "object" };
  const requestBody = jsonContent(
    sample === undefined || second !== undefined
      ? { schema }
      : { schema, example: { inputs: parse(nestedJson(withShortNumbers(sample))) } },
  );
  const summary = "Predict (MLflow)";
  return { post: { tags: [tag], summary, requestBody, responses: reply("The predictions", {}) } };
}

const ERROR_SCHEMA = object({ error: { type: "string" } });

/** Errors of the protocols: the reason in words, its code in the header `x-error-code`. */
const ERROR_RESPONSES = {
  "4XX": {
    description: "What is wrong with the request, and where",
    content: { "application/json": { schema: ERROR_SCHEMA } },
  },
  "5XX": {
    description: "Not ready, overloaded, too late, not implemented, or the model failed",
    content: { "application/json": { schema: ERROR_SCHEMA } },
  },
};

/** JSON, and behind it the bytes of the tensors that it gives only a size of. */
const BINARY_CONTENT = {
  "application/octet-stream": { schema: { type: "string", format: "binary" } },
};

/** Says where the JSON ends in a body with binary tensors. */
const JSON_LENGTH = "Inference-Header-Content-Length";

function inferOperation(tag: string, predictor: Predictor): Json {
  const example = predictor.sample && { inputs: predictor.sample.map(inputExample) };
  const schema = inferSchema(predictor);
  const json = example === undefined ? { schema } : { schema, example };
  const parameter = {
    name: JSON_LENGTH,
    in: "header",
    description: "Bytes of JSON in a body with binary tensors; 0 when the body is the one input",
    schema: { type: "integer", minimum: 0 },
  };
  const success = {
    description: "Outputs; as binary data those that were asked for so",
    headers: {
      [JSON_LENGTH]: { description: "Bytes of JSON before the data", schema: { type: "integer" } },
    },
    content: { "application/json": {}, ...BINARY_CONTENT },
  };
  return {
    post: {
      tags: [tag],
      summary: "Infer (Open Inference Protocol V2)",
      parameters: [parameter],
      requestBody: { required: true, content: { "application/json": json, ...BINARY_CONTENT } },
      responses: { "200": success, ...ERROR_RESPONSES },
    },
  };
}

function inferSchema({ inputs, outputs }: Predictor): Json {
  const parameters = { type: "object" };
  const input = object({
    name: { type: "string", enum: inputs.map((spec) => spec.name) },
    shape: { type: "array", items: { type: "integer" } },
    datatype: { type: "string", enum: [...new Set(inputs.map((spec) => spec.datatype))] },
  });
  const data = { type: "array", description: "Row-major, flat or nested; absent in binary" };
  const output = object({ name: { type: "string", enum: outputs.map((spec) => spec.name) } });
  const schema = object({
    inputs: { type: "array", items: withOptional(input, { data, parameters }) },
  });
  return withOptional(schema, {
    id: { type: "string" },
    outputs: { type: "array", items: withOptional(output, { parameters }) },
    parameters,
  });
}

function withOptional(schema: Json, optional: Json): Json {
  return { ...schema, properties: { ...(schema["properties"] as Json), ...optional } };
}

function inputExample(tensor: Tensor): Json {
  const { name, shape, datatype } = tensor;
  return { name, shape, datatype, data: parse(flatJson(withShortNumbers(tensor))) };
}

function instancesOperation(tag: string, predictor: Predictor): Json {
  const schema = object({ instances: { type: "array" } });
  const [sample, second] = predictor.sample ?? [];
  const isSingle = sample !== undefined && second === undefined;
  const requestBody = jsonContent(
    isSingle
      ? { schema, example: { instances: parse(nestedJson(withShortNumbers(sample))) } }
      : { schema },
  );
  const summary = "Predict (TensorFlow Serving, KServe V1)";
  const responses = protocolReply("The predictions");
  return { post: { tags: [tag], summary, requestBody, responses } };
}

function get(tag: string, summary: string): Json {
  return { get: { tags: [tag], summary, responses: protocolReply(summary) } };
}

/** @param pathParameter the one in the path, if there is one. */
function post(summary: string, pathParameter?: string): Json {
  const responses = protocolReply(summary);
  const operation = { tags: ["models"], summary, responses };
  if (pathParameter === undefined) return { post: operation };
  const parameter = { name: pathParameter, in: "path", required: true, schema: { type: "string" } };
  return { post: { ...operation, parameters: [parameter] } };
}

function protocolReply(description: string): Json {
  return { "200": { description, content: { "application/json": {} } }, ...ERROR_RESPONSES };
}
