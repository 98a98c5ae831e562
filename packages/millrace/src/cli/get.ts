import { UsageError, type Command, type CommandIo } from "./command.ts";
import type { ControlClient } from "./control-client.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";
import { askControl, describeOverride, valueText, type OverrideRow } from "./control-command.ts";

interface Overrides {
  readonly version: number;
  readonly overrides: readonly (OverrideRow & { readonly value: unknown })[];
  readonly set_aside: readonly { readonly path: string; readonly why: string }[];
}

interface History {
  readonly history: readonly (OverrideRow & {
    readonly action: string;
    readonly at: string;
    readonly old: unknown;
    readonly new: unknown;
  })[];
}

interface LiveValues {
  readonly live: readonly {
    readonly path: string;
    readonly value: unknown;
    readonly source: string;
  }[];
}

export const get: Command = {
  summary: "show what was changed while Millrace runs, or the value of one live key",
  usage: "get [path] [--history] [--all] [--json]",
  options: {
    history: "shows every change, the newest first: who, when, why, old and new value",
    all: "shows every live key with its value",
    ...CONTROL_OPTIONS,
    json: "prints it as JSON",
  },
  examples: ["get", "get services.iris.limits.queue", "get --history", "get --all"],
  run(line, io) {
    const { positionals, options } = line;
    const [path, extra] = positionals;
    if (extra !== undefined)
      throw new UsageError(`expected one path, found ${positionals.join(", ")}`);
    const isJson = options.has("json");
    return askControl(line, io, async (client) => {
      if (options.has("history")) await showHistory(client, path, { io, isJson });
      else if (path !== undefined || options.has("all"))
        await showValues(client, path, { io, isJson });
      else await showOverrides(client, { io, isJson });
    });
  },
};

interface Printing {
  readonly io: CommandIo;
  readonly isJson: boolean;
}

async function showOverrides(client: ControlClient, { io, isJson }: Printing): Promise<void> {
  const answer = (await client.get("/api/v1/overrides")) as Overrides;
  if (isJson) io.stdout.write(`${JSON.stringify(answer)}\n`);
  else if (answer.overrides.length === 0) io.stdout.write("no overrides: the file is in force\n");
  else {
    for (const override of answer.overrides) {
      const aside = answer.set_aside.find(({ path }) => path === override.path);
      const note = aside === undefined ? "" : `  SET ASIDE: ${aside.why}`;
      const { path, value } = override;
      io.stdout.write(`${path} = ${valueText(value)}  (${describeOverride(override)})${note}\n`);
    }
  }
}

async function showValues(
  client: ControlClient,
  path: string | undefined,
  { io, isJson }: Printing,
): Promise<void> {
  const query = path === undefined ? "" : `?path=${encodeURIComponent(path)}`;
  const { live } = (await client.get(`/api/v1/config${query}`)) as LiveValues;
  if (isJson) io.stdout.write(`${JSON.stringify(path === undefined ? live : live[0])}\n`);
  else {
    for (const { path: key, value, source } of live) {
      const shown = value === null ? "no value" : valueText(value);
      io.stdout.write(`${key} = ${shown}  (${source})\n`);
    }
  }
}

async function showHistory(
  client: ControlClient,
  path: string | undefined,
  { io, isJson }: Printing,
): Promise<void> {
  const query = path === undefined ? "" : `&path=${encodeURIComponent(path)}`;
  const answer = (await client.get(`/api/v1/overrides?history=1${query}`)) as History;
  if (isJson) io.stdout.write(`${JSON.stringify(answer.history)}\n`);
  else if (answer.history.length === 0) io.stdout.write("no changes yet\n");
  else {
    for (const event of answer.history) {
      const { at, path: key, action, old, new: next } = event;
      const values = `${old === null ? "none" : valueText(old)} → ${next === null ? "the file's" : valueText(next)}`;
      io.stdout.write(`${at}  ${key} ${action}: ${values}  (${describeOverride(event)})\n`);
    }
  }
}
