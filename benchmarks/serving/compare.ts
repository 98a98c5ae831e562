// What changed between two runs of the serving benchmark, median by median:
//   node benchmarks/serving/compare.ts old.json new.json             prints a table
//   node benchmarks/serving/compare.ts old.json new.json --above 10  only what moved by more than 10 %
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { machineLine } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { figuresOf } from "./figures.ts";
import type { ServingReport } from "./report.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { above: { type: "string", default: "0" } },
});
const [oldFile, newFile] = positionals;
if (oldFile === undefined || newFile === undefined) {
  throw new Error("Name two results: compare.ts old.json new.json");
}
const [before, after] = [oldFile, newFile].map(
  (file) => JSON.parse(readFileSync(file, "utf8")) as ServingReport,
) as [ServingReport, ServingReport];
const oldFigures = figuresOf(before.found);
const rows = [...figuresOf(after.found)].flatMap(([name, now]) => {
  const then = oldFigures.get(name);
  if (then === undefined || !Number.isFinite(then) || !Number.isFinite(now)) return [];
  const percent = (now / then - 1) * 100;
  if (Math.abs(percent) < Number(values.above)) return [];
  const sign = percent > 0 ? "+" : "";
  return [[name, rounded(then), rounded(now), `${sign}${percent.toFixed(1)} %`]];
});
const lines = [
  `- old: ${machineLine(before.machine)}`,
  `- new: ${machineLine(after.machine)}`,
  "",
  ...tableSection("Changes", ["figure", "old", "new", "change"], rows),
];
process.stdout.write(`${lines.join("\n")}\n`);
