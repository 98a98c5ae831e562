import { UsageError, type Command } from "./command.ts";
import { askControl, describeOverride, valueText, type OverrideRow } from "./control-command.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";

interface Answer {
  readonly version: number;
  readonly overrides: readonly (OverrideRow & { readonly value: unknown })[];
}

export const set: Command = {
  summary: "change live keys while Millrace runs, in every process at once",
  usage: "set path=value … [--reason TEXT] [--for 2h] [--url URL]",
  options: {
    "reason=TEXT": "why, for the history",
    "for=2h": "how long it holds; default: until it is unset",
    ...CONTROL_OPTIONS,
    json: "prints what is set as JSON",
  },
  examples: [
    "set services.iris.parameters.activate=false --reason 'bad data' --for 2h",
    "set services.iris.limits.rate=100/s services.iris.limits.queue=50",
  ],
  run(line, io) {
    if (line.positionals.length === 0) throw new UsageError("expected path=value");
    const values = assignments(line.positionals);
    const reason = line.options.get("reason");
    const duration = line.options.get("for");
    return askControl(line, io, async (client) => {
      const body = {
        set: values,
        ...(reason === undefined ? {} : { reason }),
        ...(duration === undefined ? {} : { for: duration }),
      };
      const answer = (await client.change("PUT", "/api/v1/overrides", body)) as Answer;
      if (line.options.has("json")) io.stdout.write(`${JSON.stringify(answer)}\n`);
      else {
        for (const override of answer.overrides) {
          const { path, value } = override;
          io.stdout.write(`${path} = ${valueText(value)}  (${describeOverride(override)})\n`);
        }
      }
    });
  },
};

function assignments(words: readonly string[]): object {
  const values = new Map<string, unknown>();
  for (const [path, value] of words.map(assignment)) {
    if (values.has(path)) throw new UsageError(`${path} is set twice`);
    values.set(path, value);
  }
  return Object.fromEntries(values);
}

/** JSON where it is one, else a text: `false`, `0.9`, `["a"]`, `2s`, `auto`. */
function assignment(word: string): readonly [string, unknown] {
  const equals = word.indexOf("=");
  if (equals < 1) throw new UsageError(`expected path=value, found ${JSON.stringify(word)}`);
  const text = word.slice(equals + 1);
  try {
    return [word.slice(0, equals), JSON.parse(text) as unknown];
  } catch {
    return [word.slice(0, equals), text];
  }
}
