import { basename, extname } from "node:path";
import type { ProblemLog } from "./problem-log.ts";
import { nameFromPath } from "./read-config.ts";
import type { ConfigPath } from "./config-path.ts";
import type { WrittenStep } from "./schema-step.ts";
import { isName } from "./schema-values.ts";

/** Something that is called by what it is, unless the file gives it a name. */
export interface Unnamed {
  /** As written. */
  readonly chosen: string | undefined;
  readonly plain: string;
  readonly at: ConfigPath;
}

export function unnamedStep(step: WrittenStep, at: ConfigPath): Unnamed {
  const chosen = typeof step === "string" ? undefined : step.name;
  return { chosen, plain: plainNameOf(step), at };
}

/**
 * Names for what stands beside each other: chosen ones stay, others get a number where theirs is taken: `resnet`,
 * `resnet-2`.
 *
 * @param reserved names that mean something else there.
 */
export function nameBeside(
  all: readonly Unnamed[],
  reserved: string,
  log: ProblemLog,
): readonly string[] {
  const taken = new Set([reserved]);
  for (const { chosen, at } of all) {
    if (chosen === undefined) continue;
    if (taken.has(chosen)) {
      const found = chosen === reserved ? "which has a meaning of its own here" : "again";
      const text = `found "${chosen}"${chosen === reserved ? "," : ""} ${found}, expected a name of its own`;
      log.add([...at, "name"], text);
    }
    taken.add(chosen);
  }
  return all.map(({ chosen, plain }) => {
    if (chosen !== undefined) return chosen;
    const name = freeName(plain, taken);
    taken.add(name);
    return name;
  });
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number++) {
    const numbered = `${name}-${number}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** What a step runs or is. */
function plainNameOf(step: WrittenStep): string {
  if (typeof step === "string") return step;
  if ("sequence" in step) return "sequence";
  if ("parallel" in step) return "parallel";
  if ("switch" in step) return "switch";
  if ("image" in step) return "image";
  if ("softmax" in step) return "softmax";
  if ("top" in step) return "top";
  if ("function" in step) return stemOf(step.function, "function");
  if ("load" in step) return stemOf(step.load, "load");
  return step.model !== undefined && isName(step.model) ? step.model : "remote";
}

/** `./steps/prepare.ts` → `prepare`. */
function stemOf(path: string, fallback: string): string {
  return nameFromPath(basename(path, extname(path)), fallback);
}
