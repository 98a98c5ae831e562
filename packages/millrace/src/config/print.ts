import type { Config } from "./config.ts";
import { isPlainObject } from "./config-tree.ts";
import type { ConfigTree, Origin } from "./config-tree.ts";
import { configJsonSchema } from "./json-schema.ts";
import type { LoadResult } from "./load.ts";
import { findLiveKey, liveKeys } from "./live-key.ts";
import { listKeys } from "./paths.ts";
import type { ConfigKey } from "./paths.ts";
import { originText, withoutUserInfo } from "./problem.ts";
import type { ConfigPath } from "./config-path.ts";
import { holdsSecret, isWordOrObject, nodeAt } from "./schema-node.ts";
import type { SchemaNode } from "./json-schema.ts";

/** A loaded configuration. */
export type LoadedConfig = Extract<LoadResult, { readonly kind: "ok" }>;

/** One effective value, as it was written; a secret is `(secret)`. */
export interface ConfigRow {
  readonly path: string;
  readonly value: unknown;
  /** `flag --port`, `environment MILLRACE_SERVER_HTTP_PORT`, `file millrace.yaml:3:5`, `default`. */
  readonly source: string;
}

/** Every key that has a value, in the schema's order. */
export function configRows(loaded: LoadedConfig): readonly ConfigRow[] {
  const root = configJsonSchema();
  const keys = listKeys(root, (path) => loaded.tree.namesAt(path));
  return keys.flatMap((key) => {
    const value = effectiveValue(key, loaded, root);
    if (value === undefined || key.flag === undefined) return [];
    return [{ path: key.text, value, source: sourceText(loaded.tree.originOf(key.path)) }];
  });
}

/** A live key with the value in force; undefined when `text` names none. */
export function liveRow(loaded: LoadedConfig, text: string): ConfigRow | undefined {
  const root = configJsonSchema();
  const key = findLiveKey(text, root, loaded.tree);
  if (key.kind === "unknown") return undefined;
  const written = loaded.tree.get(key.path);
  const value =
    written === undefined
      ? key.node.default
      : withoutSecrets(written, key.path, { tree: loaded.tree, root });
  return { path: text, value, source: sourceText(loaded.tree.originOf(key.path)) };
}

/** Every live key with the value in force, in the schema's order; undefined where there is none. */
export function liveRows(loaded: LoadedConfig): readonly ConfigRow[] {
  return liveKeys(configJsonSchema(), loaded.tree).flatMap((path) => liveRow(loaded, path) ?? []);
}

/** Rows as an aligned table, one a line. */
export function printConfigText(loaded: LoadedConfig): string {
  const rows = configRows(loaded).map(({ path, value, source }) => ({
    path,
    value: typeof value === "string" ? value : JSON.stringify(value),
    source,
  }));
  const pathWidth = Math.max(...rows.map((row) => row.path.length));
  const valueWidth = Math.min(60, Math.max(...rows.map((row) => row.value.length)));
  const lines = rows.map(
    ({ path, value, source }) =>
      `${path.padEnd(pathWidth)}  ${value.padEnd(valueWidth)}  ${source}\n`,
  );
  return lines.join("");
}

/** Rows as a JSON array. */
export function printConfigJson(loaded: LoadedConfig): string {
  return `${JSON.stringify(configRows(loaded), undefined, 2)}\n`;
}

function effectiveValue(key: ConfigKey, loaded: LoadedConfig, root: SchemaNode): unknown {
  const { tree } = loaded;
  const written = tree.get(key.path);
  // The keys of the object have rows of their own; where a word stands instead of it, they have no values.
  if (isWordOrObject(key.node) && isPlainObject(written ?? key.node.default ?? {}))
    return undefined;
  if (!isPlainObject(tree.get(key.path.slice(0, -1)) ?? {})) return undefined;
  if (written !== undefined) return withoutSecrets(written, key.path, { tree, root });
  const { optionalIn } = key;
  if (optionalIn !== undefined && tree.get(optionalIn) === undefined) return undefined;
  return key.node.default ?? computedDefault(key.path, loaded.config);
}

/** Defaults that follow from the rest and so are not in the schema. */
function computedDefault(path: readonly string[], config: Config): unknown {
  const [top, name = "", key] = path;
  if (top === "name") return config.name;
  if (top !== "services") return undefined;
  if (key === "default") return config.services[name]?.isDefault;
  return key === "graph" ? name : undefined;
}

/** A copy that may be shown: secrets are left out, and a text with `${NAME}` is shown with it. */
function withoutSecrets(
  value: unknown,
  path: ConfigPath,
  context: { readonly tree: ConfigTree; readonly root: SchemaNode },
): unknown {
  const isContainer = typeof value === "object" && value !== null;
  const node = nodeAt(context.root, path, context.tree.values);
  if (node !== undefined && holdsSecret(node) && !isContainer) return "(secret)";
  const template = context.tree.templateOf(path);
  if (template !== undefined) return template;
  if (Array.isArray(value)) {
    return value.map((item, index) => withoutSecrets(item, [...path, index], context));
  }
  if (!isPlainObject(value)) return withoutUserInfo(value);
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, item]) => [name, withoutSecrets(item, [...path, name], context)]),
  );
}

function sourceText(origin: Origin): string {
  if (origin.kind !== "file") return originText(origin);
  return origin.file === undefined ? "input" : `file ${originText(origin)}`;
}
