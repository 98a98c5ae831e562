import type { ConfigTree } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { SchemaNode } from "./json-schema.ts";
import { createProblem, shownValue } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import {
  branches,
  expectedText,
  formsOf,
  isToldBy,
  nodeAt,
  rangeText,
  tellingKeysOf,
  wordsOf,
} from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";

/** One thing the schema refuses, with unions taken apart. */
export interface Finding {
  readonly kind: "unknown" | "name" | "value" | "range" | "rule" | "form";
  readonly path: ConfigPath;
  /** Of a rule: what it says. */
  readonly message: string;
}

/** The problem that a person reads: where, what was found, what is allowed. */
export function describeFinding(
  finding: Finding,
  tree: ConfigTree,
  root: SchemaNode,
): ConfigProblem {
  const { kind, path, message } = finding;
  const last = String(path.at(-1));
  const node = nodeAt(root, path, tree.values) ?? {};
  switch (kind) {
    case "unknown": {
      const known = knownKeys(path.slice(0, -1), tree, root);
      const allowed = known.join(", ");
      return createProblem(
        tree.placeOf(path, "key"),
        path,
        `unknown key "${last}"; known keys: ${allowed}`,
        { allowed, didYouMean: didYouMean(last, known) },
      );
    }
    case "name": {
      const map = branches(nodeAt(root, path.slice(0, -1)) ?? {});
      const names = map.find((branch) => branch.propertyNames !== undefined)?.propertyNames;
      const allowed = expectedText(names ?? {});
      const text = `found the name ${JSON.stringify(last)}, expected ${allowed}`;
      return createProblem(tree.placeOf(path, "key"), path, text, { allowed });
    }
    case "rule":
      return createProblem(tree.placeOf(path, "value"), path, message);
    case "range": {
      const allowed = rangeText(node) ?? expectedText(node);
      const text = `found ${shownValue(root, tree, path)}, expected ${allowed}`;
      return createProblem(tree.placeOf(path, "value"), path, text, { allowed });
    }
    case "value":
      return describeValue(path, node, tree, root);
    case "form":
      return describeForm(path, node, tree, root);
  }
}

/** Keys that the object at `path` may have, in the form it has. */
function knownKeys(path: ConfigPath, tree: ConfigTree, root: SchemaNode): readonly string[] {
  const value = tree.get(path);
  const node = nodeAt(root, path, tree.values) ?? {};
  const forms = formsOf(node, root);
  const told = forms.filter((form) => isToldBy(form, value));
  return (told.length > 0 ? told : forms).flatMap((form) => Object.keys(form.properties ?? {}));
}

/** About an object that is told by its keys to be nothing, or several things at once. */
function describeForm(
  path: ConfigPath,
  node: SchemaNode,
  tree: ConfigTree,
  root: SchemaNode,
): ConfigProblem {
  const allowed = expectedText(node);
  const telling = tellingKeysOf(node, root);
  const keys = tree.namesAt(path);
  const told = keys.filter((key) => telling.includes(key));
  const place = tree.placeOf(path, "value");
  if (told.length > 0) {
    const text = `found ${told.join(" and ")} in one object, expected only one of them`;
    return createProblem(place, path, text, { allowed });
  }
  const later = keys.find((key) => node.later?.includes(key) === true);
  if (later !== undefined) {
    const text = `found ${later}, which is not in this version, expected ${allowed}`;
    return createProblem(tree.placeOf([...path, later], "key"), path, text, { allowed });
  }
  const found = keys.length === 0 ? "an empty object" : `an object with ${keys.join(", ")}`;
  const nearest = keys.map((key) => didYouMean(key, telling)).find((key) => key !== undefined);
  const text = `found ${found}, expected ${allowed}`;
  return createProblem(place, path, text, { allowed, didYouMean: nearest });
}

function describeValue(
  path: ConfigPath,
  node: SchemaNode,
  tree: ConfigTree,
  root: SchemaNode,
): ConfigProblem {
  const value = tree.get(path);
  const allowed = expectedText(node);
  const place = tree.placeOf(path, "value");
  if (value === undefined)
    return createProblem(place, path, `missing, expected ${allowed}`, { allowed });
  const isLater = typeof value === "string" && node.later?.includes(value) === true;
  const found = `found ${shownValue(root, tree, path)}${isLater ? ", which is not in this version" : ""}`;
  const message = `${found}, expected ${allowed}${unitHint(value, node)}`;
  const isOpen = typeof value === "string" && tree.templateOf(path) === undefined;
  const nearest = isOpen ? didYouMean(value, wordsOf(node)) : undefined;
  return createProblem(place, path, message, { allowed, didYouMean: nearest });
}

/** `(30s?)` after a number that lacks its unit. */
function unitHint(value: unknown, node: SchemaNode): string {
  const isNumber = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  const kind = node.kind ?? branches(node).find((branch) => branch.kind !== undefined)?.kind;
  if (!isNumber || kind === undefined) return "";
  if (kind === "duration") return ` (${value}s?)`;
  if (kind === "rate") return ` (${value}/s?)`;
  if (kind === "share") return ` (${value}%?)`;
  if (kind !== "size") return "";
  return ` (${value}${Number(value) < 1024 ? "MiB" : "B"}?)`;
}
