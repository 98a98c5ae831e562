import { expect, it } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { readBlock } from "../../core/predictions/block-reader.ts";
import type { ExposureRow } from "../../core/predictions/exposure-row.ts";
import { fp32, testRecord } from "../../core/predictions/test-record.ts";
import { TestClock } from "../../core/test-clock.ts";
import { LogRing, RING_RECORDS_MAX } from "./log-ring.ts";
import { TestSegmentWriter } from "./test-segment-writer.ts";

function createRing() {
  const clock = new TestClock();
  const writer = new TestSegmentWriter();
  const lost: number[] = [];
  const lines: string[] = [];
  const write = (_fields: object, text: string): void => void lines.push(text);
  const log = { debug: write, info: write, warn: write, error: write };
  const openWriter = (events: Parameters<TestSegmentWriter["open"]>[0]) => writer.open(events);
  const onLost = (count: number): void => void lost.push(count);
  return { clock, writer, lost, lines, ring: new LogRing({ openWriter, clock, log, onLost }) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** 40 KiB */
const large = testRecord({ inputs: [fp32("x", [10_240], new Array<number>(10_240).fill(1))] });

it("add() opens no writer before there is a block to write", () => {
  const { ring, writer } = createRing();
  ring.add(testRecord());
  expect(writer.events).toBeUndefined();
  expect(ring.usage).toEqual({ writtenBytes: 0, walBytes: 0, durableLagMs: 0, ringRecords: 1 });
});

it("add() gives the block to the writer 20 ms after its first record", () => {
  const { ring, writer, clock } = createRing();
  ring.add(testRecord());
  clock.advanceMs(10);
  ring.add(testRecord());
  clock.advanceMs(9);
  expect(writer.blocks).toHaveLength(0);
  clock.advanceMs(1);
  expect(writer.blocks.map(({ recordCount }) => recordCount)).toEqual([2]);
  clock.advanceMs(1_000);
  expect([writer.blocks.length, clock.timerCount]).toEqual([1, 0]);
});

it("add() gives a block of 256 KiB to the writer at once", () => {
  const { ring, writer, clock } = createRing();
  for (let i = 0; i < 6; i++) ring.add(large);
  expect(writer.blocks).toHaveLength(0);
  ring.add(large);
  expect(writer.blocks.map(({ recordCount }) => recordCount)).toEqual([7]);
  expect(clock.timerCount).toBe(0);
});

it("add() refuses what no block can hold", () => {
  const { ring } = createRing();
  const text = "x".repeat(6 * 1024 * 1024);
  expect(ring.add(testRecord({ facts: text }))).toBe(false);
  expect(ring.usage.ringRecords).toBe(0);
});

it("levelIndex gets worse from half full to full, and better when blocks are written", async () => {
  const { ring, writer, clock } = createRing();
  writer.isHeld = true;
  const levels = new Map<number, number>();
  for (let i = 0; i <= RING_RECORDS_MAX; i++) {
    if (!levels.has(ring.levelIndex)) levels.set(ring.levelIndex, i);
    ring.add(testRecord());
  }
  expect([...levels]).toEqual([
    [0, 0],
    [1, RING_RECORDS_MAX / 2],
    [2, 0.75 * RING_RECORDS_MAX],
    [3, RING_RECORDS_MAX],
  ]);
  clock.advanceMs(20);
  writer.release();
  await settled();
  expect([ring.levelIndex, ring.usage.ringRecords]).toEqual([0, 0]);
});

it("levelIndex knows of bytes too", () => {
  const { ring, writer } = createRing();
  writer.isHeld = true;
  for (let i = 0; i < 900; i++) ring.add(large);
  expect(ring.levelIndex).toBe(1);
});

it("room() resolves when something was written, or when time is up", async () => {
  const { ring, writer, clock } = createRing();
  writer.isHeld = true;
  ring.add(testRecord());
  clock.advanceMs(20);
  const events: string[] = [];
  void ring.room(5)?.then(() => events.push("first"));
  clock.advanceMs(4);
  await settled();
  expect(events).toEqual([]);
  clock.advanceMs(1);
  await settled();
  expect(events).toEqual(["first"]);
  void ring.room(5)?.then(() => events.push("second"));
  writer.release();
  await settled();
  expect(events).toEqual(["first", "second"]);
  expect(clock.timerCount).toBe(0);
});

it("add() counts the rows that the writer could never write, and says so", async () => {
  const { ring, writer, clock, lost, lines } = createRing();
  writer.isHeld = true;
  ring.add(testRecord());
  const tensors = { inputs: undefined, outputs: undefined };
  ring.add(testRecord({ rowCount: 3, ...tensors }));
  ring.add(testRecord({ rowCount: 5_000, ...tensors })); // one row of the table
  clock.advanceMs(20);
  writer.release(new Error("the thread broke"));
  await settled();
  expect(lost).toEqual([5]);
  expect(lines).toEqual(["5 rows of the prediction log are lost: the thread broke"]);
  expect(ring.usage.ringRecords).toBe(0);
});

it("write() resolves when the block is written, and throws LOG_UNAVAILABLE when it cannot be", async () => {
  const { ring, writer } = createRing();
  const block = () => ({ table: "feedback", recordCount: 1, bytes: new Uint8Array(3) }) as const;
  await ring.write(block());
  expect(writer.blocks.map(({ table }) => table)).toEqual(["feedback"]);
  writer.isHeld = true;
  const refused = ring.write(block());
  writer.release(new Error("gone"));
  await expect(refused).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  writer.events?.level("nothing", "the disk is full");
  await expect(ring.write(block())).rejects.toThrow(MillraceError);
});

it("diskLevel is what the writer says, and people are told", () => {
  const { ring, writer, clock, lines } = createRing();
  ring.add(testRecord());
  clock.advanceMs(20);
  expect(ring.diskLevel).toBe("all");
  writer.events?.level("sampled", "6 GiB wait for sinks, the limit is 5 GiB");
  writer.events?.level("all", "3 GiB wait for sinks");
  expect(lines).toEqual([
    "The prediction log takes one plain row in ten, without inputs and predictions: 6 GiB wait for sinks, the limit is 5 GiB",
    "The prediction log takes everything: 3 GiB wait for sinks",
  ]);
});

it("close() tells of all that was lost, also of what is told once in a while", async () => {
  const { ring, writer, clock, lost, lines } = createRing();
  writer.isHeld = true;
  for (let block = 0; block < 3; block++) {
    ring.add(testRecord());
    clock.advanceMs(20);
  }
  writer.release(new Error("the disk is full"));
  await settled();
  expect(lost).toEqual([1, 1, 1]);
  expect(lines).toEqual(["1 row of the prediction log is lost: the disk is full"]);
  await ring.close();
  await ring.close();
  expect(lines.slice(1)).toEqual(["2 rows of the prediction log are lost: the disk is full"]);
});

it("giveUp() tells what a disk that hangs keeps from being written", () => {
  const { ring, writer, clock, lines } = createRing();
  ring.giveUp();
  writer.isHeld = true;
  ring.add(testRecord());
  clock.advanceMs(20);
  ring.add(testRecord());
  ring.giveUp();
  expect(lines).toEqual([
    "The prediction log lacks 2 requests: the process ends before they are written",
  ]);
});

it("close() writes what is in memory and closes the writer", async () => {
  const { ring, writer } = createRing();
  ring.add(testRecord({ predictionId: "last" }));
  await ring.close();
  expect(
    readBlock(writer.blocks[0]?.bytes ?? new Uint8Array()).map((one) => one.predictionId),
  ).toEqual(["last"]);
  expect(writer.isClosed).toBe(true);
});

const EXPOSURE: ExposureRow = {
  ts: 1_763_740_000_123_456,
  service: "s",
  experiment: "rf",
  phase: 1,
  variant: "control",
  unit_hash: "0f",
  prediction_id: "p",
  propensity: 0.5,
  coverage: 1,
  hash: 0.25,
  node: "p0",
};

it("addExposure() gives lines of JSON to the writer 20 ms after the first, apart from predictions", () => {
  const { ring, writer, clock } = createRing();
  ring.add(testRecord());
  clock.advanceMs(10);
  expect(ring.addExposure(EXPOSURE)).toBe(true);
  expect(ring.addExposure({ ...EXPOSURE, variant: "ä" })).toBe(true);
  expect(ring.usage.ringRecords).toBe(3);
  clock.advanceMs(10);
  expect(writer.blocks.map(({ table }) => table)).toEqual(["predictions"]);
  clock.advanceMs(10);
  expect(writer.blocks.map(({ table, recordCount }) => [table, recordCount])).toEqual([
    ["predictions", 1],
    ["exposures", 2],
  ]);
  expect(writer.takeExposures()).toEqual([EXPOSURE, { ...EXPOSURE, variant: "ä" }]);
});

it("addExposure() gives a block of 256 KiB to the writer at once", () => {
  const { ring, writer, clock } = createRing();
  for (let i = 0; i < 2_000; i++) ring.addExposure(EXPOSURE);
  expect(writer.blocks.length).toBeGreaterThan(0);
  clock.advanceMs(20);
  expect(writer.takeExposures()).toHaveLength(2_000);
});

it("addExposure() refuses when the ring is full, and tells of what is lost", async () => {
  const { ring, writer, clock, lost } = createRing();
  writer.isHeld = true;
  for (let i = 0; i < RING_RECORDS_MAX; i++) expect(ring.addExposure(EXPOSURE)).toBe(true);
  expect(ring.addExposure(EXPOSURE)).toBe(false);
  clock.advanceMs(20);
  writer.release(new Error("the disk is gone"));
  await settled();
  expect(lost.reduce((sum, count) => sum + count, 0)).toBe(RING_RECORDS_MAX);
  expect(ring.addExposure(EXPOSURE)).toBe(true);
});

it("close() writes exposures too", async () => {
  const { ring, writer } = createRing();
  ring.addExposure(EXPOSURE);
  await ring.close();
  expect(writer.takeExposures()).toEqual([EXPOSURE]);
});
