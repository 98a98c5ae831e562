import { UsageError, type Command } from "./command.ts";
import { askControl, valueText } from "./control-command.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";

interface Answer {
  readonly path: string;
  readonly version: number;
  readonly value: unknown;
  readonly source: string | null;
}

export const unset: Command = {
  summary: "give live keys back to the file",
  usage: "unset path … [--reason TEXT] [--url URL]",
  options: {
    "reason=TEXT": "why, for the history",
    ...CONTROL_OPTIONS,
    json: "prints what is in force now as JSON, one path a line",
  },
  examples: ["unset services.iris.parameters.activate --reason 'data is fine again'"],
  run(line, io) {
    const { positionals, options } = line;
    if (positionals.length === 0) throw new UsageError("expected a path");
    const reason = options.get("reason");
    return askControl(line, io, async (client) => {
      for (const path of positionals) {
        const route = `/api/v1/overrides/${encodeURIComponent(path)}`;
        const body = reason === undefined ? {} : { reason };
        const answer = (await client.change("DELETE", route, body)) as Answer;
        if (options.has("json")) io.stdout.write(`${JSON.stringify(answer)}\n`);
        else {
          const { version, value, source } = answer;
          const inForce = value === null ? "no value" : valueText(value);
          io.stdout.write(`${path} = ${inForce}  (v${version}, ${source ?? "the file"})\n`);
        }
      }
    });
  },
};
