// Is the generator in time? One thread, counting and all on one core; a minimal server on another one.
//   node --conditions=@millrace/source benchmarks/load-test/pace.ts [rate, default 10000] [seconds, default 20]
import { execFileSync } from "node:child_process";
import { measureLoad } from "../../packages/millrace/src/load-test/measure-load.ts";
import { describeMachine, describeNoise, machineLine } from "../machine.ts";
import { canPin, GENERATOR_CORE } from "../serving/run-process.ts";
import { rawPlan } from "./raw-plan.ts";
import { startRawServer } from "./start-raw-server.ts";

const [rate = 10_000, seconds = 20] = process.argv.slice(2).map(Number);
const machine = describeMachine();
if (canPin) {
  const words = ["-a", "-c", "-p", String(GENERATOR_CORE), String(process.pid)];
  execFileSync("taskset", words, { stdio: "ignore" });
}
const server = await startRawServer();
const cpuBefore = process.cpuUsage();
const { millrace, rate: sentRate } = await measureLoad({
  plan: rawPlan(server.url, rate, seconds * 1000),
  objectives: [],
  command: "pace",
});
const { user, system } = process.cpuUsage(cpuBefore);
server.stop();

const { lag, service, starts, generator, valid, problems } = millrace;
const ms = (value: number): string => value.toFixed(3).padStart(9);
console.log(machineLine(machine));
console.log(describeNoise(machine) ?? "");
console.log(
  `asked ${rate}/s, sent ${sentRate.toFixed(1)}/s, n ${starts.sent}, dropped ${starts.dropped}`,
);
console.log("ms            p50      p90      p99    p99.9      max");
for (const [name, { p50_ms, p90_ms, p99_ms, p999_ms, max_ms }] of Object.entries({
  lag,
  service,
})) {
  console.log(name.padEnd(7), ...[p50_ms, p90_ms, p99_ms, p999_ms, max_ms].map(ms));
}
console.log(`busiest thread ${(generator.cpu * 100).toFixed(0)} % of a core without busy waiting;`);
console.log(
  `process ${((user + system) / 1e6).toFixed(1)} s of processor time, ${generator.memory_mib} MiB`,
);
console.log(valid ? "valid" : problems.map(({ text }) => text).join("\n"));
