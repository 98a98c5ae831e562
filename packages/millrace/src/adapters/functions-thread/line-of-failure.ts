import { stripTypeScriptTypes } from "node:module";
import type { ThreadStart } from "./thread-messages.ts";

/** @returns the line of the file where its import failed, as far as that can be told. */
export function lineOfFailure(error: unknown, { path, source }: ThreadStart): number | undefined {
  if (!(error instanceof Error)) return undefined;
  return (
    lineIn(error.stack, path) ??
    (error instanceof SyntaxError ? lineOfSyntax(source, path) : undefined)
  );
}

/** V8 prints the line of a syntax error in a module, but keeps it out of the error; the reader of TypeScript does not. */
function lineOfSyntax(source: string, path: string): number | undefined {
  try {
    stripTypeScriptTypes(source, { sourceUrl: path });
    return undefined;
  } catch (error) {
    return error instanceof Error ? lineIn(error.stack, path) : undefined;
  }
}

function lineIn(stack: string | undefined, path: string): number | undefined {
  const from = stack?.indexOf(`${path}:`) ?? -1;
  if (stack === undefined || from === -1) return undefined;
  const line = Number.parseInt(stack.slice(from + path.length + 1), 10);
  return Number.isNaN(line) ? undefined : line;
}
