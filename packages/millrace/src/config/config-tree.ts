import type { ConfigPath } from "./config-path.ts";

/** Where a value was written. */
export type Origin =
  | {
      readonly kind: "file";
      /** As shown to a person; undefined for an object that was passed in. */
      readonly file: string | undefined;
      /** From 1; undefined where the file has no lines to point at (`millrace.config.ts`). */
      readonly position: Position | undefined;
    }
  | {
      readonly kind: "environment";
      readonly variable: string;
      /** The .env file it was read from; undefined for the environment of the process. */
      readonly file: string | undefined;
    }
  | { readonly kind: "flag"; readonly flag: string }
  /** A model file named on the command line: `millrace serve iris.onnx`. */
  | { readonly kind: "argument"; readonly argument: string }
  /** Set while Millrace runs: `millrace set`. */
  | { readonly kind: "override"; readonly version: number }
  | { readonly kind: "default" };

export interface Position {
  readonly line: number;
  readonly column: number;
}

export type PlainObject = Record<string, unknown>;

/** What was read from a file or passed in as an object, before environment and flags. */
export interface Written {
  readonly file: string | undefined;
  readonly values: PlainObject;
  /** Where the key or the value at `path` stands; undefined when it does not stand in the file. */
  readonly positionOf: (path: ConfigPath, part: "key" | "value") => Position | undefined;
  /** Texts with `${NAME}` in them, as written, by `pathKey`. */
  readonly templates: ReadonlyMap<string, string>;
}

/**
 * The configuration as it was written: the file's values with those of environment and flags set over them,
 * before the schema saw any. Knows for each path who wrote it.
 */
export class ConfigTree {
  readonly values: PlainObject;
  readonly #written: Written;
  readonly #overrides = new Map<string, { readonly path: ConfigPath; readonly origin: Origin }>();

  constructor(written: Written) {
    this.#written = written;
    this.values = structuredClone(written.values);
  }

  get(path: ConfigPath): unknown {
    return valueAt(this.values, path);
  }

  /** Keys of the object at `path`; none when there is no object. */
  namesAt(path: ConfigPath): readonly string[] {
    const value = this.get(path);
    return isPlainObject(value) ? Object.keys(value) : [];
  }

  /** Sets a value over the one that is there; objects on the way are created. */
  set(path: ConfigPath, value: unknown, origin: Origin): void {
    let parent = this.values;
    for (const segment of path.slice(0, -1)) {
      const child = valueAt(parent, [segment]);
      const next = isPlainObject(child) ? child : {};
      parent[segment] = next;
      parent = next;
    }
    parent[path.at(-1) ?? ""] = value;
    this.#overrides.set(pathKey(path), { path, origin });
  }

  /** Writes the bare value at `path` as the object it is short for: `a.onnx` becomes `{ source: a.onnx }`. */
  widen(path: ConfigPath, key: string): void {
    const value = this.get(path);
    const parent = this.get(path.slice(0, -1));
    if (value === undefined || typeof value === "object" || !isPlainObject(parent)) return;
    parent[path.at(-1) ?? ""] = { [key]: value };
  }

  /** Puts an empty object at `path` when nothing is there and its parent can hold it; nobody wrote it. */
  addObject(path: ConfigPath): void {
    if (this.get(path) !== undefined) return;
    const parentPath = path.slice(0, -1);
    if (this.get(parentPath) === undefined) this.addObject(parentPath);
    const parent = this.get(parentPath);
    if (isPlainObject(parent)) parent[path.at(-1) ?? ""] = {};
  }

  /** Who wrote the value at `path`. */
  originOf(path: ConfigPath): Origin {
    if (this.get(path) === undefined) return { kind: "default" };
    const isInFile = valueAt(this.#written.values, path) !== undefined;
    return (isInFile ? undefined : this.#originInside(path)) ?? this.placeOf(path, "value");
  }

  /** Where to point for `path`: where it was written, or what it is missing in. */
  placeOf(path: ConfigPath, part: "key" | "value"): Origin {
    const override = prefixes(path)
      .map((prefix) => this.#overrides.get(pathKey(prefix)))
      .find((found) => found !== undefined);
    if (override !== undefined) return override.origin;
    return { kind: "file", file: this.#written.file, position: this.#nearestPosition(path, part) };
  }

  /** Does `path` stand in the file, or was it set as a whole? */
  isDeclared(path: ConfigPath): boolean {
    return this.#overrides.has(pathKey(path)) || valueAt(this.#written.values, path) !== undefined;
  }

  /** The text with its `${NAME}` when the value at `path`, or the one it is in, came from the environment. */
  templateOf(path: ConfigPath): string | undefined {
    for (const prefix of prefixes(path)) {
      if (this.#overrides.has(pathKey(prefix))) return undefined;
      const template = this.#written.templates.get(pathKey(prefix));
      if (template !== undefined) return template;
    }
    return undefined;
  }

  /** Who set a part of the value at `path`, such as one level of a map of levels. */
  #originInside(path: ConfigPath): Origin | undefined {
    const parts = [...this.#overrides.values()].filter((override) =>
      path.every((segment, depth) => override.path[depth] === segment),
    );
    return parts.at(-1)?.origin;
  }

  #nearestPosition(path: ConfigPath, part: "key" | "value"): Position | undefined {
    const own = this.#written.positionOf(path, part);
    if (own !== undefined) return own;
    return prefixes(path)
      .map((prefix) => {
        // A bare value stands for the object that `path` is looked for in.
        const isBare = typeof valueAt(this.#written.values, prefix) !== "object";
        return this.#written.positionOf(prefix, isBare ? "value" : "key");
      })
      .find((position) => position !== undefined);
  }
}

export function pathKey(path: ConfigPath): string {
  return JSON.stringify(path.map(String));
}

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined when there is none. Looks at own keys only. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = (value as readonly unknown[])[Number(segment)];
    else if (isPlainObject(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return value;
}

/** The path itself, then what it is in, and so on outward; the root is left out. */
function prefixes(path: ConfigPath): readonly ConfigPath[] {
  return path.map((_, index) => path.slice(0, path.length - index));
}
