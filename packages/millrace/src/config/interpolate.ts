import { coerce } from "./coerce.ts";
import { isPlainObject, pathKey } from "./config-tree.ts";
import type { PlainObject } from "./config-tree.ts";
import type { SchemaNode } from "./json-schema.ts";
import { nodeAt } from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";

/** Deeper values are refused: no configuration needs them, and a YAML alias can point at what it is in. */
const DEPTH_MAX = 64;

/** `${NAME}`, `${NAME:-default}`, and `$${` for a `${` that is meant as it stands. */
const TEMPLATE_PATTERN = /\$?\$\{([^}\n]*)\}/g;

const VARIABLE_PATTERN = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export interface Interpolated {
  readonly values: PlainObject;
  /** Texts that contained `${NAME}`, as written, by `pathKey`. */
  readonly templates: ReadonlyMap<string, string>;
  readonly problems: readonly PathProblem[];
}

interface PathProblem {
  readonly path: ConfigPath;
  readonly message: string;
}

/**
 * Copies the values of a file with `${NAME}` in texts replaced from `env`, and checks on the way that they are
 * plain data. What came from the environment is text; it becomes what the schema `root` wants at its place.
 */
export function interpolate(
  values: PlainObject,
  root: SchemaNode,
  env: Readonly<Record<string, string | undefined>>,
): Interpolated {
  const templates = new Map<string, string>();
  const problems: PathProblem[] = [];

  const copy = (value: unknown, path: ConfigPath): unknown => {
    if (path.length > DEPTH_MAX) {
      problems.push({ path, message: `nested too deeply, at most ${DEPTH_MAX} levels` });
      return undefined;
    }
    if (typeof value === "string") return copyText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => copy(item, [...path, index]));
    if (isPlainObject(value) && isData(value)) return copyObject(value, path);
    if (isScalar(value)) return value;
    problems.push({ path, message: `found ${kindOf(value)}, expected plain data` });
    return undefined;
  };

  const copyObject = (value: PlainObject, path: ConfigPath): PlainObject => {
    const object: PlainObject = {};
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") problems.push({ path: [...path, key], message: "not a valid name" });
      else if (item !== undefined) object[key] = copy(item, [...path, key]);
    }
    return object;
  };

  const copyText = (text: string, path: ConfigPath): unknown => {
    const { result, failures } = replaceTemplates(text, env);
    if (result === text && failures.length === 0) return text;
    templates.set(pathKey(path), text);
    problems.push(...failures.map((message) => ({ path, message })));
    const node = nodeAt(root, path, values);
    // A text that could not be completed is left out: what is wrong with it has been said.
    if (failures.length > 0) return undefined;
    return node === undefined ? result : coerce(result, node);
  };

  return { values: copyObject(values, []), templates, problems };
}

/**
 * YAML ends a plain text at `{` inside `{ … }`, so `{ secret: ${KEY} }` would not parse. Replaces the characters
 * of every `${…}` by ones that mean nothing to YAML, one for one, so that positions stay.
 */
export function maskTemplates(yaml: string): string {
  return yaml.replace(TEMPLATE_PATTERN, (template) =>
    template.replace(/[!-~]/g, (character) =>
      String.fromCharCode(character.charCodeAt(0) + MASK_OFFSET),
    ),
  );
}

/** Undoes `maskTemplates` in a text that was parsed. */
export function unmaskTemplates(text: string): string {
  return text.replace(/[\uE021-\uE07E]/g, (character) =>
    String.fromCharCode(character.charCodeAt(0) - MASK_OFFSET),
  );
}

/** Start of Unicode's private use area, where printable ASCII finds room in the same order. */
const MASK_OFFSET = 0xe000;

function replaceTemplates(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly result: string; readonly failures: readonly string[] } {
  const failures: string[] = [];
  const result = text.replace(TEMPLATE_PATTERN, (template: string, inside: string) => {
    if (template.startsWith("$$")) return template.slice(1);
    const [, variable, fallback] = VARIABLE_PATTERN.exec(inside) ?? [];
    if (variable === undefined) {
      failures.push(`found "${template}", expected \${NAME} or \${NAME:-default}`);
      return "";
    }
    const value = env[variable];
    if (value !== undefined && (value !== "" || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    failures.push(
      `environment variable ${variable} is not set; set it or write \${${variable}:-default}`,
    );
    return "";
  });
  return { result, failures };
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "number" || typeof value === "boolean";
}

function kindOf(value: unknown): string {
  return typeof value === "object" ? "an object with behaviour" : `a ${typeof value}`;
}
