import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { TraceIds } from "./trace-ids.ts";

function idsOf(random: TestRandom): TraceIds {
  return new TraceIds((count) => Uint8Array.from({ length: count }, () => random.below(256)));
}

test("TraceIds draws ids of the right length, each once", () => {
  const ids = idsOf(new TestRandom(1_606));
  const traces = Array.from({ length: 2_000 }, () => ids.traceId());
  const spans = Array.from({ length: 2_000 }, () => ids.spanId());
  for (const id of traces) expect(id).toMatch(/^[\da-f]{32}$/);
  for (const id of spans) expect(id).toMatch(/^[\da-f]{16}$/);
  expect(new Set([...traces, ...spans]).size).toBe(4_000);
});

test("TraceIds never gives zeros, which mean that there is no id", () => {
  let draw = 0;
  const ids = new TraceIds((count) => {
    const bytes = new Uint8Array(count);
    if (draw++ > 0) bytes.fill(1);
    return bytes;
  });
  expect(ids.spanId()).toBe("01".repeat(8));
});
