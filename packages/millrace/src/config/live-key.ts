import type { ConfigTree } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import { matchPaths } from "./key-match.ts";
import type { Spelling } from "./key-match.ts";
import type { SchemaNode } from "./json-schema.ts";
import { listKeys } from "./paths.ts";
import { mapValueOf, nodeAt, pathText } from "./schema-node.ts";

export type LiveKey =
  | { readonly kind: "live"; readonly path: readonly string[]; readonly node: SchemaNode }
  /** Not a key that changes while Millrace runs. */
  | { readonly kind: "unknown"; readonly message: string };

/** `services.iris.limits.queue`, as problems and `config print` write it. */
const DOTTED: Spelling = {
  prefix: "",
  separator: ".",
  keyForms: (key) => [key],
  nameForm: (name) => name,
  allowsNewNames: true,
};

/** Most keys a message lists. */
const SHOWN_KEYS_MAX = 3;

/**
 * The live key that `text` means among the names in `tree`: one the schema marks `live`, or a part of one. Parts of
 * lists are none: a list is set as a whole.
 */
export function findLiveKey(text: string, root: SchemaNode, tree: ConfigTree): LiveKey {
  const found = matchPaths(text, DOTTED, root, tree).filter((path) =>
    areNamesKnown(path, root, tree),
  );
  const [path, ...others] = found;
  if (others.length > 0) return unknown(`"${text}" is ambiguous, it can mean several keys`);
  if (path === undefined) return unknown(explainUnknown(text, root, tree));
  const absent = findAbsent(path, root, tree);
  if (absent !== undefined) return unknown(`no such key: there is no ${pathText(absent)}`);
  const node = nodeAt(root, path) ?? {};
  if (isLive(path, root)) return { kind: "live", path, node };
  const nearest = nearestLiveKeys(text, liveKeys(root, tree));
  const hint = nearest.length === 0 ? "" : `; the nearest live keys are ${nearest.join(", ")}`;
  return unknown(`not a live key: it changes with the file${hint}`);
}

/** Every live key, down to single values, in the schema's order. */
export function liveKeys(root: SchemaNode, tree: ConfigTree): readonly string[] {
  return listKeys(root, (path) => tree.namesAt(path))
    .filter((key) => key.flag !== undefined && isLive(key.path, root))
    .filter(({ optionalIn }) => optionalIn === undefined || tree.get(optionalIn) !== undefined)
    .map((key) => key.text);
}

/** Is the key, or one that it is a part of, marked? */
function isLive(path: readonly string[], root: SchemaNode): boolean {
  return path.some((_, index) => nodeAt(root, path.slice(0, index + 1))?.live === true);
}

/** The object around the key that the file leaves out, though a part of it alone is nothing: an experiment without arms. */
function findAbsent(
  path: readonly string[],
  root: SchemaNode,
  tree: ConfigTree,
): readonly string[] | undefined {
  const parents = path.map((_, index) => path.slice(0, index)).slice(1);
  return parents.find((parent) => {
    const hasRequired = (nodeAt(root, parent)?.required ?? []).length > 0;
    return hasRequired && tree.get(parent) === undefined;
  });
}

/** A part of a live key may be named anew, such as the threshold of a branch; a service may not. */
function areNamesKnown(path: readonly string[], root: SchemaNode, tree: ConfigTree): boolean {
  return path.every((name, index) => {
    const parent = path.slice(0, index);
    const isName = mapValueOf(nodeAt(root, parent) ?? {}) !== undefined;
    return !isName || isLive(parent, root) || tree.get([...parent, name]) !== undefined;
  });
}

function unknown(message: string): LiveKey {
  return { kind: "unknown", message };
}

function explainUnknown(text: string, root: SchemaNode, tree: ConfigTree): string {
  const keys = liveKeys(root, tree);
  const whole = keys.find((key) => text.startsWith(`${key}.`) || text.startsWith(`${key}[`));
  if (whole !== undefined) return `no such key: ${whole} is set as a whole`;
  const all = listKeys(root, (path) => tree.namesAt(path)).map((key) => key.text);
  const meant = didYouMean(text, all);
  if (meant !== undefined) return `no such key. Did you mean "${meant}"?`;
  const nearest = nearestLiveKeys(text, keys);
  return nearest.length === 0
    ? "no such key, and none of this configuration is live"
    : `no such key; the nearest live keys are ${nearest.join(", ")}`;
}

/** Those below it or beside it: with the most leading parts in common, in the schema's order. */
function nearestLiveKeys(text: string, keys: readonly string[]): readonly string[] {
  const parts = text.split(".");
  const scored = keys.map((key) => ({ key, common: commonParts(parts, key.split(".")) }));
  const most = Math.max(0, ...scored.map(({ common }) => common));
  return scored
    .filter(({ common }) => common === most)
    .slice(0, SHOWN_KEYS_MAX)
    .map(({ key }) => key);
}

function commonParts(one: readonly string[], other: readonly string[]): number {
  const differs = one.findIndex((part, index) => part !== other[index]);
  return differs === -1 ? one.length : differs;
}
