// What does it cost to give a unit its arm, and what memory do 100,000 units take?
//   node --conditions=@millrace/source benchmarks/experiment/run.ts             20 s; writes benchmarks/results/
//   node --conditions=@millrace/source benchmarks/experiment/run.ts --quick     tries the harness; prints only
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { keyedHashOf } from "../../packages/millrace/src/adapters/segments-file/keyed-hash.ts";
import { MemoryStickyStore } from "../../packages/millrace/src/adapters/sticky-store-memory/sticky-store-memory.ts";
import { SqliteStickyStore } from "../../packages/millrace/src/adapters/sticky-store-sqlite/sticky-store-sqlite.ts";
import {
  UnitAssigner,
  type ExperimentSplit,
  type KeptArmOf,
} from "../../packages/millrace/src/core/experiment/unit-assigner.ts";
import { hashUnit } from "../../packages/millrace/src/core/rules/hash-unit.ts";
import type { StickyStore } from "../../packages/millrace/src/ports/sticky-store.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";

const EXPERIMENT = "iris/rf-2026-11";
const UNITS = 100_000;
const SPLIT: ExperimentSplit = {
  arms: [
    { name: "control", weight: 0.5 },
    { name: "treatment", weight: 0.5 },
  ],
  control: "control",
  coverage: 1,
  salt: "rf-2026-11",
  namespace: undefined,
  isActive: true,
  winner: undefined,
  minPhase: 1,
};

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, memory: { type: "string" } },
});
const SLICES = values.quick ? 50 : 200;
/** Calls that are timed together. */
const SLICE = 500;

if (values.memory === undefined) await main();
else await tellMemory(values.memory);

interface Cost {
  readonly name: string;
  /** Mean of all calls: what else the machine does changes it little. */
  readonly cpuUs: number;
  readonly us: Percentiles;
}

interface Memory {
  readonly store: string;
  readonly heapMib: number;
}

async function main(): Promise<void> {
  const machine = describeMachine();
  const scratch = new ScratchFolder();
  const costs = await measureCosts(join(scratch.path, "units.sqlite"));
  const flushMs = await measureFlush(join(scratch.path, "flush.sqlite"));
  const memory = ["memory", "sqlite"].map(memoryOf);
  const noise = describeNoise(machine);
  const lines = [
    "# Assignment of units",
    "",
    `Made by \`node --conditions=@millrace/source benchmarks/experiment/run.ts\`: ${UNITS} units that come in turn, ${SLICES} slices of ${SLICE} calls, after as many to warm up where a second call costs the same.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    "",
    ...tableSection(
      "What a call costs",
      ["call", "CPU µs", "p50 µs", "p95 µs", "p99 µs"],
      costs.map(({ name, cpuUs, us }) => [name, ...[cpuUs, us.p50, us.p95, us.p99].map(twoDigits)]),
      "CPU is the mean of all calls; of the time, the mean of a slice counts as one measurement. The keyed hash of a unit is what the store and the log know it by; serving remembers it of the units it saw last.",
    ),
    ...tableSection(
      "What writing holds up",
      ["", "batches", "p50 ms", "p95 ms", "p99 ms", "max ms"],
      [
        [
          "100 units into the file",
          flushMs.n,
          flushMs.p50,
          flushMs.p95,
          flushMs.p99,
          flushMs.max,
        ].map((cell) => (typeof cell === "number" ? rounded(cell) : cell)),
      ],
      "A serve process writes on its own loop, ten times a second at most while there is something to write. Another process waits for the disk.",
    ),
    ...tableSection(
      `What ${UNITS} units take`,
      ["store", "MiB"],
      memory.map(({ store, heapMib }) => [store, rounded(heapMib)]),
      "Heap and buffers after a collection, less those of the empty process.",
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  if (values.quick) return;
  const folder = join(ROOT, "benchmarks/results");
  mkdirSync(folder, { recursive: true });
  const results = { machine, units: UNITS, costs, flushMs, memory };
  writeFileSync(
    join(folder, "experiment-assignment.json"),
    `${JSON.stringify(results, undefined, 2)}\n`,
  );
  writeFileSync(join(folder, "experiment-assignment.md"), `${lines.join("\n")}\n`);
}

/** 32 hexadecimal digits each. */
function makeHashes(): string[] {
  return Array.from({ length: UNITS }, (_, i) =>
    createHash("sha256").update(`user-${i}`).digest().toString("hex", 0, 16),
  );
}

async function measureCosts(path: string): Promise<Cost[]> {
  const units = Array.from({ length: UNITS }, (_, i) => `user-${i}`);
  const hashes = makeHashes();
  let unitHash = "";
  const memory = new MemoryStickyStore({ onTrouble: fail });
  const sqlite = new SqliteStickyStore({ path, clock: systemClock, onTrouble: fail });
  await fill(memory, hashes);
  await fill(sqlite, hashes);
  const keptBy =
    (store: StickyStore): KeptArmOf =>
    () =>
      store.find(EXPERIMENT, unitHash);
  const namespace = { name: "checkout", from: 0, to: 0.5 };
  const plain = new UnitAssigner(SPLIT, 1);
  const part = new UnitAssigner({ ...SPLIT, namespace }, 1);
  const inMemory = new UnitAssigner(SPLIT, 1, keptBy(memory));
  const inFile = new UnitAssigner(SPLIT, 1, keptBy(sqlite));
  const keyedHash = keyedHashOf(Buffer.alloc(32, 7));
  const assignKept = (assigner: UnitAssigner, i: number): unknown => {
    unitHash = hashes[i] ?? "";
    return assigner.assign(units[i]);
  };
  const costs = [
    cost("hash alone", (i) => hashUnit(SPLIT.salt, units[i] ?? "")),
    cost("assign", (i) => plain.assign(units[i])),
    cost("assign within a namespace", (i) => part.assign(units[i])),
    cost("assign, kept in the memory store", (i) => assignKept(inMemory, i)),
    cost("assign, kept in the file and remembered", (i) => assignKept(inFile, i)),
    cost("keyed hash of a unit", (i) => keyedHash(units[i] ?? "")),
  ];
  await sqlite.close();
  return [...costs, ...(await measureFile(path, hashes))];
}

/** What is asked of the file itself. */
async function measureFile(path: string, hashes: readonly string[]): Promise<Cost[]> {
  const store = new SqliteStickyStore({ path, clock: systemClock, onTrouble: fail });
  // Each unit once, in an order that is not that of the file.
  const first = costOfFirst("find in the file", (i) => store.find(EXPERIMENT, hashes[i] ?? ""));
  await store.beginWriteThrough();
  const missed = cost("find nothing in the file", (i) => store.find("wine/x", hashes[i] ?? ""));
  const through = costOfFirst("add in write-through", (i) =>
    store.add("wine/y", hashes[i] ?? "", { arm: "control", phase: 1, propensity: 0.5 }),
  );
  store.endWriteThrough();
  await store.close();
  return [first, missed, through];
}

/** After as many calls to warm up. */
function cost(name: string, call: (i: number) => unknown): Cost {
  measure(call);
  return { name, ...measure(call) };
}

/** Every unit once, without a call before: what is asked a second time is remembered. */
function costOfFirst(name: string, call: (i: number) => unknown): Cost {
  return { name, ...measure(call) };
}

function measure(call: (i: number) => unknown): Pick<Cost, "cpuUs" | "us"> {
  const us: number[] = [];
  let next = 0;
  const cpuBefore = process.cpuUsage();
  for (let slice = 0; slice < SLICES; slice++) {
    const startMs = performance.now();
    for (let i = 0; i < SLICE; i++) {
      call(next);
      next = next + 1 === UNITS ? 0 : next + 1;
    }
    us.push(((performance.now() - startMs) * 1000) / SLICE);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuUs: (user + system) / (SLICES * SLICE), us: percentilesOf(us) };
}

/** How long the batches of a growing file take. */
async function measureFlush(path: string): Promise<Percentiles> {
  const store = new SqliteStickyStore({ path, clock: systemClock, onTrouble: fail });
  const ms: number[] = [];
  for (const [i, unitHash] of makeHashes().entries()) {
    store.add(EXPERIMENT, unitHash, { arm: "control", phase: 1, propensity: 0.5 });
    if (i % 100 !== 99) continue;
    const startMs = performance.now();
    await store.flush();
    ms.push(performance.now() - startMs);
  }
  await store.close();
  return percentilesOf(ms);
}

async function fill(store: StickyStore, hashes: readonly string[]): Promise<void> {
  for (const [i, unitHash] of hashes.entries()) {
    const arm = i % 2 === 0 ? "control" : "treatment";
    store.add(EXPERIMENT, unitHash, { arm, phase: 1, propensity: 0.5 });
    if (i % 10_000 === 0) await store.flush();
  }
  await store.flush();
}

/** In a process of its own, whose heap holds nothing else. */
function memoryOf(store: string): Memory {
  const args = ["--conditions=@millrace/source", "--expose-gc", import.meta.filename];
  const output = execFileSync(process.execPath, [...args, "--memory", store], { encoding: "utf8" });
  return { store, heapMib: Number(output) };
}

async function tellMemory(name: string): Promise<void> {
  const scratch = new ScratchFolder();
  const before = usedBytes();
  const path = join(scratch.path, "units.sqlite");
  const store =
    name === "memory"
      ? new MemoryStickyStore({ onTrouble: fail })
      : new SqliteStickyStore({ path, clock: systemClock, onTrouble: fail });
  for (let i = 0; i < UNITS; i++) {
    const unitHash = createHash("sha256").update(`user-${i}`).digest().toString("hex", 0, 16);
    store.add(EXPERIMENT, unitHash, { arm: "control", phase: 1, propensity: 0.5 });
    if (i % 10_000 === 0) await store.flush();
  }
  await store.flush();
  const used = usedBytes() - before;
  if (store.find(EXPERIMENT, "0".repeat(32)) !== undefined) throw new Error("It finds nobody");
  process.stdout.write(String(used / 2 ** 20));
  await store.close();
}

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function twoDigits(value: number): string {
  return value.toFixed(2);
}

function fail(trouble: object): never {
  throw new Error(JSON.stringify(trouble));
}
