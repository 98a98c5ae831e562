import type { JsonValue } from "../json.ts";
import type { Attributes, JsonPath } from "./attributes.ts";
import type { Condition, Predicate } from "./condition.ts";
import { GLOB_TEXT_LENGTH_MAX } from "./glob.ts";

/** Attributes that are kept of one request; what rules look at beyond them is explained as missing. */
const KEPT_MAX = 64;

/** Longer texts are cut: the one more keeps `matches` from being made on them. */
const KEPT_LENGTH_MAX = GLOB_TEXT_LENGTH_MAX + 1;

/** What some conditions look at, each thing once. */
export interface LookedAt {
  readonly headers: readonly string[];
  readonly queries: readonly string[];
  readonly cookies: readonly string[];
  readonly paths: readonly JsonPath[];
}

/** @returns what the conditions look at, at most 64 things. */
export function lookedAtBy(conditions: readonly Condition[]): LookedAt {
  const headers = new Set<string>();
  const queries = new Set<string>();
  const cookies = new Set<string>();
  const paths = new Map<string, JsonPath>();
  for (const predicate of conditions.flatMap((condition) => [...predicatesIn(condition)])) {
    if (headers.size + queries.size + cookies.size + paths.size >= KEPT_MAX) break;
    if (predicate.kind === "header") headers.add(predicate.name);
    if (predicate.kind === "query") queries.add(predicate.name);
    if (predicate.kind === "cookie") cookies.add(predicate.name);
    if (predicate.kind === "country") headers.add(predicate.header);
    if (predicate.kind === "area") headers.add(predicate.latHeader).add(predicate.lonHeader);
    if (predicate.kind === "body") paths.set(keyOf(predicate.path), predicate.path);
  }
  return {
    headers: [...headers],
    queries: [...queries],
    cookies: [...cookies],
    paths: [...paths.values()],
  };
}

/** The predicates of a condition, in their order. */
export function* predicatesIn(condition: Condition): Iterable<Predicate> {
  switch (condition.kind) {
    case "all":
    case "any":
      for (const part of condition.conditions) yield* predicatesIn(part);
      return;
    case "not":
      yield* predicatesIn(condition.condition);
      return;
    default:
      yield condition;
  }
}

/** Attributes that outlive their request: they hold a few values, and nothing else of it. */
export class KeptAttributes implements Attributes {
  readonly method: string;
  readonly path: string;
  readonly caller: string | undefined;
  readonly unit: string;
  readonly #headers: Readonly<Record<string, string | undefined>>;
  readonly #queries: Readonly<Record<string, string | undefined>>;
  readonly #cookies: Readonly<Record<string, string | undefined>>;
  readonly #body: Readonly<Record<string, JsonValue | undefined>>;

  constructor(source: Attributes, { headers, queries, cookies, paths }: LookedAt) {
    this.method = source.method;
    this.path = source.path;
    this.caller = source.caller;
    this.unit = source.unit;
    this.#headers = valuesOf(headers, (name) => source.header(name));
    this.#queries = valuesOf(queries, (name) => source.query(name));
    this.#cookies = valuesOf(cookies, (name) => source.cookie(name));
    const values = paths.map((path) => [keyOf(path), small(source.body(path))] as const);
    this.#body = Object.fromEntries(values);
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  query(name: string): string | undefined {
    return this.#queries[name];
  }

  cookie(name: string): string | undefined {
    return this.#cookies[name];
  }

  body(path: JsonPath): JsonValue | undefined {
    return this.#body[keyOf(path)];
  }
}

function valuesOf(
  names: readonly string[],
  read: (name: string) => string | undefined,
): Readonly<Record<string, string | undefined>> {
  const values: Record<string, string | undefined> = Object.create(null) as Record<string, string>;
  for (const name of names) values[name] = read(name);
  return values;
}

/** As much of a value as any test looks at, and no part of the memory of what it was read from. */
function small(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? [] : {};
  if (typeof value !== "string" || value.length <= KEPT_LENGTH_MAX) return value;
  return JSON.parse(JSON.stringify(value.slice(0, KEPT_LENGTH_MAX))) as string;
}

function keyOf(path: JsonPath): string {
  return path.join("\0");
}
