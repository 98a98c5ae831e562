import { parseArgs } from "node:util";
import { progressLine } from "./progress-line.ts";
import { reloadMany, type ReloadReport } from "./reload-many.ts";

const USAGE = `Loads a model again and again while it is asked, and watches the memory of the server.

  node --conditions=@millrace/source test/hostile/soak.ts --reloads 2000
`;

/**
 * Memory that a run may take more at its end than halfway, in MiB: the heap has found its size by then, and a
 * thousand copies of the smallest thing forgotten would show.
 */
const GROWTH_MIB_MAX = 4;

const { values } = parseArgs({
  options: {
    reloads: { type: "string", default: "2000" },
    help: { type: "boolean", default: false },
  },
});
const reloads = Number(values.reloads);
if (values.help) console.log(USAGE);
else if (!Number.isSafeInteger(reloads) || reloads < 10) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = await soak();

async function soak(): Promise<number> {
  const report = await reloadMany({ reloads, onProgress: progressLine(reloads) });
  print(report);
  return report.failedRequests === 0 && report.growthMib <= GROWTH_MIB_MAX ? 0 : 1;
}

function print(report: ReloadReport): void {
  const { seconds, memory, requests, failedRequests, growthMib } = report;
  console.log(`\n${reloads} reloads in ${seconds.toFixed(1)} s, resident memory of the server:`);
  for (const [at, mib] of memory) console.log(`  ${String(at).padStart(8)}  ${mib} MiB`);
  console.log(`${requests} requests meanwhile, ${failedRequests} failed`);
  console.log(`growth in the second half: ${growthMib.toFixed(1)} MiB, at most ${GROWTH_MIB_MAX}`);
}
