import { messageOf } from "../core/message-of.ts";
import type { Document, LineCounter, YAMLError } from "yaml";
import type { Position, Written } from "./config-tree.ts";
import { maskTemplates, unmaskTemplates } from "./interpolate.ts";
import type { ConfigPath } from "./config-path.ts";

/** Uses of anchors one file may expand to; more is an attack or a mistake. */
const ALIASES_MAX = 100;

interface SyntaxProblem {
  readonly message: string;
  readonly position: Position | undefined;
}

export type YamlResult =
  | { readonly kind: "ok"; readonly values: unknown; readonly positionOf: Written["positionOf"] }
  | { readonly kind: "invalid"; readonly problems: readonly SyntaxProblem[] };

type Yaml = typeof import("yaml");

/** Parses YAML 1.2 and remembers where each key and value stands. */
export async function readYaml(text: string): Promise<YamlResult> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  try {
    const document = yaml.parseDocument(maskTemplates(text), {
      version: "1.2",
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: true,
      stringKeys: true,
    });
    const problems = [...document.errors, ...document.warnings].map((error) => ({
      message: syntaxMessage(error, text),
      position: positionAt(lines, error.pos[0]),
    }));
    problems.push(...unmaskDocument(yaml, document, lines));
    if (problems.length > 0) return { kind: "invalid", problems };
    const values: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    const positionOf = createLocator(yaml, document, lines);
    return { kind: "ok", values, positionOf };
  } catch (error) {
    // What `yaml` throws instead of listing: too many aliases, nesting beyond the stack.
    const message = messageOf(error);
    return { kind: "invalid", problems: [{ message, position: undefined }] };
  }
}

/** Restores the `${NAME}` of every text, in place. @returns aliases without an anchor. */
function unmaskDocument(yaml: Yaml, document: Document, lines: LineCounter): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  yaml.visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === "string") scalar.value = unmaskTemplates(scalar.value);
    },
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const message = `"*${alias.source}" has no anchor "&${alias.source}" above it`;
      problems.push({ message, position: positionAt(lines, alias.range?.[0]) });
    },
  });
  return problems;
}

function createLocator(yaml: Yaml, document: Document, lines: LineCounter): Written["positionOf"] {
  return (path, part) => {
    const container = followPath(yaml, document, path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined) return undefined;
    const pair = pairOf(yaml, container, last);
    const node = part === "key" && pair !== undefined ? pair.key : childOf(yaml, container, last);
    // `key:` without a value has no place of its own: the key is the nearest one.
    const isPlaced = yaml.isNode(node) && node.range && node.range[0] < node.range[1];
    const placed = isPlaced ? node : pair?.key;
    return yaml.isNode(placed) ? positionAt(lines, placed.range?.[0]) : undefined;
  };
}

function followPath(yaml: Yaml, document: Document, path: ConfigPath): unknown {
  let node: unknown = document.contents;
  for (const segment of path) {
    node = childOf(yaml, node, segment);
    if (yaml.isAlias(node)) node = node.resolve(document);
  }
  return node;
}

function childOf(yaml: Yaml, node: unknown, segment: string | number): unknown {
  if (yaml.isSeq(node)) return node.items[Number(segment)];
  return pairOf(yaml, node, segment)?.value;
}

function pairOf(yaml: Yaml, node: unknown, segment: string | number) {
  if (!yaml.isMap(node)) return undefined;
  return node.items.find(
    (pair) => yaml.isScalar(pair.key) && String(pair.key.value) === String(segment),
  );
}

function positionAt(lines: LineCounter, offset: number | undefined): Position | undefined {
  if (offset === undefined) return undefined;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function syntaxMessage(error: YAMLError, text: string): string {
  switch (error.code) {
    case "DUPLICATE_KEY": {
      const [key = ""] = /^[^:\s]{1,128}/.exec(text.slice(error.pos[0])) ?? [];
      return `the key "${key}" stands here a second time`;
    }
    case "MULTIPLE_DOCS":
      return "found a second document after ---, expected one";
    case "BLOCK_AS_IMPLICIT_KEY":
      return "found a second `key: value` on the line, expected { key: value } or quotes around it";
    default: {
      const message = unmaskTemplates(error.message);
      return `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
    }
  }
}
