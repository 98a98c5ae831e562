import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { readBlock } from "./block-reader.ts";
import { BlockWriter } from "./block-writer.ts";
import { randomRecord, testContext, testRecord } from "./test-record.ts";

function blockOf(seed: number): Uint8Array {
  const random = new TestRandom(seed);
  const writer = new BlockWriter();
  for (let i = 0; i < 20; i++) writer.add(randomRecord(random, [testContext()]));
  return writer.take().bytes;
}

it("readBlock() reads a block wherever it lies in memory", () => {
  const block = blockOf(1);
  const around = new Uint8Array(block.length + 11);
  around.set(block, 3);
  expect(readBlock(around.subarray(3, 3 + block.length))).toEqual(readBlock(block));
});

it("readBlock() throws for every block that is cut short", () => {
  const block = blockOf(2);
  for (let length = 0; length < block.length; length++) {
    expect(() => readBlock(block.subarray(0, length)), `${length} bytes`).toThrow(/./);
  }
});

it("readBlock() throws or reads, and ends, whatever bytes are changed", () => {
  const random = new TestRandom(3);
  const block = blockOf(3);
  let thrown = 0;
  for (let i = 0; i < 3_000; i++) {
    const changed = block.slice();
    for (let n = 0; n <= random.below(3); n++)
      changed[random.below(block.length)] = random.below(256);
    try {
      readBlock(changed);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      thrown++;
    }
  }
  expect(thrown).toBeGreaterThan(1_000);
});

it("readBlock() makes no room for elements that are not there", () => {
  const writer = new BlockWriter();
  const empty = {
    name: "e",
    datatype: "INT64",
    shape: [2 ** 40, 0],
    data: new BigInt64Array(0),
  } as const;
  writer.add(testRecord({ inputs: [empty] }));
  const { bytes } = writer.take();
  expect(readBlock(bytes)[0]?.inputs).toEqual([empty]);
  const at = Buffer.from(bytes).indexOf(Buffer.from([1, 0x65, 8, 2])) + 4; // name, datatype, rank, then 2^40
  bytes[at + 6] = 1; // the extent 0 becomes 1
  expect(() => readBlock(bytes)).toThrow("are not there");
});

it("readBlock() throws for bytes that are none", () => {
  expect(() => readBlock(new Uint8Array(0))).toThrow("Cannot read the block");
  expect(() => readBlock(new Uint8Array(64))).toThrow("does not begin as one");
});
