import { branches, wordsOf } from "./schema-node.ts";
import type { SchemaNode } from "./json-schema.ts";

/**
 * A value of a flag, an environment variable or a `${NAME}` is text; turns it into the number, boolean, list or
 * object the schema wants there. Text that fits nothing stays text, so that the schema says what is wrong.
 */
export function coerce(text: string, node: SchemaNode): unknown {
  const choices = branches(node);
  const has = (type: SchemaNode["type"]) => choices.some((choice) => choice.type === type);
  if (wordsOf(node).includes(text)) return text;
  const list = choices.find((choice) => choice.type === "array");
  const isAny = choices.every((choice) => choice.type === undefined);
  const allowed = { list: isAny || list !== undefined, object: isAny || has("object") };
  if (isJson(text, allowed)) return parseJson(text);
  if (has("integer") || has("number")) {
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  }
  if (has("boolean") && (text === "true" || text === "false")) return text === "true";
  return list === undefined ? text : coerceList(text, list, choices);
}

/** A text with commas is a list; one without is a list of one where a text would make no sense. */
function coerceList(text: string, list: SchemaNode, choices: readonly SchemaNode[]): unknown {
  const items = splitList(text, list);
  const strings = choices.filter((choice) => choice.type === "string");
  if (text.includes(",") || strings.length === 0) return items;
  const allowsText = strings.some((choice) => wordsOf(choice).length === 0);
  return allowsText || items.some((item) => typeof item === "string") ? text : items;
}

function isJson(
  text: string,
  allowed: { readonly list: boolean; readonly object: boolean },
): boolean {
  return (allowed.list && text.startsWith("[")) || (allowed.object && text.startsWith("{"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function splitList(text: string, list: SchemaNode): unknown[] {
  if (text.trim() === "") return [];
  return text.split(",").map((part, index) => {
    const item = list.prefixItems?.[index] ?? list.items;
    return coerce(part.trim(), item === undefined || item === false ? {} : item);
  });
}
