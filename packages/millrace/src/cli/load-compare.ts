import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { compareLoads } from "../core/load/compare-loads.ts";
import type { LoadReport } from "../core/load/load-report.ts";
import { boundedBytes } from "../load-test/bounded-bytes.ts";
import { comparisonText } from "../load-test/reports/comparison-text.ts";
import { readLoadReport } from "../load-test/reports/read-load-report.ts";
import { UsageError, type Command, type CommandIo } from "./command.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { asUsageError } from "./result-inputs.ts";

/** Of a report; those of an hour have one or two. */
const BYTES_MAX = 64 * 2 ** 20;

const OPTIONS = { json: "prints the comparison as JSON" } as const;

export const loadCompare: Command = {
  summary: "compare two load tests, and say what of the difference is certain",
  usage: "load compare before.json after.json [--json]",
  options: OPTIONS,
  hasOwnFlags: true,
  examples: ["load compare monday.json tuesday.json"],
  async run(line, io) {
    refuseUnknown(line, OPTIONS);
    const { positionals, options } = line;
    const [before, after, extra] = positionals;
    if (before === undefined || after === undefined || extra !== undefined) {
      const count = positionals.length;
      throw new UsageError(`expected two reports of millrace load --json, found ${count}`);
    }
    const comparison = compareLoads(await read(before, io), await read(after, io));
    io.stdout.write(
      options.has("json") ? `${JSON.stringify(comparison)}\n` : comparisonText(comparison),
    );
    return 0;
  },
};

async function read(name: string, { cwd }: CommandIo): Promise<LoadReport> {
  try {
    const bytes = await boundedBytes(createReadStream(resolve(cwd, name)), BYTES_MAX);
    if (bytes !== undefined) return readLoadReport(Buffer.from(bytes).toString(), name);
  } catch (error) {
    return asUsageError(error);
  }
  throw new UsageError(
    `Cannot read ${name}: it has more than ${BYTES_MAX / 2 ** 20} MiB, which no report has`,
  );
}
