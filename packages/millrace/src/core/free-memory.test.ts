import { markAsUntransferable } from "node:worker_threads";
import { expect, test } from "vitest";
import { freeMemory } from "./free-memory.ts";

test("freeMemory() empties every view of large memory", () => {
  const bytes = Buffer.allocUnsafeSlow(65_536);
  const view = bytes.subarray(100);
  freeMemory(view);
  expect([bytes.length, view.length, bytes.buffer.byteLength]).toEqual([0, 0, 0]);
});

test("freeMemory() leaves alone what is small, shared, locked, or gone already", () => {
  const small = new Float32Array(4_000);
  const shared = new Uint8Array(new SharedArrayBuffer(65_536));
  const locked = new Uint8Array(65_536);
  markAsUntransferable(locked.buffer);
  const gone = new Uint8Array(65_536);
  structuredClone(gone, { transfer: [gone.buffer] });
  for (const view of [small, shared, locked, gone]) freeMemory(view);
  expect([small.length, shared.length, locked.length]).toEqual([4_000, 65_536, 65_536]);
});
