import { UsageError, type Command } from "./command.ts";
import { askControl, valueText } from "./control-command.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";

interface Answer {
  readonly version: number;
  readonly unset: readonly {
    readonly path: string;
    readonly value: unknown;
    readonly source: string | null;
  }[];
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
      const body = { unset: positionals, ...(reason === undefined ? {} : { reason }) };
      const answer = (await client.change("PUT", "/api/v1/overrides", body)) as Answer;
      const { version } = answer;
      for (const { path, value, source } of answer.unset) {
        if (options.has("json")) {
          io.stdout.write(`${JSON.stringify({ path, version, value, source })}\n`);
        } else {
          const inForce = value === null ? "no value" : valueText(value);
          io.stdout.write(`${path} = ${inForce}  (v${version}, ${source ?? "the file"})\n`);
        }
      }
    });
  },
};
