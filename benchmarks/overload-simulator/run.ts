// What should a server do with twice the requests it can answer, when HTTP itself is the bottleneck?
//   node --conditions=@millrace/source benchmarks/overload-simulator/run.ts     10 s; writes benchmarks/results/
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../machine.ts";
import { ANSWER_MS, CONNECTIONS, OBJECTIVE_MS, simulate, type Policy } from "./simulate.ts";

const LOADS = [1.2, 1.5, 2];
const REFUSAL_COSTS = [0.1, 0.3, 0.4, 0.5];
const PATIENCES_MS = [10, 100, 1_000];

const POLICIES: Readonly<Record<string, Policy>> = {
  "answer all": { kind: "answerAll" },
  "hold, refuse in 10 %": { kind: "limit", refusalShareMax: 0.1 },
  "refuse in 30 %": { kind: "limit", refusalShareMax: 0.3 },
  "refuse in 50 %": { kind: "limit", refusalShareMax: 0.5 },
  "refuse at once (90 %)": { kind: "limit", refusalShareMax: 0.9 },
};

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const rows = [];
console.log(`| load | refusal costs | client waits | ${Object.keys(POLICIES).join(" | ")} |`);
console.log(`| --- | --- | --- | ${Object.keys(POLICIES).fill("---").join(" | ")} |`);
for (const load of LOADS) {
  for (const refusalCost of REFUSAL_COSTS) {
    for (const patienceMs of PATIENCES_MS) {
      const cells = [];
      for (const [policy, options] of Object.entries(POLICIES)) {
        const outcome = simulate({ load, refusalCost, patienceMs, policy: options });
        rows.push({ load, refusalCost, patienceMs, policy, ...outcome });
        cells.push(percent(outcome.goodput));
      }
      console.log(`| ${load} | ${refusalCost} | ${patienceMs} ms | ${cells.join(" | ")} |`);
    }
  }
}

const setting = { answerMs: ANSWER_MS, connections: CONNECTIONS, objectiveMs: OBJECTIVE_MS };
const folder = join(ROOT, "benchmarks/results");
mkdirSync(folder, { recursive: true });
const round = (_key: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toFixed(3)) : value;
const text = JSON.stringify({ setting, rows }, round, 1);
writeFileSync(join(folder, "overload-simulator.json"), `${text}\n`);
