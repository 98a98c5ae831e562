import { isPlainObject } from "./config-tree.ts";
import type { ConfigTree, Origin } from "./config-tree.ts";
import { holdsSecret, nodeAt, pathText } from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";
import type { SchemaNode } from "./json-schema.ts";

/** One thing in the configuration that is wrong: where, what was found, what is allowed. Holds no secret. */
export interface ConfigProblem {
  readonly source: "file" | "environment" | "flag" | "argument" | "override";
  /** The variable, flag, argument or override (`v12`); undefined for a file. */
  readonly name: string | undefined;
  readonly file: string | undefined;
  /** From 1. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** `services.iris.timeout`; empty when it is about the whole. */
  readonly path: string;
  readonly message: string;
  /** What is allowed, in words. */
  readonly allowed: string | undefined;
  /** The nearest thing that is allowed. */
  readonly didYouMean: string | undefined;
}

/** What a problem says beyond its message. */
export interface ProblemDetails {
  readonly allowed?: string | undefined;
  readonly didYouMean?: string | undefined;
}

const SHOWN_CHARACTERS_MAX = 60;

/** `millrace.yaml:12:5 services.iris.timeot: unknown key "timeot"; known keys: timeout. Did you mean "timeout"?` */
export function renderProblem(problem: ConfigProblem): string {
  const where = [placeText(problem), problem.path].filter((text) => text !== "").join(" ");
  const hint = problem.didYouMean === undefined ? "" : `. Did you mean "${problem.didYouMean}"?`;
  return `${where === "" ? "" : `${where}: `}${problem.message}${hint}`;
}

export function createProblem(
  origin: Origin,
  path: ConfigPath,
  message: string,
  details: ProblemDetails = {},
): ConfigProblem {
  return {
    ...placeFields(origin),
    path: pathText(path),
    message,
    allowed: details.allowed,
    didYouMean: details.didYouMean,
  };
}

/** `millrace.yaml:3:5`, `environment MILLRACE_SERVER_HOST`, `flag --port`, `default`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case "file": {
      const position = origin.position;
      const place = position === undefined ? "" : `:${position.line}:${position.column}`;
      return origin.file === undefined ? "" : `${origin.file}${place}`;
    }
    case "environment": {
      const file = origin.file === undefined ? "" : ` (${origin.file})`;
      return `environment ${origin.variable}${file}`;
    }
    case "flag":
      return `flag ${origin.flag}`;
    case "argument":
      return `argument ${origin.argument}`;
    case "override":
      return `override v${origin.version}`;
    case "default":
      return "default";
  }
}

/** The value at `path` as a problem or a table may show it: never a secret, never what came from `${NAME}`. */
export function shownValue(root: SchemaNode, tree: ConfigTree, path: ConfigPath): string {
  const value = tree.get(path);
  const node = nodeAt(root, path, tree.values);
  if (node !== undefined && holdsSecret(node) && !isContainer(value)) {
    return node.secret === true ? "(secret)" : `a ${typeof value}`;
  }
  const template = tree.templateOf(path);
  if (template !== undefined) return JSON.stringify(template);
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isPlainObject(value)) return "an object";
  const text = JSON.stringify(withoutUserInfo(value));
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

/** Hides name and password of an address: `https://(secret)@host/`. */
export function withoutUserInfo(value: unknown): unknown {
  if (typeof value !== "string") return value;
  // Redis takes a password in the query too, and people forget to encode one before the host.
  const redis = /^(rediss?:\/\/)(.*@)?([^?]*)(\?.*)?$/is.exec(value);
  if (redis === null) return value.replace(/\/\/[^/@\s]+@/, "//(secret)@");
  const [, scheme = "", user, host = "", query] = redis;
  return `${scheme}${user === undefined ? "" : "(secret)@"}${host}${query === undefined ? "" : "?(secret)"}`;
}

function isContainer(value: unknown): boolean {
  return typeof value === "object" || value === undefined;
}

type PlaceFields = Pick<ConfigProblem, "source" | "name" | "file" | "line" | "column">;

function placeFields(origin: Origin): PlaceFields {
  const nowhere = { name: undefined, file: undefined, line: undefined, column: undefined };
  switch (origin.kind) {
    case "file": {
      const { line, column } = origin.position ?? { line: undefined, column: undefined };
      return { ...nowhere, source: "file", file: origin.file, line, column };
    }
    case "environment":
      return { ...nowhere, source: "environment", name: origin.variable, file: origin.file };
    case "flag":
      return { ...nowhere, source: "flag", name: origin.flag };
    case "argument":
      return { ...nowhere, source: "argument", name: origin.argument };
    case "override":
      return { ...nowhere, source: "override", name: `v${origin.version}` };
    case "default":
      return { ...nowhere, source: "file" };
  }
}

function placeText(problem: ConfigProblem): string {
  const { source, name, file, line, column } = problem;
  if (source !== "file") return `${source} ${name ?? ""}${file === undefined ? "" : ` (${file})`}`;
  if (file === undefined) return "";
  return line === undefined || column === undefined ? file : `${file}:${line}:${column}`;
}
