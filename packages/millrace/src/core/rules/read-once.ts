import type { JsonValue } from "../json.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes, JsonPath } from "./attributes.ts";

/** What was read, by name; null: there is none. */
type Known = Map<string, string | null>;

/**
 * The attributes of one request, each header, parameter and cookie asked for once: a thousand rules may look at the
 * same one, and a front end may have to search for it.
 */
export class ReadOnce implements Attributes {
  readonly #source: Attributes;
  #headers: Known | undefined;
  #queries: Known | undefined;
  #cookies: Known | undefined;

  constructor(source: Attributes) {
    this.#source = source;
  }

  get method(): string {
    return this.#source.method;
  }

  get path(): string {
    return this.#source.path;
  }

  get caller(): string | undefined {
    return this.#source.caller;
  }

  get unit(): string {
    return this.#source.unit;
  }

  header(name: string): string | undefined {
    this.#headers ??= new Map();
    const known = this.#headers.get(name);
    return known === undefined
      ? keep(this.#headers, name, this.#source.header(name))
      : (known ?? undefined);
  }

  query(name: string): string | undefined {
    this.#queries ??= new Map();
    const known = this.#queries.get(name);
    return known === undefined
      ? keep(this.#queries, name, this.#source.query(name))
      : (known ?? undefined);
  }

  cookie(name: string): string | undefined {
    this.#cookies ??= new Map();
    const known = this.#cookies.get(name);
    return known === undefined
      ? keep(this.#cookies, name, this.#source.cookie(name))
      : (known ?? undefined);
  }

  body(path: JsonPath): JsonValue | undefined {
    return this.#source.body(path);
  }

  input(name: string): Tensor | undefined {
    return this.#source.input?.(name);
  }
}

function keep(known: Known, name: string, value: string | undefined): string | undefined {
  known.set(name, value ?? null);
  return value;
}
