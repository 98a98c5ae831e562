import { resolve } from "node:path";
import { UsageError } from "./command.ts";
import type { Flags } from "./flags.ts";

/** Where a report or results go. */
export type OutputPlace =
  { readonly kind: "stdout" } | { readonly kind: "file"; readonly path: string };

/** What is left of a load test, and where. */
export interface LoadOutputs {
  readonly json: OutputPlace | undefined;
  readonly html: OutputPlace | undefined;
  readonly junit: OutputPlace | undefined;
  readonly results: OutputPlace | undefined;
  /** The report that is printed goes to the error stream, because something else has the other one. */
  readonly isStdoutTaken: boolean;
}

const NAMES = ["json", "html", "junit", "output"] as const;

/** What is read, and would be written over. */
const INPUTS = ["targets", "body", "data"] as const;

/** @throws UsageError where two of them go to the same place, or to a file that is read. */
export function readLoadOutputs(flags: Flags, cwd: string): LoadOutputs {
  const places = NAMES.map((name) => placeOf(flags.text(name), cwd));
  const taken = new Map<string, string>();
  for (const name of INPUTS) {
    const place = placeOf(flags.text(name), cwd);
    if (place?.kind === "file") taken.set(place.path, name);
  }
  for (const [index, name] of NAMES.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    const key = place.kind === "stdout" ? "the standard output" : place.path;
    const other = taken.get(key);
    if (other !== undefined) throw new UsageError(`--${other} and --${name} are both ${key}`);
    taken.set(key, name);
  }
  const [json, html, junit, results] = places;
  return {
    json,
    html,
    junit,
    results,
    isStdoutTaken: taken.has("the standard output"),
  };
}

function placeOf(text: string | undefined, cwd: string): OutputPlace | undefined {
  if (text === undefined) return undefined;
  if (text === "-" || text === "stdout") return { kind: "stdout" };
  return { kind: "file", path: resolve(cwd, text) };
}
