import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { stdin } from "node:process";
import type { StoredResult } from "../load-test/results/stored-result.ts";
import { mergeResults } from "../load-test/results/merge-results.ts";
import { readResults } from "../load-test/results/read-results.ts";
import { LoadInputError } from "../load-test/load-input-error.ts";
import { UsageError, type CommandIo } from "./command.ts";

/** Files that are read side by side. */
const FILES_MAX = 100;

/** Results of the files that were named, as one; without a name those of the pipe. @throws UsageError */
export function resultsOf(
  files: readonly string[],
  { cwd }: CommandIo,
): AsyncGenerator<readonly StoredResult[], void> {
  if (files.length > FILES_MAX) {
    throw new UsageError(`expected at most ${FILES_MAX} files, found ${files.length}`);
  }
  const named = files.length === 0 ? ["-"] : files;
  const inputs = named.map((name) =>
    name === "-" || name === "stdin"
      ? readResults(stdin, "the pipe")
      : readResults(createReadStream(resolve(cwd, name)), name),
  );
  return mergeResults(inputs);
}

/** What cannot be read was named wrongly. @throws UsageError in place of what says so. */
export function asUsageError(error: unknown): never {
  if (error instanceof LoadInputError) throw new UsageError(error.message);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || path === undefined) throw error;
  const why = code === "ENOENT" ? "there is no such file or folder" : code;
  throw new UsageError(`cannot open ${JSON.stringify(path)}: ${why}`);
}
