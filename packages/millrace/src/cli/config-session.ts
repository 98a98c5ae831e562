import { loadConfig, type LoadResult } from "../config/load.ts";
import { renderProblem } from "../config/problem.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";

export type Loaded = Extract<LoadResult, { kind: "ok" }>;

/**
 * Loads what a command line names: a file, a folder, models, or nothing for the file in this folder.
 * @returns undefined after it has printed every problem.
 */
export async function loadFor(line: CommandLine, io: CommandIo): Promise<Loaded | undefined> {
  const result = await loadAgain(line, io);
  if (result.kind === "ok") return result;
  for (const problem of result.problems) io.stderr.write(`${renderProblem(problem)}\n`);
  const count = result.problems.length;
  io.stderr.write(`${count} problem${count === 1 ? "" : "s"} in the configuration\n`);
  return undefined;
}

/** Loads without printing: for a reload, whose problems go to the log. */
export function loadAgain(line: CommandLine, io: CommandIo): Promise<LoadResult> {
  const { positionals, options, configFlags } = line;
  const named =
    options.get("config") ?? (positionals.length === 0 ? io.env["MILLRACE_CONFIG"] : undefined);
  const models = positionals.filter((word) => word.endsWith(".onnx"));
  const files = positionals.filter((word) => !word.endsWith(".onnx"));
  if (named !== undefined) files.push(named);
  if (models.length > 0 && files.length > 0) {
    throw new UsageError(`expected a file or models, found both: ${positionals.join(", ")}`);
  }
  const [file, extra] = files;
  if (extra !== undefined) throw new UsageError(`expected one file, found ${files.join(", ")}`);
  return loadConfig({
    ...(file === undefined ? {} : { file }),
    ...(models.length === 0 ? {} : { models }),
    flags: configFlags,
    env: io.env,
    cwd: io.cwd,
  });
}

export const CONFIG_OPTION = { "config=FILE": "file to use; default: millrace.yaml here" } as const;

/** Was the key left to its default? */
export function isDefault(loaded: Loaded, path: string): boolean {
  return loaded.origins.get(path)?.kind === "default";
}
