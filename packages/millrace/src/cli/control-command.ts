import { UsageError, type CommandIo, type CommandLine, type ExitCode } from "./command.ts";
import { ControlClient, ControlError } from "./control-client.ts";

/**
 * Runs a command that asks the control role, and prints what it has against it.
 * @returns 0, 1 when it failed, 2 when what was asked for is wrong.
 */
export async function askControl(
  line: CommandLine,
  io: CommandIo,
  ask: (client: ControlClient) => Promise<void>,
): Promise<ExitCode> {
  const [flag] = line.configFlags;
  if (flag !== undefined) throw new UsageError(`unknown option ${flag}`);
  const client = await ControlClient.find(line, io);
  try {
    await ask(client);
    return 0;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return WRONG_USE.has(error.code ?? "") ? 2 : 1;
  }
}

/** Codes that say the command line is wrong, not the state of things. */
const WRONG_USE: ReadonlySet<string> = new Set([
  "INVALID_OVERRIDE",
  "INVALID_BODY",
  "EXPERIMENT_NOT_FOUND",
  "SHADOW_NOT_FOUND",
]);

/** One line of a history, or of what is in force. */
export interface OverrideRow {
  readonly path: string;
  readonly version: number;
  readonly by: string;
  readonly reason: string;
  readonly expires_at: string | null;
}

/** `v12, by alice until 2026-11-21T14:00:00.000Z: hunter season`. */
export function describeOverride({ version, by, reason, expires_at }: OverrideRow): string {
  const until = expires_at === null ? "" : ` until ${expires_at}`;
  return `v${version}, by ${by}${until}${reason === "" ? "" : `: ${reason}`}`;
}

/** Values as the file has them: words bare, the rest as JSON. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
