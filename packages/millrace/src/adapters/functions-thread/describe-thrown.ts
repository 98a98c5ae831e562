import { inspect } from "node:util";
import type { Thrown } from "./thread-messages.ts";

/** A message or stack of megabytes would stand in the log of every call. */
const THROWN_LENGTH_MAX = 8192;

/** What was thrown as text, with what caused it. Never throws itself, whatever the thrown thing does. */
export function describeThrown(thrown: unknown): Thrown {
  try {
    if (!(thrown instanceof Error)) return { message: cut(inspect(thrown)), stack: undefined };
    const text = inspect(thrown, { depth: 2 });
    return { message: cut(`${thrown.name}: ${thrown.message}`), stack: cut(text) };
  } catch {
    return { message: "something that cannot be described", stack: undefined };
  }
}

function cut(text: string): string {
  return text.length > THROWN_LENGTH_MAX ? `${text.slice(0, THROWN_LENGTH_MAX)}…` : text;
}
