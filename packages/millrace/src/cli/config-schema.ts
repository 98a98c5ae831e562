import { configJsonSchema } from "../config/json-schema.ts";
import { UsageError, type Command } from "./command.ts";

export const configSchema: Command = {
  summary: "print the JSON Schema of the file, for editors",
  usage: "config schema",
  options: {},
  examples: ["config schema > millrace.schema.json"],
  run({ positionals, configFlags }, io) {
    const [extra] = [...positionals, ...configFlags];
    if (extra !== undefined) throw new UsageError(`expected no arguments, found ${extra}`);
    io.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return Promise.resolve(0);
  },
};
