import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { encodeResults } from "../load-test/results/encode-results.ts";
import { parseResultFormat } from "../load-test/results/parse-result-format.ts";
import type { Command, CommandIo } from "./command.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { asUsageError, resultsOf } from "./result-inputs.ts";
import { pipeline } from "node:stream/promises";

const OPTIONS = {
  "to=csv": "csv or json; default json",
  "output=FILE": "writes them; default: prints them",
} as const;

export const loadEncode: Command = {
  summary: "write results of load tests in another form, csv or JSON lines",
  usage: "load encode [results.csv | results.json …] [--to csv] [--output FILE]",
  options: OPTIONS,
  hasOwnFlags: true,
  examples: ["load encode --to csv results.json", "load encode results.csv --output results.json"],
  async run(line, io) {
    refuseUnknown(line, OPTIONS);
    const { options, positionals } = line;
    try {
      const format = parseResultFormat(options.get("to") ?? "json", "--to");
      const texts = encodeResults(resultsOf(positionals, io), format);
      await write(texts, options.get("output"), io);
      return 0;
    } catch (error) {
      return asUsageError(error);
    }
  },
};

async function write(
  texts: AsyncIterable<string>,
  output: string | undefined,
  { stdout, cwd }: CommandIo,
): Promise<void> {
  if (output !== undefined && output !== "stdout") {
    await pipeline(texts, createWriteStream(resolve(cwd, output)));
    return;
  }
  for await (const text of texts) stdout.write(text);
}
