import { ENVIRONMENT, FLAGS } from "./key-match.ts";
import type { Spelling } from "./key-match.ts";
import type { SchemaNode } from "./json-schema.ts";
import { branches, isWordOrObject, mapValueOf, propertiesOf } from "./schema-node.ts";

/** One key of the configuration, as environment, flags, `config print` and the reference page list it. */
export interface ConfigKey {
  readonly path: readonly string[];
  /** `server.httpPort`, `models.<name>.threads`, `server.auth.keys[].secret`. */
  readonly text: string;
  /** Type, default, range, unit, description, …: see `SchemaNode`. */
  readonly node: SchemaNode;
  /** Undefined for keys of list items: a list is given as a whole. */
  readonly environment: string | undefined;
  readonly flag: string | undefined;
  /** Must be there when the object it is in is. */
  readonly isRequired: boolean;
  /** The object it is in that may be absent, such as `server.tls`; undefined when there is none. */
  readonly optionalIn: readonly string[] | undefined;
}

/** Names to list below a map at `path`. */
export type NamesAt = (path: readonly string[]) => readonly string[];

/** Every key of the schema in its order, down to single values; `namesAt` says which names stand in maps. */
export function listKeys(
  root: SchemaNode,
  namesAt: NamesAt = () => ["<name>"],
): readonly ConfigKey[] {
  const top: ConfigKey = {
    path: [],
    text: "",
    node: root,
    environment: "",
    flag: "",
    isRequired: true,
    optionalIn: undefined,
  };
  return keysBelow(top, namesAt);
}

function keysBelow(parent: ConfigKey, namesAt: NamesAt): readonly ConfigKey[] {
  const children = childKeys(parent, namesAt);
  if (children === undefined) return [parent, ...itemKeys(parent)];
  const nested = children.flatMap((child) => keysBelow(child, namesAt));
  return isWordOrObject(parent.node) ? [parent, ...nested] : nested;
}

/** Keys one level down; undefined when the value is written as a whole. */
function childKeys(parent: ConfigKey, namesAt: NamesAt): readonly ConfigKey[] | undefined {
  const { node, path } = parent;
  // A choice is written as a whole unless one form is short for the other, or says "not at all".
  const isWhole = node.shortFor === undefined && !isWordOrObject(node);
  if (node.anyOf !== undefined && isWhole) return undefined;
  const properties = propertiesOf(node);
  if (properties.length > 0) {
    const required = new Set([node, ...(node.anyOf ?? [])].flatMap((part) => part.required ?? []));
    return properties.map(([key, child]) => {
      const isRequired = required.has(key);
      const isOptionalObject =
        !isRequired && child.default === undefined && propertiesOf(child).length > 0;
      return {
        ...below(parent, key, (spelling) => spelling.keyForms(key)[0] ?? key),
        node: child,
        isRequired,
        optionalIn: isOptionalObject ? [...path, key] : parent.optionalIn,
      };
    });
  }
  const value = mapValueOf(node);
  if (value === undefined || propertiesOf(value).length === 0) return undefined;
  return namesAt(path).map((name) => ({
    ...below(parent, name, (spelling) =>
      name.startsWith("<") && spelling === ENVIRONMENT
        ? name.toUpperCase()
        : spelling.nameForm(name),
    ),
    node: value,
    isRequired: false,
    optionalIn: parent.optionalIn,
  }));
}

function below(parent: ConfigKey, segment: string, form: (spelling: Spelling) => string) {
  const join = (before: string | undefined, spelling: Spelling) =>
    before === undefined || before === ""
      ? `${spelling.prefix}${form(spelling)}`
      : `${before}${spelling.separator}${form(spelling)}`;
  return {
    path: [...parent.path, segment],
    text: parent.text === "" ? segment : `${parent.text}.${segment}`,
    environment: join(parent.environment, ENVIRONMENT),
    flag: join(parent.flag, FLAGS),
  };
}

function itemKeys(list: ConfigKey): readonly ConfigKey[] {
  const { items } = list.node;
  if (items === undefined || items === false) return [];
  const required = new Set(branches(items).flatMap((branch) => branch.required ?? []));
  return propertiesOf(items).map(([key, node]) => ({
    path: [...list.path, "[]", key],
    text: `${list.text}[].${key}`,
    node,
    environment: undefined,
    flag: undefined,
    isRequired: required.has(key),
    optionalIn: list.path,
  }));
}
