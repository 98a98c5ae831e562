import { isPlainObject } from "./config-tree.ts";
import type { ConfigTree, Origin } from "./config-tree.ts";
import type { SchemaNode } from "./json-schema.ts";
import { findLiveKey } from "./live-key.ts";
import { createProblem } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { mapValueOf, nodeAt, pathText } from "./schema-node.ts";

/** A value that was set while Millrace runs; it wins over flags, environment and file. */
export interface LiveOverride {
  /** Path of a live key: `services.iris.parameters.activate`. */
  readonly path: string;
  /** As the file would have it, JSON. */
  readonly value: unknown;
  /** Version of the change that set it, from 1. */
  readonly version: number;
}

/**
 * Sets the values over those in `tree`, the oldest first, and of one version a whole before its parts; what cannot be
 * set is left out and reported.
 */
export function applyOverrides(
  tree: ConfigTree,
  root: SchemaNode,
  overrides: readonly LiveOverride[],
): readonly ConfigProblem[] {
  const ordered = overrides.toSorted((a, b) => a.version - b.version || (a.path < b.path ? -1 : 1));
  return ordered.flatMap(({ path: text, value, version }) => {
    const origin: Origin = { kind: "override", version };
    const key = findLiveKey(text, root, tree);
    if (key.kind === "unknown") return [createProblem(origin, [text], key.message)];
    const { path } = key;
    const blocking = findBlocking(tree, root, path);
    if (blocking !== undefined) {
      const found = JSON.stringify(tree.get(blocking));
      const message = `${pathText(blocking)} is ${found}, a single value: set it as a whole`;
      return [createProblem(origin, path, message)];
    }
    tree.set(path, value, origin);
    return [];
  });
}

/** What stands on the way to `path` and is no object; a bare value is first written as what it is short for. */
function findBlocking(
  tree: ConfigTree,
  root: SchemaNode,
  path: readonly string[],
): readonly string[] | undefined {
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth);
    const node = nodeAt(root, parent) ?? {};
    if (node.shortFor !== undefined) tree.widen(parent, node.shortFor);
    const value = tree.get(parent);
    if (value === undefined || isPlainObject(value)) continue;
    // `activate: true` says nothing of any branch: it gives way to what is said of one.
    if (value !== true || mapValueOf(node) === undefined) return parent;
  }
  return undefined;
}
