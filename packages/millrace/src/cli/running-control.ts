import { join } from "node:path";
import type { CommandIo, CommandLine } from "./command.ts";
import { loadAgain } from "./config-session.ts";
import { readRunState } from "./run-state.ts";

/**
 * The command line with the address of the control role to ask: that of `--url`, or of the Millrace that runs in this
 * folder or on the state folder of the file.
 * @returns undefined when none runs; what its files say can be read then.
 */
export async function lineToControl(
  line: CommandLine,
  io: CommandIo,
): Promise<CommandLine | undefined> {
  const { options } = line;
  if (options.has("url")) return line;
  const here = options.has("config") ? undefined : await controlUrlIn(join(io.cwd, ".millrace"));
  const url = here ?? (await controlUrlOfFile(line, io));
  return url === undefined ? undefined : { ...line, options: new Map([...options, ["url", url]]) };
}

/** A file with problems is told of by who reads it next. */
async function controlUrlOfFile(line: CommandLine, io: CommandIo): Promise<string | undefined> {
  const loaded = await loadAgain({ ...line, positionals: [] }, io);
  const stateDir = loaded.kind === "ok" ? loaded.config.stateDir : undefined;
  return stateDir === undefined ? undefined : controlUrlIn(stateDir);
}

async function controlUrlIn(stateDir: string): Promise<string | undefined> {
  return (await readRunState(stateDir))?.controlUrl;
}
