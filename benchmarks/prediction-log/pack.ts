/**
 * What does it cost to log a prediction on the thread that answers it?
 *
 *     node --conditions=@millrace/source benchmarks/prediction-log/pack.ts
 */
import { readBlock } from "../../packages/millrace/src/core/predictions/block-reader.ts";
import { BlockWriter } from "../../packages/millrace/src/core/predictions/block-writer.ts";
import { rowLines } from "../../packages/millrace/src/core/predictions/row-lines.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import { testContext } from "../../packages/millrace/src/core/predictions/test-record.ts";
import { describeMachine } from "../machine.ts";

const RECORDS = 400_000;
const BLOCK_BYTES = 256 * 1024;
const ROUNDS = 5;

const context = testContext({
  columns: { input: ["sepal_length", "sepal_width", "petal_length", "petal_width"] },
});

function recordAt(i: number): LoggedPrediction {
  const id = `01992f3c-7a5e-7000-8000-${String(i).padStart(12, "0")}`;
  return {
    context,
    receivedUs: 1_763_740_000_000_000 + i,
    predictionId: id,
    requestId: id,
    traceId: undefined,
    errorCode: undefined,
    queueUs: 12,
    batchUs: 3,
    inferUs: 18,
    totalUs: 61 + (i % 200),
    rowCount: 1,
    unitHash: undefined,
    isOutlier: undefined,
    outlierScore: undefined,
    weight: 1,
    payload: "full",
    facts: "",
    inputs: [
      {
        name: "input",
        datatype: "FP32",
        shape: [1, 4],
        data: Float32Array.of(5.1, 3.5, 1.4, i % 3),
      },
    ],
    outputs: [
      {
        name: "probabilities",
        datatype: "FP32",
        shape: [1, 3],
        data: Float32Array.of(0.97, 0.02, 0.01),
      },
    ],
    summary: undefined,
  };
}

/** Best of several rounds, in microseconds of CPU time a record: the others were disturbed. */
function best(count: number, round: () => void): number {
  let bestUs = Infinity;
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage();
    round();
    const { user, system } = process.cpuUsage(before);
    bestUs = Math.min(bestUs, user + system);
  }
  return bestUs / count;
}

function print(what: string, microseconds: number): void {
  const perSecond = Math.round(1e6 / microseconds).toLocaleString("en");
  console.log(
    `${what.padEnd(34)} ${microseconds.toFixed(3)} µs a record, ${perSecond} rows a second`,
  );
}

console.log(describeMachine());
const records = Array.from({ length: 2_000 }, (_, i) => recordAt(i));
const writer = new BlockWriter();
let bytes = 0;
print(
  "pack, with taking the blocks",
  best(RECORDS, () => {
    for (let i = 0; i < RECORDS; i++) {
      writer.add(records[i % records.length] as LoggedPrediction);
      if (writer.byteLength >= BLOCK_BYTES) bytes += writer.take().bytes.length;
    }
  }),
);
for (const record of records) writer.add(record);
const block = writer.take();
print(
  "read",
  best(records.length, () => void readBlock(block.bytes)),
);
print(
  "rows as lines of JSON",
  best(records.length, () => {
    for (const record of records) bytes += rowLines(record, "p0").length;
  }),
);
console.log(`${Math.round(block.bytes.length / records.length)} bytes a record`, bytes > 0);
