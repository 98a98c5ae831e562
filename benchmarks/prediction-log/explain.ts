// How long does it take to explain a prediction: one that a process remembers, one in a segment of five minutes, one in the
// Parquet files of an hour, one that nobody knows? A service of 1,000 rows a second is assumed.
//   node --conditions=@millrace/source benchmarks/prediction-log/explain.ts [seconds of Parquet, default 3600]
//   two minutes; writes benchmarks/results/prediction-log-explain.{md,json}
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { LocalSegmentWriter } from "../../packages/millrace/src/adapters/segments-file/local-segment-writer.ts";
import { systemFiles } from "../../packages/millrace/src/adapters/segments-file/segment-files.ts";
import { newWriterName } from "../../packages/millrace/src/adapters/segments-file/writer-name.ts";
import { BlockWriter } from "../../packages/millrace/src/core/predictions/block-writer.ts";
import {
  testContext,
  testRecord,
} from "../../packages/millrace/src/core/predictions/test-record.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { ask } from "../../test/e2e/http-client.ts";
import { MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";

const ROWS_PER_SECOND = 1_000;
const SEGMENT_SECONDS = 300;
const PARQUET_SECONDS = Number(process.argv[2] ?? 3_600);
const WARMUP = 20;
const ASKED = 200;
const TARGET_MS = 100;
const BLOCK_BYTES = 256 * 1024;
const LOOK_MS = 500;

const CONTEXT = testContext({ columns: {} });

/** The id of the prediction that began at a millisecond; a thousand a second. */
function idAt(madeMs: number): string {
  const time = madeMs.toString(16).padStart(12, "0");
  const number = (madeMs % 1e12).toString().padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number}`;
}

function openWriter(folder: string, index: number): LocalSegmentWriter {
  const silent = (): void => undefined;
  return new LocalSegmentWriter({
    folder,
    writer: newWriterName(index, systemClock.wallMs()),
    files: systemFiles,
    rollMs: 3_600_000,
    durability: { kind: "off" },
    walBytesMax: 64 * 2 ** 30,
    diskFreeMin: 0,
    clock: systemClock,
    events: { level: silent, failed: silent, recovered: silent },
  });
}

/** Writes a prediction for each millisecond from `fromMs` on. */
async function fill(writer: LocalSegmentWriter, fromMs: number, toMs: number): Promise<void> {
  const block = new BlockWriter();
  for (let ms = fromMs; ms < toMs; ms++) {
    const predictionId = idAt(ms);
    const requestId = predictionId.replace("7000", "4000");
    block.add(testRecord({ context: CONTEXT, predictionId, requestId, receivedUs: ms * 1_000 }));
    if (block.byteLength >= BLOCK_BYTES) await writer.append(block.take());
  }
  if (block.recordCount > 0) await writer.append(block.take());
}

interface Row {
  readonly found: string;
  readonly ms: Percentiles;
}

/** Asks for each of the ids, one after the other. */
async function measure(control: string, ids: readonly string[], found: string): Promise<Row> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  try {
    for (const id of ids) {
      const startMs = performance.now();
      const { status, json } = await ask(control, `/api/v1/predictions/${id}`, { agent });
      times.push(performance.now() - startMs);
      const source = status === 404 ? "nowhere" : (json as { source: string }).source;
      if (source !== found) throw new Error(`${id} was found in ${source}, not in ${found}`);
    }
  } finally {
    agent.destroy();
  }
  return { found, ms: percentilesOf(times.slice(WARMUP)) };
}

interface LogAnswer {
  readonly segments: { readonly count: number; readonly bytes: number };
  readonly tables: readonly { readonly files: number; readonly bytes: number }[];
}

/** Waits until every segment that has ended is a file. */
async function shipped(control: string): Promise<LogAnswer> {
  for (;;) {
    const { status, json } = await ask(control, "/api/v1/log");
    const answer = json as LogAnswer;
    // The log process may still start.
    if (status === 200 && answer.segments.count === 1) return answer;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function predictOnce({ url }: MillraceProcess): Promise<string> {
  const { headers } = await ask(url, "/predict", { body: { data: [[5.1, 3.5, 1.4, 0.2]] } });
  return String(headers["x-prediction-id"]);
}

const machine = describeMachine();
const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const logFolder = join(folder, ".millrace/log");
const random = new TestRandom(6);
try {
  const nowMs = Date.now();
  const segmentFromMs = nowMs - SEGMENT_SECONDS * 1_000;
  const parquetFromMs = segmentFromMs - PARQUET_SECONDS * 1_000;
  for (let fromMs = parquetFromMs; fromMs < segmentFromMs; fromMs += SEGMENT_SECONDS * 1_000) {
    const ended = openWriter(logFolder, 0);
    await fill(ended, fromMs, Math.min(segmentFromMs, fromMs + SEGMENT_SECONDS * 1_000));
    await ended.close();
  }
  const open = openWriter(logFolder, 1);
  await fill(open, segmentFromMs, nowMs);
  const model = join(ROOT, "examples/models/iris_svc.onnx");
  writeFileSync(join(folder, "millrace.yaml"), `models: { iris: ${model} }\n`);
  await using server = await MillraceProcess.start(["up"], { cwd: folder });
  const control = server.facts.control ?? "";
  const { segments, tables } = await shipped(control);
  const pick = (fromMs: number, toMs: number): readonly string[] =>
    Array.from({ length: WARMUP + ASKED }, () => idAt(fromMs + random.below(toMs - fromMs)));
  const remembered: string[] = [];
  for (let i = 0; i < WARMUP + ASKED; i++) remembered.push(await predictOnce(server));
  const rows = [
    await measure(control, remembered, "memory"),
    await measure(control, pick(segmentFromMs, nowMs), "segment"),
    await measure(control, pick(parquetFromMs, segmentFromMs), "parquet"),
    await measure(
      control,
      pick(parquetFromMs, nowMs).map((id) => id.replace("-7000-", "-7001-")),
      "nowhere",
    ),
  ];
  await open.close();
  report(rows, segments.bytes, tables[0] ?? { files: 0, bytes: 0 });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(
  rows: readonly Row[],
  segmentBytes: number,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): void {
  const parquetRows = PARQUET_SECONDS * ROWS_PER_SECOND;
  const isMet = rows.every(({ ms }) => ms.p99 <= TARGET_MS);
  const noise = describeNoise(machine);
  const count = parquetRows.toLocaleString("en");
  const lines = [
    "# Explaining a prediction",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/prediction-log/explain.ts`: `millrace up` with 1,000 rows a",
    `second behind it, ${SEGMENT_SECONDS} s of them in a segment that is still written (${mebibytes(segmentBytes)}), ${count} rows in`,
    `${files} Parquet files (${mebibytes(bytes)}, ${(bytes / parquetRows).toFixed(1)} bytes a row). ${ASKED} predictions of each kind after ${WARMUP} to warm up, one after the`,
    "other, over HTTP on one connection. What a process remembers is looked for in the log too, for its inputs.",
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    `- Target: p99 ≤ ${TARGET_MS} ms wherever it is found: ${isMet ? "met" : "missed"}`,
    "",
    ...tableSection(
      "Milliseconds until the answer",
      ["found in", "p50 ms", "p95", "p99", "max"],
      rows.map(({ found, ms }) => [found, ...[ms.p50, ms.p95, ms.p99, ms.max].map(rounded)]),
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  const results = join(ROOT, "benchmarks/results");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "prediction-log-explain.md"), `${lines.join("\n")}\n`);
  const json = { machine, rows, segmentBytes, files, bytes, parquetRows };
  writeFileSync(join(results, "prediction-log-explain.json"), `${JSON.stringify(json, null, 2)}\n`);
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
