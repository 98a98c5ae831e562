import { writeExactJson } from "../core/exact-json.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import { UsageError, type Command, type CommandIo, type CommandLine } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";
import { askControl } from "./control-command.ts";
import { describeRecord } from "./describe-record.ts";
import { lineToControl } from "./running-control.ts";

export const explain: Command = {
  summary: "show what was decided for a prediction, step by step, and why",
  usage: "explain <prediction id> [--json]",
  options: { ...CONTROL_OPTIONS, ...CONFIG_OPTION, json: "prints it as JSON" },
  examples: [
    "explain 01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7",
    "explain 01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7#3",
  ],
  async run(line, io) {
    const [id, extra] = line.positionals;
    if (id === undefined || extra !== undefined) throw new UsageError("expected one prediction id");
    const show = (explanation: Explanation): void => print(explanation, line, io);
    const toControl = await lineToControl(line, io);
    if (toControl === undefined) {
      const { explainFromLog } = await import("./explain-from-log.ts");
      return explainFromLog(id, line, io, show);
    }
    return askControl(toControl, io, async (client) => {
      const path = `/api/v1/predictions/${encodeURIComponent(id)}`;
      show((await client.getExact(path)) as Explanation);
    });
  },
};

function print(explanation: Explanation, { options }: CommandLine, io: CommandIo): void {
  const isJson = options.has("json");
  io.stdout.write(isJson ? `${writeExactJson(explanation)}\n` : describeRecord(explanation));
}
