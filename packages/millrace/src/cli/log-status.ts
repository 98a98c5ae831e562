import { logStatusJson, type LogStatusAnswer } from "../control/log-status-json.ts";
import { UsageError, type Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";
import { askControl } from "./control-command.ts";
import { describeLogStatus } from "./describe-log-status.ts";
import { lineToControl } from "./running-control.ts";

export const logStatus: Command = {
  summary: "show how far the prediction log is, how large, and what was left out of it",
  usage: "log status [--json]",
  options: { ...CONTROL_OPTIONS, ...CONFIG_OPTION, json: "prints it as one line of JSON" },
  examples: ["log status", "log status --json"],
  async run(line, io) {
    if (line.positionals.length > 0) throw new UsageError("expected no argument");
    const show = (answer: LogStatusAnswer, isAtRest = false): void => {
      const isJson = line.options.has("json");
      io.stdout.write(isJson ? `${JSON.stringify(answer)}\n` : describeLogStatus(answer, isAtRest));
    };
    const toControl = await lineToControl(line, io);
    if (toControl !== undefined) {
      return askControl(toControl, io, async (client) =>
        show((await client.get("/api/v1/log")) as LogStatusAnswer),
      );
    }
    const { askLogAtRest } = await import("./log-at-rest.ts");
    return askLogAtRest(line, io, async (log) =>
      show(logStatusJson({ log: await log.status(), dropped: {}, withoutPayload: {} }), true),
    );
  },
};
