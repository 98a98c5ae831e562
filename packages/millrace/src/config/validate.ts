import type { z } from "zod";
import { isPlainObject, valueAt } from "./config-tree.ts";
import type { ConfigTree, PlainObject } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { SchemaNode } from "./json-schema.ts";
import { createProblem, shownValue } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { configSchema } from "./schema.ts";
import type { ConfigOutput } from "./schema.ts";
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
import type { ConfigPath } from "./schema-node.ts";

/** Rounds of leaving out what is wrong; one round finds nearly all, nested forms may need a few. */
const ROUNDS_MAX = 10;

export interface Validated {
  /** What the schema makes of the right parts; undefined when nothing is left. */
  readonly output: ConfigOutput | undefined;
  readonly problems: readonly ConfigProblem[];
}

type Issue = z.core.$ZodIssue;

/** One thing the schema refuses, with unions taken apart. */
interface Finding {
  readonly kind: "unknown" | "name" | "value" | "range" | "rule" | "form";
  readonly path: ConfigPath;
  /** Of a rule: what it says. */
  readonly message: string;
}

/**
 * Checks the tree against the schema. What is wrong is reported and left out, so that references and files of
 * the rest can be checked as well and every problem comes at once.
 */
export function validate(tree: ConfigTree, root: SchemaNode): Validated {
  const values = structuredClone(tree.values);
  const problems: ConfigProblem[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const result = configSchema.safeParse(values);
    if (result.success) return { output: result.data, problems };
    const findings = result.error.issues.flatMap((issue) =>
      findingsOf(issue, [], { values, root }),
    );
    // Only the first round sees what was written; later ones see what leaving out has made of it.
    if (round === 0) problems.push(...findings.map((finding) => describe(finding, tree, root)));
    const wrong = findings.map(({ path }) => removable(values, path));
    for (const path of wrong) remove(values, path);
  }
  return { output: undefined, problems };
}

/** What the schema was asked about. */
interface Checked {
  readonly values: PlainObject;
  readonly root: SchemaNode;
}

function findingsOf(issue: Issue, prefix: ConfigPath, checked: Checked): readonly Finding[] {
  const path = [...prefix, ...issue.path.map((segment) => segment as string | number)];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ kind: "unknown", path: [...path, key], message: "" }));
    case "invalid_key":
      return [{ kind: "name", path, message: "" }];
    case "invalid_union":
      return unionFindings(issue, path, checked);
    case "custom": {
      const isRule = issue.message !== "Invalid input";
      return [{ kind: isRule ? "rule" : "range", path, message: issue.message }];
    }
    default:
      return [{ kind: "value", path, message: "" }];
  }
}

type UnionIssue = z.core.$ZodIssueInvalidUnion;

/** What is wrong in the form that the value has; where it has none or several of them, only that. */
function unionFindings(issue: UnionIssue, path: ConfigPath, checked: Checked): readonly Finding[] {
  const { values, root } = checked;
  const value = valueAt(values, path);
  const tellingKeys = tellingKeysOf(nodeAt(root, path, values) ?? {}, root);
  let forms = formsIn(issue).filter((issues) => !issues.some(isOtherForm));
  if (tellingKeys.length > 0 && isPlainObject(value)) {
    const [key, ...others] = tellingKeys.filter((one) => Object.hasOwn(value, one));
    if (key === undefined || others.length > 0) return [{ kind: "form", path, message: "" }];
    forms = forms.filter((issues) => !issues.some((inner) => isUnknownIn(inner, key)));
  }
  const [form, ...others] = forms;
  if (form === undefined || others.length > 0) return [{ kind: "value", path, message: "" }];
  return form.flatMap((inner) => findingsOf(inner, path, checked));
}

/** The issues of each form, those of a choice inside the choice too. */
function formsIn(issue: UnionIssue): readonly (readonly Issue[])[] {
  return issue.errors.flatMap((issues) => {
    const [only, second] = issues;
    const isChoice =
      second === undefined && only?.code === "invalid_union" && only.path.length === 0;
    return isChoice ? formsIn(only) : [issues];
  });
}

function isUnknownIn(issue: Issue, key: string): boolean {
  return issue.code === "unrecognized_keys" && issue.path.length === 0 && issue.keys.includes(key);
}

/** Does the issue say that the value is not of this branch's form at all? */
function isOtherForm(issue: Issue): boolean {
  const codes: readonly string[] = ["invalid_type", "invalid_value", "invalid_format"];
  return issue.path.length === 0 && codes.includes(issue.code);
}

function describe(finding: Finding, tree: ConfigTree, root: SchemaNode): ConfigProblem {
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

/** The value to leave out for a problem at `path`; for one that is missing, what it is missing in. */
function removable(values: PlainObject, path: ConfigPath): ConfigPath {
  // A list is left out whole: removing one item would move the others.
  const index = path.findIndex((segment) => typeof segment === "number");
  let target = index === -1 ? path : path.slice(0, index);
  while (target.length > 1 && valueAt(values, target) === undefined) target = target.slice(0, -1);
  return target;
}

function remove(values: PlainObject, path: ConfigPath): void {
  const parent = valueAt(values, path.slice(0, -1));
  if (isPlainObject(parent)) delete parent[path.at(-1) ?? ""];
}
