import { printConfigJson, printConfigText } from "../config/print.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION, loadFor } from "./config-session.ts";

export const configPrint: Command = {
  summary: "show every effective value and where it comes from",
  usage: "config print [file | model.onnx …] [--json]",
  options: { ...CONFIG_OPTION, json: "prints rows of path, value and source as JSON" },
  examples: ["config print", "config print --port 9000"],
  async run(line, io) {
    const loaded = await loadFor(line, io);
    if (loaded === undefined) return 2;
    io.stdout.write(line.options.has("json") ? printConfigJson(loaded) : printConfigText(loaded));
    return 0;
  },
};
