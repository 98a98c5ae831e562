import type { JsonValue } from "../core/json.ts";

/** A report again as it was before it became an answer of the control role: `at_ms` is `atMs`, null is undefined. */
export function camelNames(value: JsonValue): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(camelNames);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  return Object.fromEntries(entries.map(([name, item]) => [camelName(name), camelNames(item)]));
}

function camelName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
