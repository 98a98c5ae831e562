import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { readBlock } from "./block-reader.ts";
import { BlockWriter } from "./block-writer.ts";
import type { LoggedPrediction } from "./logged-prediction.ts";
import { fp32, randomRecord, testContext, testRecord } from "./test-record.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

it.each(SEEDS)("take() gives what readBlock() reads as it was added, seed %i", (seed) => {
  const random = new TestRandom(seed);
  const contexts = [testContext(), testContext({ service: "größe", labels: undefined })];
  const writer = new BlockWriter();
  for (let block = 0; block < 5; block++) {
    const records = Array.from({ length: random.below(60) }, () => randomRecord(random, contexts));
    for (const record of records) expect(writer.add(record)).toBe(true);
    const { recordCount, bytes, table } = writer.take();
    expect({ recordCount, table }).toEqual({ recordCount: records.length, table: "predictions" });
    expect(readBlock(bytes)).toEqual(records);
  }
});

it("take() gives whole numbers of 64 bits with every digit and NaN as it is", () => {
  const inputs = [
    {
      name: "id",
      datatype: "INT64",
      shape: [2],
      data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)),
    },
    { name: "age", datatype: "FP64", shape: [2], data: Float64Array.of(NaN, -0) },
  ] as const;
  expect(roundTrip(testRecord({ inputs })).inputs).toEqual(inputs);
});

it("add() copies: what becomes of the memory afterwards does not matter", () => {
  const data = Float32Array.of(1, 2);
  const writer = new BlockWriter();
  writer.add(testRecord({ inputs: [{ name: "x", datatype: "FP32", shape: [2], data }] }));
  data.fill(9);
  expect([...(readBlock(writer.take().bytes)[0]?.inputs?.[0]?.data ?? [])]).toEqual([1, 2]);
});

it("add() takes a tensor that is a part of a larger memory", () => {
  const data = new Float32Array(Float32Array.from({ length: 300 }, (_, i) => i).buffer, 40, 200);
  const inputs = [{ name: "x", datatype: "FP32", shape: [200], data }] as const;
  expect(roundTrip(testRecord({ inputs })).inputs).toEqual(inputs);
});

it("take() writes a context once, whichever records have it", () => {
  const [a, b] = [testContext({ service: "aaaa" }), testContext({ service: "bbbb" })];
  const writer = new BlockWriter();
  for (let i = 0; i < 10; i++) writer.add(testRecord({ context: i % 2 === 0 ? a : b }));
  const { bytes } = writer.take();
  const text = Buffer.from(bytes).toString("latin1");
  expect(text.split("aaaa")).toHaveLength(2);
  const records = readBlock(bytes);
  expect(records.map(({ context }) => context.service.at(0)).join("")).toBe("ababababab");
  expect(records[0]?.context).toBe(records[2]?.context);
});

it("take() gives a block memory of its own and begins a new one", () => {
  const writer = new BlockWriter();
  writer.add(testRecord({ predictionId: "first" }));
  const first = writer.take();
  writer.add(testRecord({ predictionId: "second" }));
  const second = writer.take();
  expect(first.bytes.byteLength).toBe(first.bytes.buffer.byteLength);
  expect(readBlock(first.bytes).map((record) => record.predictionId)).toEqual(["first"]);
  expect(readBlock(second.bytes).map((record) => record.predictionId)).toEqual(["second"]);
  expect(writer.recordCount).toBe(0);
});

it("add() refuses what the block has no room for and keeps what it has", () => {
  const writer = new BlockWriter(4_096);
  const large = testRecord({ inputs: [fp32("x", [1000], new Array<number>(1000).fill(1))] });
  expect(writer.add(testRecord())).toBe(true);
  expect(writer.add(large)).toBe(false);
  expect(readBlock(writer.take().bytes)).toEqual([testRecord()]);
});

it("add() grows to records much larger than the block was", () => {
  const values = Array.from({ length: 500_000 }, (_, i) => i);
  const record = testRecord({ inputs: [fp32("x", [500_000], values)] });
  expect(roundTrip(record)).toEqual(record);
});

function roundTrip(record: LoggedPrediction): LoggedPrediction {
  const writer = new BlockWriter();
  writer.add(record);
  return readBlock(writer.take().bytes)[0] as LoggedPrediction;
}
