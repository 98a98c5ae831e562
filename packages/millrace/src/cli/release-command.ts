import type { JsonValue } from "../core/json.ts";
import {
  UsageError,
  type Command,
  type CommandIo,
  type CommandLine,
  type ExitCode,
} from "./command.ts";
import { camelNames } from "./camel-names.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { CONTROL_OPTIONS, type ControlClient } from "./control-client.ts";
import { askControl } from "./control-command.ts";
import { onlyOf, type Named, type ReleaseKind } from "./release-kind.ts";
import { lineToControl } from "./running-control.ts";
import { terminalStyle } from "./terminal-style.ts";

const OPTIONS = { ...CONTROL_OPTIONS, ...CONFIG_OPTION, json: "prints it as JSON" } as const;

/** `millrace experiment list` */
export function listCommand<Status extends Named>(kind: ReleaseKind<Status>): Command {
  const { noun, plural } = kind;
  return {
    summary: `list the ${plural} with what is decided of each`,
    usage: `${noun} list [--json]`,
    options: OPTIONS,
    examples: [`${noun} list`, `${noun} list --json`],
    async run(line, io) {
      if (line.positionals.length > 0) throw new UsageError("expected no argument");
      return askRunning(line, io, async (client) => {
        const answer = await listAnswer(client, kind);
        if (line.options.has("json")) printJson(answer, io);
        else io.stdout.write(kind.describeAll(statusesIn(answer, kind), terminalStyle(io)));
      });
    },
  };
}

/** `millrace experiment status <name>`; a name may be left out where there is only one. */
export function statusCommand<Status extends Named>(
  kind: ReleaseKind<Status>,
  example: string,
): Command {
  const { noun } = kind;
  return {
    summary: `show the numbers of one ${noun}, what is decided and why`,
    usage: `${noun} status [name] [--json]`,
    options: OPTIONS,
    examples: [`${noun} status ${example}`, `${noun} status ${example} --json`],
    async run(line, io) {
      const [name, extra] = line.positionals;
      if (extra !== undefined)
        throw new UsageError(`expected one ${noun}, found ${line.positionals.join(", ")}`);
      const show = (answer: JsonValue): void => {
        if (line.options.has("json")) printJson(answer, io);
        else io.stdout.write(kind.describe(camelNames(answer) as Status, terminalStyle(io)));
      };
      const toControl = await lineToControl(line, io);
      if (toControl === undefined) {
        const { showAtRest } = await import("./show-at-rest.ts");
        return showAtRest({ name, kind, show }, line, io);
      }
      return askControl(toControl, io, async (client) => {
        const named = name ?? (await onlyName(client, kind));
        show((await client.get(pathOf(kind, named))) as JsonValue);
      });
    },
  };
}

/** What a command does to an experiment or a shadow, in words for its help. */
export interface ReleaseAction {
  /** Last part of its route, and of the command. */
  readonly name: string;
  readonly summary: string;
  readonly example: string;
}

/** `millrace experiment pause <name> --reason TEXT` */
export function actionCommand<Status extends Named>(
  kind: ReleaseKind<Status>,
  { name: action, summary, example }: ReleaseAction,
): Command {
  const { noun } = kind;
  return {
    summary,
    usage: `${noun} ${action} <name> [--reason TEXT] [--json]`,
    options: { "reason=TEXT": "why, for the history", ...OPTIONS },
    examples: [`${noun} ${action} ${example}`],
    async run(line, io) {
      const [name, extra] = line.positionals;
      if (name === undefined || extra !== undefined) throw new UsageError(`expected one ${noun}`);
      const reason = line.options.get("reason");
      const body = reason === undefined ? {} : { reason };
      return askRunning(line, io, async (client) => {
        const path = `${pathOf(kind, name)}/${action}`;
        const answer = (await client.change("POST", path, body)) as JsonValue;
        if (line.options.has("json")) printJson(answer, io);
        else io.stdout.write(`${kind.line(camelNames(answer) as Status)}\n`);
      });
    },
  };
}

/** Asks the Millrace that runs in this folder, on the state folder of the file or at `--url`; says so when none does. */
async function askRunning(
  line: CommandLine,
  io: CommandIo,
  ask: (client: ControlClient) => Promise<void>,
): Promise<ExitCode> {
  const toControl = await lineToControl(line, io);
  if (toControl !== undefined) return askControl(toControl, io, ask);
  io.stderr.write(
    "No Millrace with a control role runs here: millrace up starts one, --url asks one elsewhere\n",
  );
  return 1;
}

async function onlyName<Status extends Named>(
  client: ControlClient,
  kind: ReleaseKind<Status>,
): Promise<string> {
  const all = statusesIn(await listAnswer(client, kind), kind);
  return onlyOf(
    all.map(({ name }) => name),
    kind,
  );
}

async function listAnswer<Status extends Named>(
  client: ControlClient,
  { plural }: ReleaseKind<Status>,
): Promise<JsonValue> {
  return (await client.get(`/api/v1/${plural}`)) as JsonValue;
}

function statusesIn<Status extends Named>(
  answer: JsonValue,
  { plural }: ReleaseKind<Status>,
): readonly Status[] {
  const all = camelNames(answer) as Readonly<Record<string, readonly Status[] | undefined>>;
  return all[plural] ?? [];
}

function pathOf<Status extends Named>({ plural }: ReleaseKind<Status>, name: string): string {
  return `/api/v1/${plural}/${encodeURIComponent(name)}`;
}

function printJson(answer: JsonValue, io: CommandIo): void {
  io.stdout.write(`${JSON.stringify(answer)}\n`);
}
