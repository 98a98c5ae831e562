import type { JsonValue } from "./json.ts";

/**
 * A report as the API answers it: `lastExposureMs` is `last_exposure_ms`; what is undefined or no number in JSON is null.
 * Every object's keys are renamed, so none may be named by a person.
 */
export function snakeNames(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(snakeNames);
  if (typeof value !== "object") return value as JsonValue;
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.map(([name, item]) => [snakeName(name), snakeNames(item)]));
}

/** The report again that `snakeNames` made an answer of; null is undefined. */
export function camelNames(value: JsonValue): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(camelNames);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  return Object.fromEntries(entries.map(([name, item]) => [camelName(name), camelNames(item)]));
}

function snakeName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
