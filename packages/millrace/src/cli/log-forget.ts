import { forgetJson, type ForgetAnswer } from "../control/log-status-json.ts";
import { userName } from "../control/user-name.ts";
import { UsageError, type Command, type CommandLine } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { CONTROL_OPTIONS } from "./control-client.ts";
import { askControl } from "./control-command.ts";
import { lineToControl } from "./running-control.ts";

export const logForget: Command = {
  summary: "take everything of one unit out of the prediction log",
  usage: "log forget --unit U | --unit-hash H [--reason TEXT] [--json]",
  options: {
    "unit=U": "whom to forget, as services.<name>.log.unit finds it in requests",
    "unit-hash=H": "or its keyed hash, the column unit_hash",
    "reason=TEXT": "why, for the log of the process",
    ...CONTROL_OPTIONS,
    ...CONFIG_OPTION,
    json: "prints what was removed as JSON",
  },
  examples: ["log forget --unit customer-17 --reason 'asked for it by letter'"],
  async run(line, io) {
    const wanted = readWanted(line);
    const show = (answer: ForgetAnswer): void => {
      const isJson = line.options.has("json");
      io.stdout.write(isJson ? `${JSON.stringify(answer)}\n` : describe(answer));
    };
    const toControl = await lineToControl(line, io);
    if (toControl !== undefined) {
      const { unit, unitHash, reason } = wanted;
      const body = { unit, unit_hash: unitHash, reason };
      return askControl(toControl, io, async (client) =>
        show((await client.forget(body)) as ForgetAnswer),
      );
    }
    const { askLogAtRest } = await import("./log-at-rest.ts");
    return askLogAtRest(line, io, async (log) =>
      show(forgetJson(await log.forget({ ...wanted, by: userName() }))),
    );
  },
};

interface Wanted {
  readonly unit?: string;
  readonly unitHash?: string;
  readonly reason: string;
}

/** @throws UsageError */
function readWanted({ positionals, options }: CommandLine): Wanted {
  const unit = options.get("unit");
  const unitHash = options.get("unit-hash");
  const reason = options.get("reason") ?? "";
  if (positionals.length > 0) throw new UsageError("expected no argument but --unit");
  if (unit === "") throw new UsageError("--unit: expected a text, found none");
  if (unitHash !== undefined && !/^[0-9a-f]{32}$/.test(unitHash)) {
    throw new UsageError("--unit-hash: expected 32 hexadecimal digits, as in the column unit_hash");
  }
  if (unit !== undefined && unitHash === undefined) return { unit, reason };
  if (unitHash !== undefined && unit === undefined) return { unitHash, reason };
  throw new UsageError("expected one of --unit and --unit-hash");
}

function describe({ unit_hash: hash, rows, files, segments }: ForgetAnswer): string {
  const count = (number: number, what: string): string =>
    `${number} ${what}${number === 1 ? "" : "s"}`;
  const waiting =
    segments === 0
      ? ""
      : `\nwhat ${count(segments, "segment")} may have of it is left out when they are shipped`;
  return `forgot ${hash}: ${count(rows, "row")} in ${count(files, "file")}${waiting}\n`;
}
