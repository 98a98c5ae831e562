// How long does a large JSON tensor hold up a serve process?
//   node --conditions=@millrace/source benchmarks/json-path/run.ts     a minute; writes benchmarks/results/
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readInferRequest } from "../../packages/millrace/src/core/tensor/read-infer-request.ts";
import type { TensorSpec } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";

/** An image of ImageNet's size: 150,528 numbers. */
const SHAPE = [1, 3, 224, 224];
const COUNT = 150_528;
const SPEC: TensorSpec = { name: "image", datatype: "FP32", shape: [-1, 3, 224, 224] };
const WARMUP = 50;
const N = 300;

type Read = (body: Uint8Array) => Float32Array;

const READERS: Readonly<Record<string, Read>> = {
  readInferRequest: (body) => {
    const { inputs } = readInferRequest(body, [SPEC]);
    return inputs[0]?.data as Float32Array; // checked against SPEC while it was read
  },
  "JSON.parse and a loop": parseAndPack,
  "JSON.parse alone": (body) => {
    JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString());
    return new Float32Array(0);
  },
};

/** Bodies as clients write them; how many digits a number has decides which way it is read. */
const BODIES: Readonly<Record<string, (value: number) => number>> = {
  "8 digits (0.48627451)": (value) => Number(value.toFixed(8)),
  "FP32 as doubles (0.48627451062202454)": Math.fround,
  "bytes (124)": (value) => Math.floor(value * 256),
};

interface Row {
  readonly body: string;
  readonly bytes: number;
  readonly reader: string;
  readonly ms: Percentiles;
}

const machine = describeMachine();
const rows = Object.entries(BODIES).flatMap(([body, round]) => measure(body, round));
const noise = describeNoise(machine);
const lines = [
  "# JSON path",
  "",
  `Made by \`node --conditions=@millrace/source benchmarks/json-path/run.ts\`: a request with ${COUNT} FP32 numbers,`,
  `${WARMUP} reads to warm up, then n reads of each reader in turn.`,
  "",
  `- Machine: ${machineLine(machine)}`,
  ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
  "",
  "| numbers | MB | reader | n | p50 ms | p95 ms | p99 ms | MB/s |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ...rows.map(({ body, bytes, reader, ms }) => {
    const cells = [body, bytes / 1e6, reader, ms.n, ms.p50, ms.p95, ms.p99, bytes / 1e3 / ms.p50];
    return `| ${cells.map((cell) => (typeof cell === "number" && !Number.isInteger(cell) ? cell.toFixed(2) : cell)).join(" | ")} |`;
  }),
];
process.stdout.write(`${lines.join("\n")}\n`);
const folder = join(ROOT, "benchmarks/results");
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, "json-path.json"),
  `${JSON.stringify({ machine, rows }, undefined, 2)}\n`,
);
writeFileSync(join(folder, "json-path.md"), `${lines.join("\n")}\n`);

function measure(body: string, round: (value: number) => number): Row[] {
  const data = pseudoRandom(COUNT).map(round);
  const input = { name: SPEC.name, shape: SHAPE, datatype: SPEC.datatype, data };
  const bytes = Buffer.from(JSON.stringify({ inputs: [input] }));
  const expected = Float32Array.from(data);
  for (const read of [READERS["readInferRequest"], parseAndPack]) {
    const found = read?.(bytes);
    if (found?.length !== COUNT || !expected.every((value, i) => found[i] === value)) {
      throw new Error(`Wrong answer for ${body}`);
    }
  }
  const names = Object.keys(READERS);
  const taken = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let i = 0; i < WARMUP + N; i++) {
    // In turn, so that a slow moment of the machine and the garbage of one hit all of them.
    for (const [name, read] of Object.entries(READERS)) {
      const startMs = performance.now();
      read(bytes);
      if (i >= WARMUP) taken.get(name)?.push(performance.now() - startMs);
    }
  }
  return names.map((reader) => ({
    body,
    bytes: bytes.length,
    reader,
    ms: percentilesOf(taken.get(reader) ?? []),
  }));
}

/** What one would write without a reader of one's own; it checks the shape and that all are numbers. */
function parseAndPack(body: Uint8Array): Float32Array {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  const { inputs } = JSON.parse(text) as {
    readonly inputs: readonly { readonly shape: readonly number[]; readonly data: unknown[] }[];
  };
  const [input] = inputs;
  if (input === undefined || input.data.length !== input.shape.reduce((a, b) => a * b, 1)) {
    throw new Error("The shape does not fit");
  }
  const packed = new Float32Array(input.data.length);
  for (let i = 0; i < packed.length; i++) {
    const value = input.data[i];
    if (typeof value !== "number" || !Number.isFinite(Math.fround(value))) {
      throw new Error(`Element ${i} is no FP32 number`);
    }
    packed[i] = value;
  }
  return packed;
}

/** Numbers from 0 to 1, the same in every run. */
function pseudoRandom(count: number): number[] {
  let state = 42;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  });
}
