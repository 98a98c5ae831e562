import type { FileHandle } from "node:fs/promises";
import { expect, it } from "vitest";
import { blockHeader } from "./frame.ts";
import { readFrames } from "./read-frames.ts";

const SALT = 7;

function frame(number: number, byteLength = 300): Uint8Array {
  const payload = new Uint8Array(byteLength).fill(number);
  return Buffer.concat([blockHeader(SALT, 1, payload), payload]);
}

/** A file that is longer already while the bytes behind `seen` are still on their way: they are zeros at the first reads. */
function growing(bytes: Uint8Array, seen: number, readsBefore: number): FileHandle {
  let reads = 0;
  const file = {
    read(target: Uint8Array, offset: number, length: number, position: number) {
      const part = Uint8Array.from(bytes.subarray(position, position + length));
      if (reads++ < readsBefore) part.fill(0, Math.max(0, seen - position));
      target.set(part, offset);
      return Promise.resolve({ bytesRead: part.length });
    },
  };
  return file as unknown as FileHandle;
}

async function read(file: FileHandle): Promise<{ numbers: number[]; damages: string[] }> {
  const damages: string[] = [];
  const numbers: number[] = [];
  for await (const { bytes } of readFrames(file, 0, (text) => damages.push(text))) {
    numbers.push(bytes[0] ?? NaN);
  }
  return { numbers, damages };
}

const FRAMES = [frame(1), frame(2), frame(3)];
const BYTES = Buffer.concat(FRAMES);
const [FIRST] = FRAMES.map(({ length }) => length) as [number];

it.each([
  ["nothing of a frame", FIRST],
  ["a part of its header", FIRST + 10],
  ["its header", FIRST + 28],
  ["a part of its bytes", FIRST + 100],
])("readFrames() loses no frame of which only %s was there at first", async (_, seen) => {
  expect(await read(growing(BYTES, seen, 1))).toEqual({ numbers: [1, 2, 3], damages: [] });
});

it("readFrames() ends before a last frame that is not there yet, so that the next look finds it", async () => {
  const { numbers } = await read(growing(BYTES, 2 * FIRST + 28, Infinity));
  expect(numbers).toEqual([1, 2]);
});
