import { malformed } from "./byte-reader.ts";
import type { LogContext, PredictionRole } from "./logged-prediction.ts";

const ROLES: readonly string[] = [
  "primary",
  "fallback",
  "cache",
  "shadow",
] satisfies PredictionRole[];

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The contexts at the end of a block. @param bytes a list of JSON. @throws when they are none. */
export function readContexts(bytes: Uint8Array): LogContext[] {
  const list: unknown = JSON.parse(UTF8.decode(bytes));
  if (!Array.isArray(list)) throw malformed("its contexts are no list");
  return list.map(readContext);
}

function readContext(value: unknown): LogContext {
  if (typeof value !== "object" || value === null) throw malformed("a context is no object");
  const members = value as Readonly<Record<string, unknown>>;
  const role = text(members["role"]);
  if (!ROLES.includes(role)) throw malformed("the role of a context is unknown");
  const { columns } = members;
  return {
    service: text(members["service"]),
    endpoint: text(members["endpoint"]),
    model: text(members["model"]),
    version: text(members["version"]),
    digest: text(members["digest"]),
    role: role as PredictionRole,
    rule: optional(members["rule"], text),
    experiment: optional(members["experiment"], text),
    variant: optional(members["variant"], text),
    phase: optional(members["phase"], number),
    shadow: optional(members["shadow"], text),
    overrideVersion: number(members["overrideVersion"]),
    inputSchema: text(members["inputSchema"]),
    policy: text(members["policy"]),
    columns: readColumns(columns),
    predictionOutputs: texts(members["predictionOutputs"]),
    labels: optional(members["labels"], texts),
    scoreIndex: number(members["scoreIndex"]),
    threshold: optional(members["threshold"], number),
  };
}

function readColumns(value: unknown): Readonly<Record<string, readonly string[]>> {
  if (typeof value !== "object" || value === null) throw malformed("columns are no object");
  return Object.fromEntries(Object.entries(value).map(([input, names]) => [input, texts(names)]));
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw malformed("a context lacks a text");
  return value.toWellFormed(); // JSON may spell half of a surrogate pair, and many readers refuse it
}

function number(value: unknown): number {
  if (typeof value !== "number") throw malformed("a context lacks a number");
  return value;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) throw malformed("a context lacks a list");
  return value.map(text);
}
