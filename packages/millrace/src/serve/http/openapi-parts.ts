import { DATATYPES, type Datatype } from "../../core/tensor/datatype.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";

/** A part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

export const PROBLEM_SCHEMA = {
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

export const PROBLEM_RESPONSES = {
  "4XX": {
    description: "What is wrong with the request, and where",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  },
  "5XX": {
    description: "Not ready, overloaded, too late, or the model failed",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  },
};

export function get(tag: string, summary: string): Json {
  return { get: { tags: [tag], summary, responses: reply(summary, {}) } };
}

export function reply(description: string, content: Json): Json {
  return {
    "200": { description, content: { "application/json": content } },
    ...PROBLEM_RESPONSES,
  };
}

export function jsonContent(content: Json): Json {
  return { required: true, content: { "application/json": content } };
}

export function object(properties: Json): Json {
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
export function arraySchema(spec: TensorSpec): Json {
  let schema: Json = { type: ELEMENT_TYPES[DATATYPES[spec.datatype].json] };
  for (const extent of spec.shape.toReversed()) {
    const bounds = extent === -1 ? { minItems: 1 } : { minItems: extent, maxItems: extent };
    schema = { type: "array", items: schema, ...bounds };
  }
  return { ...schema, description: `${spec.datatype} [${spec.shape.join(", ")}]` };
}

/** Our own writer made this text; parsing it gives the value a JSON document can hold. */
export function parse(json: string): unknown {
  return JSON.parse(json) as unknown;
}
