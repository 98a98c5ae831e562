import { expect, test } from "vitest";
import { childSpanId } from "./child-span-id.ts";

test("childSpanId() gives 16 digits, the same for the same parent and ordinal", () => {
  const id = childSpanId("b7ad6b7169203331", 0);
  expect(id).toMatch(/^[\da-f]{16}$/);
  expect(childSpanId("b7ad6b7169203331", 0)).toBe(id);
});

test("childSpanId() gives every ordinal, and every parent, an id of its own", () => {
  const ids = new Set<string>();
  const parents = ["b7ad6b7169203331", "b7ad6b7169203332", "00ad6b7169203331", "0000000000000001"];
  for (const parent of parents) {
    ids.add(parent);
    for (let ordinal = 0; ordinal < 10_000; ordinal++) ids.add(childSpanId(parent, ordinal));
  }
  expect(ids.size).toBe(parents.length * 10_001);
});

test("childSpanId() spreads ids over all bits", () => {
  const counts = new Array<number>(64).fill(0);
  for (let ordinal = 0; ordinal < 2_000; ordinal++) {
    const id = BigInt(`0x${childSpanId("b7ad6b7169203331", ordinal)}`);
    for (let bit = 0; bit < 64; bit++) if ((id >> BigInt(bit)) & 1n) counts[bit]!++;
  }
  // Half of 2,000, within six standard deviations.
  expect(Math.min(...counts)).toBeGreaterThan(1_000 - 134);
  expect(Math.max(...counts)).toBeLessThan(1_000 + 134);
});
