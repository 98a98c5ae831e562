import { parseArgs } from "node:util";
import { makeCase } from "./fuzz-case.ts";
import { FuzzServer } from "./fuzz-server.ts";
import { progressLine } from "./progress-line.ts";
import { runFuzz, type FuzzReport } from "./run-fuzz.ts";

const USAGE = `Sends hostile requests to a server that it starts, and judges every answer.

  node --conditions=@millrace/source test/hostile/fuzz.ts --requests 1000000
  node --conditions=@millrace/source test/hostile/fuzz.ts --seed S --from I --count 1 --show    one case again
`;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    count: { type: "string" },
    seed: { type: "string" },
    from: { type: "string", default: "0" },
    show: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const from = Number(values.from);
const count = Number(values.count ?? values.requests);

if (values.help) {
  console.log(USAGE);
} else if (![seed, from, count].every(Number.isSafeInteger)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  if (values.show) for (let i = from; i < from + count; i++) show(i);
  process.exitCode = await fuzz();
}

function show(index: number): void {
  const fuzzCase = makeCase(seed, index);
  const { kind } = fuzzCase;
  console.log(`case ${index}, ${kind}`);
  if (fuzzCase.kind === "grpc") console.log(fuzzCase.headers, fuzzCase.body.toString("hex"));
  else console.log(JSON.stringify(fuzzCase.bytes.toString("latin1").slice(0, 5_000)));
}

async function fuzz(): Promise<number> {
  console.log(`seed ${seed}, cases ${from} to ${from + count - 1}`);
  await using server = await FuzzServer.start();
  const report = await runFuzz({ server, seed, from, count, onProgress: progressLine(count) });
  print(report);
  return report.failures.length === 0 ? 0 : 1;
}

function print({ done, seconds, outcomes, failures, memory }: FuzzReport): void {
  const rate = Math.round(done / seconds);
  console.log(`\n${done} requests in ${seconds.toFixed(1)} s, ${rate} a second`);
  const sorted = [...outcomes].toSorted(([, a], [, b]) => b - a);
  for (const [label, times] of sorted) console.log(`  ${String(times).padStart(8)}  ${label}`);
  const step = Math.max(1, Math.floor(memory.length / 10));
  console.log("resident memory of the server:");
  for (const [at, mib] of memory.filter((_, i) => i % step === 0 || i === memory.length - 1)) {
    console.log(`  ${String(at).padStart(8)}  ${mib} MiB`);
  }
  for (const { index, what } of failures) {
    console.log(`FAILED case ${index}: ${what}`);
    if (index >= 0) console.log(`  again: fuzz.ts --seed ${seed} --from ${index} --count 1 --show`);
  }
}
