import { join } from "node:path";
import { createQueries } from "../control-main.ts";
import { MillraceError } from "../core/errors.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import type { CommandIo, CommandLine, ExitCode } from "./command.ts";
import { CONFIG_OPTION, loadFor } from "./config-session.ts";
import { CONTROL_OPTIONS, ControlClient, ControlError } from "./control-client.ts";
import { ControlQueries } from "./control-queries.ts";
import { readRunState } from "./run-state.ts";

/** Options of every command that asks the prediction log. */
export const QUERY_OPTIONS = {
  ...CONTROL_OPTIONS,
  ...CONFIG_OPTION,
  "url=URL": "control role to ask; default: the one that runs here, else the log is read without",
} as const;

/** Codes that say the command line is wrong, not the state of things. */
const WRONG_USE: ReadonlySet<string> = new Set(["INVALID_QUERY", "INVALID_BODY"]);

/**
 * Gives the prediction log to a command: through the Millrace that runs here, or that `--url` names; when none runs,
 * through a process that reads the log's folder. Prints what the log has against what it is asked.
 * @returns what `ask` does; 1 when it failed, 2 when the query or the configuration is wrong.
 */
export async function withQueryEngine(
  line: CommandLine,
  io: CommandIo,
  ask: (engine: QueryEngine) => Promise<ExitCode>,
): Promise<ExitCode> {
  const engine = await findEngine(line, io);
  if (engine === undefined) return 2;
  try {
    return await ask(engine);
  } catch (error) {
    if (!(error instanceof ControlError || error instanceof MillraceError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return WRONG_USE.has(error.code ?? "") ? 2 : 1;
  } finally {
    await engine.close();
  }
}

/** @returns undefined after it has printed what is wrong with the configuration. */
async function findEngine(line: CommandLine, io: CommandIo): Promise<QueryEngine | undefined> {
  const { options } = line;
  if (options.has("url")) return new ControlQueries(await ControlClient.find(line, io));
  if (!options.has("config")) {
    const engine = await runningEngine(join(io.cwd, ".millrace"), line, io);
    if (engine !== undefined) return engine;
  }
  const loaded = await loadFor({ ...line, positionals: [] }, io);
  if (loaded === undefined) return undefined;
  const { config } = loaded;
  const running =
    config.stateDir === undefined ? undefined : await runningEngine(config.stateDir, line, io);
  return running ?? createQueries(config, (text) => io.stderr.write(`${text}\n`)) ?? NO_LOG;
}

/** @returns undefined when no Millrace with a control role runs on the state folder. */
async function runningEngine(
  stateDir: string,
  line: CommandLine,
  io: CommandIo,
): Promise<QueryEngine | undefined> {
  const url = (await readRunState(stateDir))?.controlUrl;
  if (url === undefined) return undefined;
  const options = new Map([...line.options, ["url", url]]);
  return new ControlQueries(await ControlClient.find({ ...line, options }, io));
}

const NO_LOG: QueryEngine = {
  query: () =>
    Promise.reject(
      new MillraceError(
        "LOG_UNAVAILABLE",
        "Cannot query the log: there is none; log.sink: parquet and a folder in state.dir make one",
      ),
    ),
  close: () => Promise.resolve(),
};
