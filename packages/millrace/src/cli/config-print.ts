import { printConfigJson, printConfigText } from "../config/print.ts";
import { readOverrides } from "../control-main.ts";
import { layWhatFits } from "../supervisor/layers.ts";
import type { Command, CommandIo } from "./command.ts";
import { CONFIG_OPTION, loadFor, type Loaded } from "./config-session.ts";

export const configPrint: Command = {
  summary: "show every effective value and where it comes from",
  usage: "config print [file | model.onnx …] [--json]",
  options: { ...CONFIG_OPTION, json: "prints rows of path, value and source as JSON" },
  examples: ["config print", "config print --port 9000"],
  async run(line, io) {
    const file = await loadFor(line, io);
    if (file === undefined) return 2;
    const loaded = await withOverrides(file, io);
    io.stdout.write(line.options.has("json") ? printConfigJson(loaded) : printConfigText(loaded));
    return 0;
  },
};

/** What `up` would run: with the live changes that are kept, as far as they fit the file. */
async function withOverrides(file: Loaded, io: CommandIo): Promise<Loaded> {
  const overrides = await readOverrides(file.config.stateDir);
  if (overrides === undefined || file.config.server.controlPort === "off") return file;
  const { laid, setAside } = await layWhatFits(file, overrides);
  for (const { path, version, why } of setAside) {
    io.stderr.write(
      `override v${version} of ${path} is set aside, it does not fit the file: ${why}\n`,
    );
  }
  return laid;
}
