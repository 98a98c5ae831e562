import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/**
 * The replies of the Open Inference Protocol over REST, as this project promises them: stricter than the
 * specification (no unknown members, no `null`, `inputs` and `outputs` always there), and looser in one place: an output
 * that stands behind the JSON as bytes has no `data`. Wherever the specification's text and its examples
 * disagree, it is the choice that docs/serving.md describes.
 */
const DATATYPES =
  "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 BF16 FP32 FP64 BYTES".split(" ");

const text = { type: "string" } as const;
const count = { type: "integer", minimum: 0 } as const;

function object(
  required: Readonly<Record<string, object>>,
  optional: Readonly<Record<string, object>> = {},
): object {
  return {
    type: "object",
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

function list(items: object, bounds: object = {}): object {
  return { type: "array", items, ...bounds };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

const version = { type: "string", pattern: "^[1-9][0-9]*$" };
const shape = (minimum: number): object => list({ type: "integer", minimum });
const duration = object({ count, ns: count });
const DURATIONS = Object.fromEntries(
  "success fail queue compute_input compute_infer compute_output cache_hit cache_miss"
    .split(" ")
    .map((name) => [name, duration]),
);
const configTensor = object(
  {
    name: text,
    data_type: { enum: DATATYPES.map((name) => `TYPE_${name === "BYTES" ? "STRING" : name}`) },
    dims: list({ type: "integer", minimum: -1 }),
  },
  { label_filename: text },
);

const SCHEMAS = {
  error: object({ error: { type: "string", minLength: 1 } }),
  health: object({ live: { type: "boolean" }, ready: { type: "boolean" } }),
  serverMetadata: object({ name: text, version: text, extensions: list(text) }),
  modelList: object({ models: list(text) }),
  modelMetadata: object(
    {
      name: text,
      versions: list(version, { minItems: 1 }),
      platform: text,
      inputs: list(ref("metadataTensor"), { minItems: 1 }),
      outputs: list(ref("metadataTensor"), { minItems: 1 }),
    },
    { properties: { type: "object", additionalProperties: text } },
  ),
  metadataTensor: object({ name: text, datatype: { enum: DATATYPES }, shape: shape(-1) }),
  modelReady: object({ name: text, ready: { type: "boolean" } }),
  inferResponse: object(
    { model_name: text, model_version: version, outputs: list(ref("responseOutput")) },
    { id: text, parameters: ref("parameters") },
  ),
  responseOutput: {
    ...object(
      { name: text, datatype: { enum: DATATYPES }, shape: shape(0) },
      {
        parameters: ref("parameters"),
        data: list({ type: ["number", "string", "boolean", "null"] }),
      },
    ),
    // Exactly one place for the values.
    oneOf: [
      { required: ["data"], not: hasBinarySize() },
      { not: { required: ["data"] }, ...hasBinarySize() },
    ],
  },
  parameters: { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
  statistics: object({
    model_stats: list(
      object(
        {
          name: text,
          version,
          last_inference: count,
          inference_count: count,
          execution_count: count,
          inference_stats: object(DURATIONS),
          batch_stats: list(
            object({
              batch_size: { type: "integer", minimum: 1 },
              compute_input: duration,
              compute_infer: duration,
              compute_output: duration,
            }),
          ),
        },
        {
          response_stats: { type: "object" },
          memory_usage: list(
            object({ type: { enum: ["CPU", "CPU_PINNED", "GPU"] }, id: count, byte_size: count }),
          ),
        },
      ),
    ),
  }),
  modelConfig: {
    type: "object",
    required: ["name", "platform", "max_batch_size", "input", "output"],
    properties: {
      name: text,
      platform: text,
      backend: text,
      max_batch_size: count,
      input: list(configTensor, { minItems: 1 }),
      output: list(configTensor, { minItems: 1 }),
      instance_group: list({ type: "object", required: ["name", "kind", "count"] }),
      dynamic_batching: { type: "object" },
      version_policy: { type: "object" },
      parameters: { type: "object" },
    },
  },
  repositoryIndex: list(
    object(
      {
        name: text,
        state: { enum: ["UNKNOWN", "READY", "UNAVAILABLE", "LOADING", "UNLOADING"] },
        reason: text,
      },
      { version },
    ),
  ),
  loaded: object({ name: text, load: { const: true } }),
  unloaded: object({ name: text, unload: { const: true } }),
} as const satisfies Record<string, object>;

function hasBinarySize(): object {
  const properties = { parameters: { required: ["binary_data_size"] } };
  return { required: ["parameters"], properties };
}

type SchemaName = keyof typeof SCHEMAS;

/** Every call of the protocol: its replies by status; any other status is an error. */
const CALLS: Readonly<Record<string, Readonly<Record<number, SchemaName>>>> = {
  "GET /v2": { 200: "serverMetadata" },
  "GET /v2/health/live": { 200: "health" },
  "GET /v2/health/ready": { 200: "health", 503: "health" },
  "GET /v2/models": { 200: "modelList" },
  "GET /v2/models/stats": { 200: "statistics" },
  "GET /v2/models/{model}": { 200: "modelMetadata" },
  "GET /v2/models/{model}/ready": { 200: "modelReady", 503: "modelReady" },
  "GET /v2/models/{model}/stats": { 200: "statistics" },
  "GET /v2/models/{model}/config": { 200: "modelConfig" },
  "POST /v2/models/{model}/infer": { 200: "inferResponse" },
  "POST /v2/repository/index": { 200: "repositoryIndex" },
  "POST /v2/repository/models/{model}/load": { 200: "loaded" },
  "POST /v2/repository/models/{model}/unload": { 200: "unloaded" },
};

/** Calls whose path may name a version. */
const VERSIONED = /^(\w+ \/v2\/models\/\{model\})(.*)$/;

/** The OpenAPI 3.1 description of `CALLS`. */
export const OIP_DESCRIPTION = {
  openapi: "3.1.0",
  info: { title: "Open Inference Protocol V2 over REST", version: "2" },
  paths: describePaths(),
  components: { schemas: SCHEMAS },
};

function describePaths(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const [call, replies] of Object.entries(CALLS)) {
    const versioned = call.replace(VERSIONED, "$1/versions/{version}$2");
    for (const each of new Set([call, versioned])) {
      const [method = "", path = ""] = each.split(" ");
      const responses: Record<string, object> = { default: response("error") };
      for (const [status, name] of Object.entries(replies)) responses[status] = response(name);
      paths[path] = { ...paths[path], [method.toLowerCase()]: { responses } };
    }
  }
  return paths;
}

function response(name: SchemaName): object {
  return { description: name, content: { "application/json": { schema: ref(name) } } };
}

/** Finds the schema of a reply by its call (`GET /v2/models/{model}`) and status. */
export class OipValidator {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });

  constructor() {
    this.#ajv.addSchema(OIP_DESCRIPTION, "oip");
  }

  /** @returns what is wrong with the reply; empty when it is as promised. @throws when the call is not described. */
  problems(call: string, status: number, reply: unknown): string[] {
    const validate = this.#schemaOf(call, status);
    if (validate(reply) === true) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath}: ${message ?? "wrong"}`,
    );
  }

  #schemaOf(call: string, status: number): ValidateFunction {
    const [method = "", path = ""] = call.split(" ");
    const responses = OIP_DESCRIPTION.paths[path]?.[method.toLowerCase()] as
      { responses: Readonly<Record<string, object>> } | undefined;
    if (responses === undefined) throw new Error(`The description lacks ${call}`);
    const key = status in responses.responses ? String(status) : "default";
    const parts = ["paths", path, method.toLowerCase(), "responses", key];
    const pointer = [...parts, "content", "application/json", "schema"]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .map(encodeURIComponent)
      .join("/");
    const validate = this.#ajv.getSchema(`oip#/${pointer}`);
    if (validate === undefined) throw new Error(`The description lacks the schema of ${call}`);
    return validate;
  }
}
