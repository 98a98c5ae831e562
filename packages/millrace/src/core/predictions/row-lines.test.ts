import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { readBlock } from "./block-reader.ts";
import { BlockWriter } from "./block-writer.ts";
import { rowsOf } from "./log-rows.ts";
import { rowLines } from "./row-lines.ts";
import { randomRecord, testContext, testRecord } from "./test-record.ts";

it("rowLines() writes the rows of a record as lines of JSON", () => {
  const random = new TestRandom(6);
  for (let i = 0; i < 30; i++) {
    const record = randomRecord(random, [testContext()]);
    const lines = rowLines(record, "p0");
    expect(lines.endsWith("\n")).toBe(true);
    const rows = lines
      .slice(0, -1)
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toEqual(
      rowsOf(record, "p0").map((row) => JSON.parse(JSON.stringify(row)) as unknown),
    );
  }
});

it("rowLines() writes no half of a surrogate pair, which readers of JSON refuse", () => {
  const half = "a\ud800b";
  const writer = new BlockWriter();
  writer.add(
    testRecord({
      requestId: half,
      context: testContext({ labels: [half, half, half] }),
      inputs: [{ name: half, datatype: "BYTES", shape: [1], data: [half] }],
    }),
  );
  const [record] = readBlock(writer.take().bytes);
  const line = rowLines(record ?? testRecord(), "p0");
  expect(line).toContain("a\ufffdb");
  expect(line.isWellFormed()).toBe(true);
  expect(line).not.toContain("\\ud");
});
