// Reports of `millrace load --json` as rows of a table.
//   node examples/load-test/table.ts a.json b.json
import { readFileSync } from "node:fs";

interface Report {
  readonly requests: number;
  readonly rate: number;
  readonly throughput: number;
  readonly success: number;
  readonly status_codes: Readonly<Record<string, number>>;
  /** In ns. */
  readonly latencies: Readonly<Record<"mean" | "50th" | "99th" | "max", number>>;
  readonly millrace: { readonly name: string; readonly valid: boolean };
}

const TITLES = [
  "run",
  "requests",
  "rate",
  "throughput",
  "mean",
  "p50",
  "p99",
  "max",
  "success",
  "codes",
];

console.log(line(TITLES));
console.log(line(TITLES.map(() => "---")));
for (const path of process.argv.slice(2)) {
  console.log(line(cells(JSON.parse(readFileSync(path, "utf8")) as Report)));
}

function cells(report: Report): readonly string[] {
  const { requests, rate, throughput, success, status_codes: codes, latencies, millrace } = report;
  const milliseconds = (["mean", "50th", "99th", "max"] as const).map(
    (name) => latencies[name] / 1e6,
  );
  return [
    millrace.valid ? millrace.name : `${millrace.name} (invalid)`,
    requests.toLocaleString("en"),
    rate.toFixed(0),
    throughput.toFixed(0),
    ...milliseconds.map((ms) =>
      ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`,
    ),
    `${(success * 100).toFixed(1)} %`,
    Object.entries(codes)
      .map(([code, count]) => `${code}: ${count.toLocaleString("en")}`)
      .join(", "),
  ];
}

function line(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}
