// Does the generator's memory stay flat at 5,000 requests a second?
//   node --conditions=@millrace/source benchmarks/load-test/memory.ts   10 minutes; writes benchmarks/results/load-test-memory.md
//   … [seconds] [rate]                                                  tries it; prints only
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measureLoad } from "../../packages/millrace/src/load-test/measure-load.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { tableSection } from "../markdown-table.ts";
import { rawPlan } from "./raw-plan.ts";
import { startRawServer } from "./start-raw-server.ts";

const [seconds = 600, rate = 5000] = process.argv.slice(2).map(Number);
/** Lines of the table. */
const SAMPLES = 20;

const machine = describeMachine();
const rows: string[][] = [];
let results = 0;
let nextMs = 0;
const server = await startRawServer("raw-server.ts");
const { millrace } = await measureLoad({
  plan: rawPlan(server.url, rate, seconds * 1000),
  objectives: [],
  command: "memory",
  onResults: (block, startedAtMs) => {
    results += block.count;
    const atMs = Date.now() - startedAtMs;
    if (atMs < nextMs) return;
    nextMs += (seconds * 1000) / SAMPLES;
    takeSample(atMs);
  },
});
takeSample(millrace.duration_ms);
server.stop();
const { starts, lag, valid } = millrace;
const noise = describeNoise(machine);
const head = ["s", "results", "resident MiB", "heap MiB", "outside MiB"];
const text = [
  "# Does the generator's memory stay flat?",
  "",
  `Made by \`node --conditions=@millrace/source benchmarks/load-test/memory.ts\`: ${rate} requests/s for ${seconds} s against a minimal server. The heap is that of the thread that counts; the resident memory is that of all threads.`,
  "",
  `- Machine: ${machineLine(machine)}`,
  ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
  `- Sent ${starts.sent} of ${starts.due}, lag p99 ${lag.p99_ms.toFixed(3)} ms, ${valid ? "valid" : "not valid"}`,
  "",
  ...tableSection("Memory over time", head, rows),
].join("\n");
process.stdout.write(text);
if (process.argv.length === 2) {
  writeFileSync(join(ROOT, "benchmarks/results/load-test-memory.md"), text);
}

function takeSample(atMs: number): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  rows.push([(atMs / 1000).toFixed(0), String(results), mib(rss), mib(heapUsed), mib(external)]);
}
