import { pathToFileURL } from "node:url";
import type { Comparator } from "../core/compare/comparison.ts";
import { readComparison } from "../core/compare/read-comparison.ts";
import { messageOf } from "../core/message-of.ts";
import { UsageError } from "./command.ts";

/**
 * A way to compare that a file exports: `export default (logged, candidate) => boolean`, or `{ isAgreed, distance?,
 * detail? }`. It runs in this process, with its rights.
 * @param path absolute, of a .ts, .mts, .js or .mjs file.
 * @throws UsageError saying what is wrong with the file.
 */
export async function loadComparator(path: string): Promise<Comparator> {
  const module = await importFile(path);
  const compare = module["default"];
  if (typeof compare !== "function") {
    throw new UsageError(
      `--compare ${path}: expected export default (logged, candidate) => boolean, found ${typeof compare}`,
    );
  }
  return (reference, other) => {
    try {
      return readComparison((compare as (...given: unknown[]) => unknown)(reference, other));
    } catch (error) {
      return { isAgreed: false, detail: `the comparison failed: ${messageOf(error)}` };
    }
  };
}

async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError(`--compare ${path}: cannot import it: ${messageOf(error)}`);
  }
}
