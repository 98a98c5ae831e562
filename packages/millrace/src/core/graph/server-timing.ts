import type { StepTrace } from "./step-trace.ts";

/** Proxies drop headers that are too long. */
const LENGTH_MAX = 1_024;
const NAME_LENGTH_MAX = 64;

/**
 * Text for the `Server-Timing` header: the innermost steps in the order they began, each with its milliseconds, and
 * with its status where that is not `ok`: `prep;dur=1.2, branches.setosa;dur=200;desc=timeout`. Steps that were not
 * run are left out, and what would make it longer than 1,024 characters.
 */
export function serverTiming(trace: StepTrace): string {
  const entries: string[] = [];
  if (trace.children.length === 0) entries.push(entryOf(trace.name, trace));
  else addLeaves(trace, "", entries);
  let text = "";
  for (const entry of entries) {
    if (text.length + entry.length + 2 > LENGTH_MAX) break;
    text += text === "" ? entry : `, ${entry}`;
  }
  return text;
}

function addLeaves({ children }: StepTrace, prefix: string, entries: string[]): void {
  for (const child of children) {
    const name = `${prefix}${child.name}`;
    if (child.status === "omitted") continue;
    // Rows that were cached have no steps inside: one name for both, so that they can be compared.
    if (child.children.length > 0 && child.kind !== "cached") addLeaves(child, `${name}.`, entries);
    else entries.push(entryOf(name, child));
  }
}

function entryOf(name: string, { tookMs, status }: StepTrace): string {
  const token = name.slice(-NAME_LENGTH_MAX).replace(/[^\w!#$%&'*+.^`|~-]/g, "_");
  const duration = Math.round(tookMs * 1000) / 1000;
  return `${token};dur=${duration}${status === "ok" ? "" : `;desc=${status}`}`;
}
