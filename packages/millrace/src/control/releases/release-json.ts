import type { JsonValue } from "../../core/json.ts";

/** A report as the interface shows it: names with underscores, null for what there is not. Keys that are data must have no capitals. */
export function releaseJson(report: object): JsonValue {
  return snake(report as Readonly<Record<string, unknown>>);
}

function snake(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== "object") return value as JsonValue;
  const entries = Object.entries(value).map(([key, part]) => [snakeName(key), snake(part)]);
  return Object.fromEntries(entries) as JsonValue;
}

function snakeName(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
