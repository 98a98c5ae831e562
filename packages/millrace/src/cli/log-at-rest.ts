import { MillraceError } from "../core/errors.ts";
import { withLogAtRest, type LogAtRest } from "../log-main.ts";
import type { CommandIo, CommandLine, ExitCode } from "./command.ts";
import { loadFor } from "./config-session.ts";
import { SILENT } from "./silent-logger.ts";

/**
 * Gives a command the prediction log of a Millrace that does not run; prints why that cannot be.
 * @returns 0, 1 when it failed, 2 when the configuration is wrong.
 */
export async function askLogAtRest(
  line: CommandLine,
  io: CommandIo,
  ask: (log: LogAtRest) => Promise<void>,
): Promise<ExitCode> {
  const loaded = await loadFor({ ...line, positionals: [] }, io);
  if (loaded === undefined) return 2;
  const { stateDir, log, server } = loaded.config;
  if (stateDir === undefined || log.sink === "off") {
    io.stderr.write("There is no prediction log: log.sink is off, or state.dir is no folder\n");
    return 1;
  }
  try {
    const order = { stateDir, log, levels: server.log.levels };
    await withLogAtRest(order, () => SILENT, ask);
    return 0;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
}
