import { expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { CachedTensors } from "../../ports/tensor-cache.ts";
import { decodeCached } from "./decode-cached.ts";
import { checksumOf, encodeCached } from "./encode-cached.ts";

const BYTES_MAX = 1 << 20;
const outputs: Tensor[] = [
  { name: "label", datatype: "BYTES", shape: [2], data: ["setosa", "ä"] },
  { name: "y", datatype: "FP64", shape: [2, 1], data: Float64Array.of(1.5, Number.NaN) },
];
const value: CachedTensors = { outputs, storedWallMs: 1_700_000_000_000.25 };

function encoded(of: CachedTensors = value): Buffer {
  const bytes = encodeCached("p:1", of, BYTES_MAX);
  if (bytes === undefined) throw new Error("it cannot be encoded");
  return bytes;
}

/** As it would be if the checksum were right. */
function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(checksumOf("p:1", bytes), 4);
  return bytes;
}

test("decodeCached() gives back what was encoded, in memory of its own", () => {
  const around = Buffer.concat([Buffer.alloc(3), encoded(), Buffer.alloc(5)]);
  const stored = around.subarray(3, -5);
  const decoded = decodeCached("p:1", stored) as CachedTensors;
  around.fill(0xff);
  expect(decoded).toEqual(value);
});

test("decodeCached() refuses every single flipped bit", () => {
  const bytes = encoded();
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const broken = Buffer.from(bytes);
    broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(decodeCached("p:1", broken), `bit ${bit}`).toBeUndefined();
  }
});

test("decodeCached() refuses every part, and what has more behind it", () => {
  const bytes = encoded();
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeCached("p:1", bytes.subarray(0, length))).toBeUndefined();
  }
  expect(decodeCached("p:1", Buffer.concat([bytes, Buffer.alloc(8)]))).toBeUndefined();
});

test("decodeCached() refuses the value of another key", () => {
  expect(decodeCached("p:2", encoded())).toBeUndefined();
});

test("decodeCached() refuses another version of the form", () => {
  const bytes = encoded();
  bytes[3] = 1;
  expect(decodeCached("p:1", resealed(bytes))).toBeUndefined();
});

test.each(["iris@1\r\nset-cookie: a=b", "iris@1\0", "ä"])(
  "decodeCached() refuses a maker that is no header: %j",
  (madeBy) => {
    expect(decodeCached("p:1", encoded({ ...value, madeBy: "iris@1, b@2" }))?.madeBy).toBe(
      "iris@1, b@2",
    );
    expect(decodeCached("p:1", encoded({ ...value, madeBy }))).toBeUndefined();
  },
);

test("decodeCached() never throws, and never reads beyond the end, whatever a sealed value says", () => {
  const random = new TestRandom(7);
  for (let i = 0; i < 20_000; i++) {
    const bytes = encoded();
    for (let changes = 1 + random.below(4); changes > 0; changes--) {
      bytes[8 + random.below(bytes.length - 8)] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
    }
    const cut =
      random.below(3) === 0 ? bytes.subarray(0, 8 + random.below(bytes.length - 8)) : bytes;
    const decoded = decodeCached("p:1", resealed(cut));
    for (const { shape, data } of decoded?.outputs ?? []) {
      const elements = shape.reduce((product, extent) => product * extent, 1);
      expect(data.length, `seed ${random.seed}`).toBe(elements);
    }
  }
});

test("encodeCached() leaves what is too large, and text that cannot be written", () => {
  expect(encodeCached("p:1", value, encoded().length)).toBeDefined();
  expect(encodeCached("p:1", value, encoded().length - 1)).toBeUndefined();
  const half: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["\ud800"] };
  expect(encodeCached("p:1", { ...value, outputs: [half] }, BYTES_MAX)).toBeUndefined();
  const wide: Tensor = { name: "t", datatype: "BYTES", shape: [2 ** 32, 0], data: [] };
  expect(encodeCached("p:1", { ...value, outputs: [wide] }, BYTES_MAX)).toBeUndefined();
});
