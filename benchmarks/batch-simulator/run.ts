// Which batching policy answers most requests in time, from no load to twice the capacity?
//   node --conditions=@millrace/source benchmarks/batch-simulator/run.ts     half a minute; writes benchmarks/results/
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, ROOT } from "../machine.ts";
import { LOADS, SERIES, simulateCell } from "./cells.ts";
import { drawPicture } from "./picture.ts";
import { writeReport } from "./report.ts";

const machine = describeMachine();
const cells = SERIES.flatMap((series) => LOADS.map((load) => simulateCell(series, load)));
const report = writeReport(machine, cells);
process.stdout.write(report);
const folder = join(ROOT, "benchmarks/results");
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, "batch-simulator.json"),
  `${JSON.stringify({ machine, cells }, undefined, 2)}\n`,
);
writeFileSync(join(folder, "batch-simulator.md"), report);
writeFileSync(join(folder, "batch-simulator.svg"), drawPicture(cells));
