import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseBuckets } from "../load-test/reports/parse-buckets.ts";
import { parseReportType, reportOf } from "../load-test/reports/report-type.ts";
import { tallyResults } from "../load-test/results/tally-results.ts";
import { UsageError, type Command } from "./command.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { asUsageError, resultsOf } from "./result-inputs.ts";

const OPTIONS = {
  "type=json": "text, json, hist[0,10ms,20ms] or hdrplot; default text",
  "buckets=[0,10ms]": "adds a histogram to the JSON",
  "output=FILE": "writes the report; default: prints it",
} as const;

export const loadReport: Command = {
  summary: "report on results of load tests, those of vegeta too",
  usage: "load report [results.csv | results.json …] [--type hist[0,10ms,20ms]]",
  options: OPTIONS,
  hasOwnFlags: true,
  examples: [
    "load report results.csv",
    "load report --type 'hist[0,1ms,10ms,100ms]' a.json b.json",
    "load report --type hdrplot < results.csv",
  ],
  async run(line, io) {
    const { options, positionals } = line;
    if (options.has("every") || line.configFlags.some((flag) => flag.startsWith("--every="))) {
      throw new UsageError(
        "--every is not supported: millrace load shows the run while it goes on",
      );
    }
    refuseUnknown(line, OPTIONS);
    const text = await report(options, resultsOf(positionals, io)).catch(asUsageError);
    const output = options.get("output");
    if (output === undefined || output === "stdout") io.stdout.write(text);
    else await writeFile(resolve(io.cwd, output), text).catch(asUsageError);
    return 0;
  },
};

async function report(
  options: ReadonlyMap<string, string>,
  results: ReturnType<typeof resultsOf>,
): Promise<string> {
  const type = parseReportType(options.get("type") ?? "text");
  const buckets = options.get("buckets");
  if (type.kind === "hist") return reportOf(type, await tallyResults(results, type.bucketsNs));
  const bucketsNs = buckets === undefined ? undefined : parseBuckets(buckets, "--buckets");
  return reportOf(type, await tallyResults(results, bucketsNs));
}
