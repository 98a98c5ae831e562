import { configJsonSchema } from "../config/json-schema.ts";
import type { Command } from "./command.ts";

export const configSchema: Command = {
  summary: "print the JSON Schema of the file, for editors",
  usage: "config schema",
  options: {},
  examples: ["config schema > millrace.schema.json"],
  run(_line, io) {
    io.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return Promise.resolve(0);
  },
};
