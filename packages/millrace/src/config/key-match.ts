import type { ConfigTree } from "./config-tree.ts";
import type { SchemaNode } from "./json-schema.ts";
import { mapValueOf, propertiesOf } from "./schema-node.ts";

/** How paths are written in one place: environment variables or flags. */
export interface Spelling {
  readonly prefix: string;
  readonly separator: string;
  /** Ways to write a key of the schema; the first one is shown. */
  readonly keyForms: (key: string) => readonly string[];
  /** How to write a name that the user chose. */
  readonly nameForm: (name: string) => string;
  /** May a text name a model, a service, … that nobody has named yet? */
  readonly allowsNewNames: boolean;
}

/** `MILLRACE_SERVER_HTTP_PORT`: upper snake case; in names, whatever is not a letter or digit is `_`. */
export const ENVIRONMENT: Spelling = {
  prefix: "MILLRACE_",
  separator: "_",
  keyForms: (key) => [key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()],
  nameForm: (name) => name.replace(/[^A-Za-z0-9]/g, "_").toUpperCase(),
  allowsNewNames: false,
};

/** `--server.http-port` or `--server.httpPort`; names as they are. */
export const FLAGS: Spelling = {
  prefix: "--",
  separator: ".",
  keyForms: (key) => [key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), key],
  nameForm: (name) => name,
  allowsNewNames: true,
};

/**
 * Paths that `text` (without prefix) can mean, in the schema `root` and among the names in `tree`. More than one
 * when names make it ambiguous: models `a-b` and `a_b` are both `A_B`.
 */
export function matchPaths(
  text: string,
  spelling: Spelling,
  root: SchemaNode,
  tree: ConfigTree,
): readonly (readonly string[])[] {
  const match = (rest: string, node: SchemaNode, path: readonly string[]): string[][] =>
    childrenOf(rest, spelling, node, tree.namesAt(path)).flatMap(({ form, segment, child }) => {
      const childPath = [...path, segment];
      const start = form + spelling.separator;
      if (rest === form) return [childPath];
      return rest.startsWith(start) ? match(rest.slice(start.length), child, childPath) : [];
    });
  return match(text, root, []);
}

interface Child {
  readonly form: string;
  readonly segment: string;
  readonly child: SchemaNode;
}

function childrenOf(
  rest: string,
  spelling: Spelling,
  node: SchemaNode,
  names: readonly string[],
): readonly Child[] {
  const keys = propertiesOf(node).flatMap(([segment, child]) =>
    [...new Set(spelling.keyForms(segment))].map((form) => ({ form, segment, child })),
  );
  const child = mapValueOf(node);
  if (child === undefined) return keys;
  const known = names
    .map((segment) => ({ form: spelling.nameForm(segment), segment, child }))
    .filter(({ form }) => rest === form || rest.startsWith(form + spelling.separator));
  if (known.length > 0 || !spelling.allowsNewNames) return [...keys, ...known];
  const segment = rest.split(spelling.separator)[0] ?? "";
  const isName = segment !== "" && segment !== "__proto__";
  return isName ? [...keys, { form: segment, segment, child }] : keys;
}
