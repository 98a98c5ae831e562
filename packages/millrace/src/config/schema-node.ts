import type { ConfigPath } from "./config-path.ts";
import { DURATION_UNITS } from "./duration.ts";
import { RATE_UNITS } from "./rate.ts";
import type { SchemaNode } from "./json-schema.ts";
import { isPlainObject, valueAt } from "./config-tree.ts";
import type { PlainObject } from "./config-tree.ts";
import type { Kind } from "./schema-values.ts";
import { SIZE_UNITS } from "./size.ts";

/** What a text of a kind is called in problems. */
const KINDS: Readonly<Record<Kind, string>> = {
  duration: `a duration with its unit: ${DURATION_UNITS}`,
  size: `a size with its unit: ${SIZE_UNITS}`,
  share: "a percentage 0% to 100% or a ratio 0 to 1",
  rate: `a rate with its unit: ${RATE_UNITS}`,
  name: `a name: letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 128, not "stats"`,
  path: "a path",
  codeFile: "the path of a .ts, .mts, .js or .mjs file",
  source: "a path or an https:// address",
  sha256: "64 hexadecimal digits",
  secret: "visible ASCII characters without spaces",
  condition:
    "a condition: an object with header, query, cookie, body, input, method, path, caller, percent, time, place, all, any or not",
  step: "a step: the name of a model or service, or an object with one of sequence, parallel, switch, image, function, load, remote, softmax, top",
  onError: "fail, skip or a step",
  address: "an http:// or https:// address",
  headerText: "visible ASCII characters, blanks and tabs",
};

/** `services.iris.timeout`, `server.auth.keys[0].secret`. */
export function pathText(path: ConfigPath): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    return text === "" ? segment : `${text}.${segment}`;
  }, "");
}

/**
 * The schema of the value at `path`; undefined where there is no such key.
 *
 * @param values tell which of several objects is meant where only a key in them tells; without them it is the first
 *   that can have the next key.
 */
export function nodeAt(
  root: SchemaNode,
  path: ConfigPath,
  values?: PlainObject,
): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let value: unknown = values;
  for (const segment of path) {
    const forms = formsOf(node, root);
    const told = forms.filter((form) => isToldBy(form, value));
    node = (told.length > 0 ? told : forms)
      .map((form) => childOf(form, segment))
      .find((child) => child !== undefined);
    if (node === undefined) return undefined;
    node = withDefinition(node, root);
    value = valueAt(value, [segment]);
  }
  return node;
}

/** Keys of which an object at the node has exactly one; empty where objects are not told apart so. */
export function tellingKeysOf(node: SchemaNode, root: SchemaNode): readonly string[] {
  return formsOf(node, root).flatMap(({ tellingKey }) => tellingKey ?? []);
}

/** What the node is a choice of, however the choices are nested. */
export function formsOf(node: SchemaNode, root: SchemaNode): readonly SchemaNode[] {
  const whole = withDefinition(node, root);
  return whole.anyOf?.flatMap((form) => formsOf(form, root)) ?? [whole];
}

/** Has the value the key that only this form has? */
export function isToldBy({ tellingKey }: SchemaNode, value: unknown): boolean {
  return tellingKey !== undefined && isPlainObject(value) && Object.hasOwn(value, tellingKey);
}

/** The node itself, or what it is a choice of. */
export function branches(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node];
}

/** Known keys of an object; empty for anything else. */
export function propertiesOf(node: SchemaNode): readonly (readonly [string, SchemaNode])[] {
  return branches(node).flatMap((branch) => Object.entries(branch.properties ?? {}));
}

/** Is the value words or one object: `off` or `{ rowsMax, … }`? Then it has a row of its own, and its keys have theirs. */
export function isWordOrObject(node: SchemaNode): boolean {
  const objects = branches(node).filter((branch) => branch.properties !== undefined);
  const words = branches(node).filter((branch) => wordsOf(branch).length > 0);
  return objects.length === 1 && words.length > 0 && words.length + 1 === branches(node).length;
}

/** The schema of a map's values; undefined when the node is not a map. */
export function mapValueOf(node: SchemaNode): SchemaNode | undefined {
  const map = branches(node).find((branch) => isMap(branch));
  return map?.additionalProperties === false ? undefined : map?.additionalProperties;
}

/** May a value at the node be, or contain, a secret? */
export function holdsSecret(node: SchemaNode): boolean {
  if (node.secret === true) return true;
  const item = node.items === false ? undefined : node.items;
  const children = [
    ...(node.anyOf ?? []),
    ...Object.values(node.properties ?? {}),
    ...(item === undefined ? [] : [item]),
  ];
  // A text where one of several objects may stand is no part of one.
  return children.some((child) => child.tellingKey === undefined && holdsSecret(child));
}

/** Words a value at the node may be. */
export function wordsOf(node: SchemaNode): readonly string[] {
  // A number such as 503 may stand there as a text too.
  const words = branches(node).flatMap((branch) => branch.enum ?? branch.const ?? []);
  return [...new Set(words.map(String))];
}

/** What is allowed at a node, in words: `a whole number 1 to 256 or auto`. */
export function expectedText(node: SchemaNode): string {
  if (node.kind !== undefined) return KINDS[node.kind];
  if (node.anyOf !== undefined) {
    return choiceText(node.anyOf.flatMap((branch) => textsOf(branch)));
  }
  const words = wordsOf(node);
  if (words.length > 0) return choiceText(words);
  // A text whose form has words of its own, such as `@<JSON file>`.
  if (node.range !== undefined) return node.range;
  const range = numberRange(node);
  return range === undefined ? typeText(node) : `${typeText(node)} ${range}`;
}

/** Bounds of a node in words, `1 to 256`; undefined when it has none. */
export function rangeText(node: SchemaNode): string | undefined {
  if (node.range !== undefined) return node.range;
  const bounded = branches(node).find(
    (branch) => (branch.range ?? numberRange(branch)) !== undefined,
  );
  return bounded === undefined ? undefined : (bounded.range ?? numberRange(bounded));
}

/**
 * A node that may contain itself is written once and referred to, maybe by way of another reference; what is said beside
 * the reference goes first.
 */
function withDefinition(node: SchemaNode, root: SchemaNode): SchemaNode {
  const name = node.$ref?.replace("#/$defs/", "");
  const definition = name === undefined ? undefined : root.$defs?.[name];
  return definition === undefined ? node : { ...withDefinition(definition, root), ...node };
}

function childOf(node: SchemaNode, segment: string | number): SchemaNode | undefined {
  if (typeof segment === "number") {
    return node.prefixItems?.[segment] ?? (node.items === false ? undefined : node.items);
  }
  if (node.properties !== undefined && Object.hasOwn(node.properties, segment)) {
    return node.properties[segment];
  }
  return node.additionalProperties === false ? undefined : node.additionalProperties;
}

function isMap(node: SchemaNode): boolean {
  return node.additionalProperties !== undefined && node.additionalProperties !== false;
}

function typeText(node: SchemaNode): string {
  switch (node.type) {
    case "string":
      return "text";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "array": {
      if (node.prefixItems !== undefined) return `a list of ${node.prefixItems.length} numbers`;
      const item = node.items === false || node.items === undefined ? {} : node.items;
      return Object.keys(item).length === 0 ? "a list" : `a list of: ${itemText(item)}`;
    }
    case "object":
      return isMap(node)
        ? "an object"
        : `an object with ${Object.keys(node.properties ?? {}).join(", ")}`;
    default:
      return "any value";
  }
}

function textsOf(branch: SchemaNode): readonly string[] {
  const words = wordsOf(branch);
  return words.length > 0 ? words : [expectedText(branch)];
}

/** `a, b or c`. */
function choiceText(texts: readonly string[]): string {
  return [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter(Boolean).join(" or ");
}

function itemText(item: SchemaNode): string {
  return item.type === "object"
    ? `objects with ${Object.keys(item.properties ?? {}).join(", ")}`
    : expectedText(item);
}

function numberRange(node: SchemaNode): string | undefined {
  const { minimum, maximum } = node;
  if (minimum === undefined || maximum === undefined) return undefined;
  return maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
}
