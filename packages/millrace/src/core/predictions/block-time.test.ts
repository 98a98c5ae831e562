import { expect, test } from "vitest";
import { blockTimeUs } from "./block-time.ts";
import { BlockWriter } from "./block-writer.ts";
import { testRecord } from "./test-record.ts";

test("blockTimeUs() tells when the first record was finished", () => {
  const writer = new BlockWriter();
  writer.add(testRecord({ receivedUs: 1_763_740_000_123_456, totalUs: 5_000_000_000 }));
  writer.add(testRecord({ receivedUs: 1 }));
  expect(blockTimeUs(writer.take().bytes)).toBe(1_763_745_000_123_456);
});

test("blockTimeUs() knows none of an empty block, and refuses what is none", () => {
  expect(blockTimeUs(new BlockWriter().take().bytes)).toBeUndefined();
  for (const text of ["", "MLB1", "nonsense that is long enough for a header"]) {
    expect(() => blockTimeUs(Buffer.from(text))).toThrow("Cannot read the block");
  }
});
