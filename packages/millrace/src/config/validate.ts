import type { z } from "zod";
import { isPlainObject, valueAt } from "./config-tree.ts";
import type { ConfigTree, PlainObject } from "./config-tree.ts";
import { describeFinding } from "./describe-finding.ts";
import type { Finding } from "./describe-finding.ts";
import type { SchemaNode } from "./json-schema.ts";
import type { ConfigProblem } from "./problem.ts";
import { configSchema } from "./schema.ts";
import type { ConfigOutput } from "./schema.ts";
import { nodeAt, tellingKeysOf } from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";

/** Rounds of leaving out what is wrong; one round finds nearly all, nested forms may need a few. */
const ROUNDS_MAX = 10;

export interface Validated {
  /** What the schema makes of the right parts; undefined when nothing is left. */
  readonly output: ConfigOutput | undefined;
  readonly problems: readonly ConfigProblem[];
}

type Issue = z.core.$ZodIssue;

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
    if (round === 0)
      problems.push(...findings.map((finding) => describeFinding(finding, tree, root)));
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
