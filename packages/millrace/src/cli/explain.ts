import { UsageError, type Command } from "./command.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";
import { askControl } from "./control-command.ts";
import { describeRecord } from "./describe-record.ts";

export const explain: Command = {
  summary: "show what was decided for a prediction, step by step, and why",
  usage: "explain <prediction id> [--json]",
  options: { ...CONTROL_OPTIONS, json: "prints the record as it is kept" },
  examples: ["explain 01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7"],
  run(line, io) {
    const [id, extra] = line.positionals;
    if (id === undefined || extra !== undefined) throw new UsageError("expected one prediction id");
    return askControl(line, io, async (client) => {
      const record = await client.get(`/api/v1/predictions/${encodeURIComponent(id)}`);
      const isJson = line.options.has("json");
      io.stdout.write(isJson ? `${JSON.stringify(record)}\n` : describeRecord(record));
    });
  },
};
