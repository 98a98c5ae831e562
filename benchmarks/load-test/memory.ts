// Does the generator's memory stay flat at 5,000 requests a second?
//   node --conditions=@millrace/source benchmarks/load-test/memory.ts [seconds, default 600] [rate, default 5000]
import { measureLoad } from "../../packages/millrace/src/load-test/measure-load.ts";
import { describeMachine, machineLine } from "../machine.ts";
import { rawPlan } from "./raw-plan.ts";
import { startRawServer } from "./start-raw-server.ts";

const [seconds = 600, rate = 5000] = process.argv.slice(2).map(Number);
/** Lines of the table. */
const SAMPLES = 20;

console.log(machineLine(describeMachine()));
console.log("     s   results  resident MiB  heap MiB  outside MiB");
let results = 0;
let nextMs = 0;
const server = await startRawServer();
const { millrace } = await measureLoad({
  plan: rawPlan(server.url, rate, seconds * 1000),
  objectives: [],
  command: "memory",
  onResults: (block, startedAtMs) => {
    results += block.count;
    const atMs = Date.now() - startedAtMs;
    if (atMs < nextMs) return;
    nextMs += (seconds * 1000) / SAMPLES;
    printMemory(atMs);
  },
});
printMemory(millrace.duration_ms);
server.stop();
const { starts, lag, valid } = millrace;
console.log(
  `sent ${starts.sent} of ${starts.due}, lag p99 ${lag.p99_ms.toFixed(3)} ms, ${valid ? "valid" : "not valid"}`,
);

/** The heap is that of the thread that counts; the resident memory is that of all threads. */
function printMemory(atMs: number): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const columns = [(atMs / 1000).toFixed(0).padStart(6), String(results).padStart(9)];
  columns.push(mib(rss).padStart(13), mib(heapUsed).padStart(9), mib(external).padStart(12));
  console.log(columns.join(" "));
}
