// How many predictions a second are packed and written into segments on one core, for each durability?
//   taskset -c 1 node --conditions=@millrace/source benchmarks/prediction-log/segments.ts
//   half a minute; writes benchmarks/results/prediction-log-segments.{md,json}
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import type { Durability } from "../../packages/millrace/src/adapters/segments-file/local-segment-writer.ts";
import { ThreadSegmentWriter } from "../../packages/millrace/src/adapters/segments-file/thread-segment-writer.ts";
import { newWriterName } from "../../packages/millrace/src/adapters/segments-file/writer-name.ts";
import { BlockWriter } from "../../packages/millrace/src/core/predictions/block-writer.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import { testContext } from "../../packages/millrace/src/core/predictions/test-record.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";

const WARMUP_MS = 1_000;
const MEASURED_MS = 5_000;
const BLOCK_BYTES = 256 * 1024;
/** Records that wait for the disk, as in the ring of a serve process. */
const WAITING_RECORDS_MAX = 10_000;
const TARGET_ROWS_PER_SECOND = 100_000;

const DURABILITIES: Readonly<Record<string, Durability>> = {
  off: { kind: "off" },
  "200ms": { kind: "interval", everyMs: 200 },
  batch: { kind: "batch" },
};

const CONTEXT = testContext({
  columns: { input: ["sepal_length", "sepal_width", "petal_length", "petal_width"] },
});

interface Row {
  readonly durability: string;
  readonly rows: number;
  readonly bytesPerRow: number;
  readonly rowsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Of both threads. */
  readonly cpuUsPerRow: number;
  /** From giving a block to the answer. */
  readonly appendMs: Percentiles;
}

async function measure(name: string, durability: Durability): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const writer = new ThreadSegmentWriter({
      entry: new URL("../../packages/millrace/src/segment-writer-entry.ts", import.meta.url),
      folder,
      newWriter: () => newWriterName(0, systemClock.wallMs()),
      rollMs: 300_000,
      durability,
      walBytesMax: 64 * 2 ** 30,
      diskFreeMin: 0,
      clock: systemClock,
      events: {
        level: () => undefined,
        failed: (error) => {
          throw error;
        },
        recovered: () => undefined,
      },
    });
    const load = new Load(writer);
    await load.run(WARMUP_MS);
    const before = load.rows;
    const appendsBefore = load.appendMs.length;
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    await load.run(MEASURED_MS);
    const tookMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    await writer.close();
    const { byteLength, recordCount } = await readAll(folder);
    if (recordCount !== load.rows) throw new Error(`Wrote ${load.rows}, found ${recordCount}`);
    const measured = load.rows - before;
    const bytesPerRow = byteLength / recordCount;
    return {
      durability: name,
      rows: measured,
      bytesPerRow,
      rowsPerSecond: (measured / tookMs) * 1_000,
      megabytesPerSecond: (measured * bytesPerRow) / tookMs / 1_000,
      cpuUsPerRow: (user + system) / measured,
      appendMs: percentilesOf(load.appendMs.slice(appendsBefore)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packs and gives blocks as fast as they are taken, with a bound on what waits. */
class Load {
  rows = 0;
  readonly appendMs: number[] = [];
  readonly #writer: ThreadSegmentWriter;
  readonly #packer = new BlockWriter();
  readonly #records = new Records();
  #waitingRecords = 0;
  #onAnswer: () => void = () => undefined;

  constructor(writer: ThreadSegmentWriter) {
    this.#writer = writer;
  }

  /** @returns when everything it gave in the time is answered. */
  async run(durationMs: number): Promise<void> {
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs) {
      this.#give();
      while (this.#waitingRecords >= WAITING_RECORDS_MAX) await this.#answer();
    }
    while (this.#waitingRecords > 0) await this.#answer();
  }

  #give(): void {
    while (this.#packer.byteLength < BLOCK_BYTES) this.#packer.add(this.#records.next());
    const block = this.#packer.take();
    const { recordCount } = block;
    const givenMs = performance.now();
    this.rows += recordCount;
    this.#waitingRecords += recordCount;
    void this.#writer.append(block).then(() => {
      this.appendMs.push(performance.now() - givenMs);
      this.#waitingRecords -= recordCount;
      this.#onAnswer();
    });
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => (this.#onAnswer = resolve));
  }
}

/** Predictions of an iris classifier, one unlike the other, made of memory that is used again. */
class Records {
  readonly #input: Tensor = {
    name: "input",
    datatype: "FP32",
    shape: [1, 4],
    data: new Float32Array(4),
  };
  readonly #output: Tensor = {
    name: "probabilities",
    datatype: "FP32",
    shape: [1, 3],
    data: new Float32Array(3),
  };
  #count = 0;

  next(): LoggedPrediction {
    const number = this.#count++;
    (this.#input.data as Float32Array).fill(number % 97);
    (this.#output.data as Float32Array).fill((number % 89) / 89);
    return {
      context: CONTEXT,
      receivedUs: 1_763_740_000_000_000 + number,
      predictionId: `01992f3c-7a5e-7000-8000-${String(number).padStart(12, "0")}`,
      requestId: undefined,
      traceId: undefined,
      errorCode: undefined,
      queueUs: number % 50,
      batchUs: 3,
      inferUs: 18 + (number % 30),
      totalUs: 61 + (number % 90),
      rowCount: 1,
      unitHash: undefined,
      isOutlier: undefined,
      outlierScore: undefined,
      weight: 1,
      payload: "full",
      facts: "",
      inputs: [this.#input],
      outputs: [this.#output],
      summary: undefined,
    };
  }
}

const machine = describeMachine();
const rows: Row[] = [];
for (const [name, durability] of Object.entries(DURABILITIES)) {
  rows.push(await measure(name, durability));
}
const packUs = measurePacking();
report();

/** @returns microseconds a row takes to be made and packed, without a disk. */
function measurePacking(): number {
  const packer = new BlockWriter();
  const records = new Records();
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < WARMUP_MS) {
    while (packer.byteLength < BLOCK_BYTES) packer.add(records.next());
    count += packer.take().recordCount;
  }
  return ((performance.now() - startMs) / count) * 1_000;
}

async function readAll(
  folder: string,
): Promise<{ readonly byteLength: number; readonly recordCount: number }> {
  const store = new FileSegmentStore(folder);
  let byteLength = 0;
  let recordCount = 0;
  for (const { id, byteLength: bytes } of await store.list()) {
    byteLength += bytes;
    const blocks = store.read(id, 0, (text) => {
      throw new Error(text);
    });
    for await (const block of blocks) recordCount += block.recordCount;
  }
  return { byteLength, recordCount };
}

function report(): void {
  const noise = describeNoise(machine);
  const slowest = Math.min(...rows.map(({ rowsPerSecond }) => rowsPerSecond));
  const verdict = slowest >= TARGET_ROWS_PER_SECOND ? "met" : "missed";
  const lines = [
    "# Segments of the prediction log",
    "",
    "Made by `taskset -c 1 node --conditions=@millrace/source benchmarks/prediction-log/segments.ts`: predictions of an",
    `iris classifier with inputs and outputs, packed into blocks of ${BLOCK_BYTES / 1024} KiB and written by the writer's thread, at`,
    `most ${rounded(WAITING_RECORDS_MAX)} waiting; ${MEASURED_MS / 1_000} s after ${WARMUP_MS / 1_000} s to warm up; then all are read back and counted.`,
    "",
    `- Machine: ${machineLine(machine)}; cores it may use: ${availableParallelism()}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    `- Target: ≥ ${rounded(TARGET_ROWS_PER_SECOND)} rows/s on one core, packing included, for each durability: ${verdict}`,
    `- Packing alone: ${rounded(packUs)} µs a row`,
    "",
    ...tableSection(
      "Rows a second",
      [
        "durability",
        "rows/s",
        "MB/s",
        "bytes a row",
        "CPU µs a row",
        "append p50 ms",
        "p95",
        "p99",
      ],
      rows.map((row) => [
        row.durability,
        ...[row.rowsPerSecond, row.megabytesPerSecond, row.bytesPerRow, row.cpuUsPerRow].map(
          rounded,
        ),
        ...[row.appendMs.p50, row.appendMs.p95, row.appendMs.p99].map(rounded),
      ]),
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  const results = join(ROOT, "benchmarks/results");
  mkdirSync(results, { recursive: true });
  writeFileSync(
    join(results, "prediction-log-segments.json"),
    `${JSON.stringify({ machine, packUs, rows }, undefined, 2)}\n`,
  );
  writeFileSync(join(results, "prediction-log-segments.md"), `${lines.join("\n")}\n`);
}
