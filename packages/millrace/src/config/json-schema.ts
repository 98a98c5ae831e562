import { z } from "zod";
import { configSchema } from "./schema.ts";
import type { Kind } from "./schema-values.ts";

/** The part of JSON Schema that zod writes for our schema, with our own words (`kind`, `unit`, `live`, …) in it. */
export interface SchemaNode {
  readonly type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** Of a map from names to values; false for an object with known keys. */
  readonly additionalProperties?: SchemaNode | false;
  /** Of a map: what its names must be. */
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode | false;
  readonly prefixItems?: readonly SchemaNode[];
  readonly const?: string | number;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly kind?: Kind;
  readonly unit?: string;
  readonly range?: string;
  readonly live?: boolean;
  readonly secret?: boolean;
  readonly later?: readonly string[];
  readonly shortFor?: string;
  readonly tellingKey?: string;
  /** `#/$defs/<name>`: the node is that one. */
  readonly $ref?: string;
  /** Of the root: nodes that may contain themselves. */
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** JSON Schema (2020-12) of the file as a person writes it: what `millrace config schema` prints for editors. */
export function configJsonSchema(): SchemaNode {
  // zod's own type of the result allows every JSON Schema; ours names the part it writes for this schema.
  return z.toJSONSchema(configSchema, {
    io: "input",
    override: ({ jsonSchema }) => {
      const isKey = jsonSchema.description !== undefined && jsonSchema.properties === undefined;
      if (isKey) jsonSchema["live"] ??= false;
    },
  }) as SchemaNode;
}
