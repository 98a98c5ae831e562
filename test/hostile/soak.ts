import { parseArgs } from "node:util";
import { reloadMany, type ReloadReport } from "./reload-many.ts";

const USAGE = `Loads a model again and again while it is asked, and watches the memory of the server.

  node --conditions=@millrace/source test/hostile/soak.ts --reloads 1000
`;

/** Memory that a run may take more at its end than after its first fifth, in MiB. */
const GROWTH_MIB_MAX = 20;

const { values } = parseArgs({
  options: {
    reloads: { type: "string", default: "1000" },
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
  const isTerminal = process.stdout.isTTY;
  const onProgress = (done: number): void => {
    if (isTerminal) process.stdout.write(`\r${done} of ${reloads}`);
  };
  const report = await reloadMany({ reloads, onProgress });
  print(report);
  return report.failedRequests === 0 && report.growthMib <= GROWTH_MIB_MAX ? 0 : 1;
}

function print(report: ReloadReport): void {
  const { seconds, memory, requests, failedRequests, growthMib } = report;
  console.log(`\n${reloads} reloads in ${seconds.toFixed(1)} s, resident memory of the server:`);
  for (const [at, mib] of memory) console.log(`  ${String(at).padStart(8)}  ${mib} MiB`);
  console.log(`${requests} requests meanwhile, ${failedRequests} failed`);
  console.log(
    `growth after the first fifth: ${growthMib.toFixed(1)} MiB, at most ${GROWTH_MIB_MAX}`,
  );
}
