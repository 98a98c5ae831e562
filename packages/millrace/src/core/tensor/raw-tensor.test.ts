import { describe, expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { TestRandom } from "../test-random.ts";
import { allocate, DATATYPES, type Datatype, type TensorData } from "./datatype.ts";
import { checkByteOrder, rawByteLength, readRaw, readText, writeRaw } from "./raw-tensor.ts";

const AT = ["body", "inputs", 0, "data"];

/** Elements and their bytes, written down by hand from the protocol's text. */
const GOLDEN: readonly (readonly [Datatype, TensorData, readonly number[]])[] = [
  ["BOOL", Uint8Array.of(1, 0, 1), [1, 0, 1]],
  ["UINT8", Uint8Array.of(0, 255), [0x00, 0xff]],
  ["UINT16", Uint16Array.of(1, 65535), [0x01, 0x00, 0xff, 0xff]],
  ["UINT32", Uint32Array.of(1, 0xfffffffe), [0x01, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]],
  ["UINT64", BigUint64Array.of(2n ** 64n - 2n), [0xfe, 255, 255, 255, 255, 255, 255, 255]],
  ["INT8", Int8Array.of(-128, 127), [0x80, 0x7f]],
  ["INT16", Int16Array.of(-2, 256), [0xfe, 0xff, 0x00, 0x01]],
  ["INT32", Int32Array.of(-2, 0x01020304), [0xfe, 0xff, 0xff, 0xff, 4, 3, 2, 1]],
  ["INT64", BigInt64Array.of(-(2n ** 63n)), [0, 0, 0, 0, 0, 0, 0, 0x80]],
  ["INT64", BigInt64Array.of(2n ** 53n + 1n), [1, 0, 0, 0, 0, 0, 0x20, 0]],
  ["FP16", Uint16Array.of(0x3c00, 0xfc00), [0x00, 0x3c, 0x00, 0xfc]], // 1, -Infinity
  ["BF16", Uint16Array.of(0x3f80), [0x80, 0x3f]], // 1
  ["FP32", Float32Array.of(1, -2.5), [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]],
  ["FP32", Float32Array.of(Infinity, -0), [0, 0, 0x80, 0x7f, 0, 0, 0, 0x80]],
  ["FP64", Float64Array.of(-2.5), [0, 0, 0, 0, 0, 0, 0x04, 0xc0]],
  ["BYTES", ["ab", "", "é"], [2, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa9]],
  ["BYTES", ["\ufeffa\0"], [5, 0, 0, 0, 0xef, 0xbb, 0xbf, 0x61, 0x00]],
  ["FP32", Float32Array.of(), []],
  ["BYTES", [], []],
];

describe("golden bytes", () => {
  test.each(GOLDEN)(
    "readRaw() and writeRaw() of %s [%s] agree with [%s]",
    (datatype, data, bytes) => {
      const tensor = { name: "x", datatype, shape: [data.length], data };
      expect(rawByteLength(tensor)).toBe(bytes.length);
      const written = new Uint8Array(bytes.length + 2);
      expect(writeRaw(tensor, written, 1)).toBe(bytes.length + 1);
      expect([...written]).toEqual([0, ...bytes, 0]);
      expect(readRaw(Uint8Array.from(bytes), datatype, data.length, AT)).toEqual(data);
    },
  );
});

describe("readRaw()", () => {
  test("readRaw() gives a view of aligned bytes and copies others", () => {
    const bytes = new Uint8Array(17);
    const aligned = readRaw(bytes.subarray(8, 16), "FP64", 1, AT) as Float64Array;
    expect(aligned.buffer).toBe(bytes.buffer);
    expect(aligned.byteOffset).toBe(8);
    const copied = readRaw(bytes.subarray(9, 17), "FP64", 1, AT) as Float64Array;
    expect(copied.buffer).not.toBe(bytes.buffer);
  });

  test("readRaw() keeps the bits of NaN, which has many", () => {
    const bytes = Uint8Array.of(1, 0, 0xc0, 0xff);
    const data = readRaw(bytes, "FP32", 1, AT) as Float32Array;
    expect(new Uint8Array(data.buffer, data.byteOffset, 4)).toEqual(bytes);
  });

  test.each<[string, Datatype, number, number[], string]>([
    ["bytes are short", "FP32", 2, [0, 0, 0, 0], "body.inputs.0.data: found 4 bytes, shape asks"],
    ["bytes are long", "INT8", 1, [0, 0], "found 2 bytes, shape asks for 1 elements of INT8 (1 b"],
    ["the count is huge", "FP64", 2 ** 53 - 1, [0], "found 1 bytes"],
    ["a BOOL is 2", "BOOL", 2, [1, 2], "body.inputs.0.data.1: found byte 2, expected 0 or 1"],
    ["there are fewer lengths", "BYTES", 2, [0, 0, 0, 0], "2 elements have a length of 4 bytes"],
    ["a huge count of texts", "BYTES", 2 ** 53 - 1, [0, 0, 0, 0], "found 4 bytes"],
    ["a text is too long", "BYTES", 1, [2, 0, 0, 0, 65], "data.0: its length is 2, 1 bytes are"],
    ["a length is 2^32-1", "BYTES", 1, [255, 255, 255, 255], "its length is 4294967295, 0 bytes"],
    ["a length is cut off", "BYTES", 2, [1, 0, 0, 0, 65, 0, 0, 0], "data.1: missing: the bytes"],
    ["bytes are left", "BYTES", 1, [0, 0, 0, 0, 9], "found 1 bytes behind the last of 1 elements"],
    [
      "a text is not UTF-8",
      "BYTES",
      1,
      [1, 0, 0, 0, 0xff],
      "data.0: found bytes that are not UTF-8",
    ],
    ["a text is a surrogate", "BYTES", 1, [3, 0, 0, 0, 0xed, 0xa0, 0x80], "not UTF-8"],
  ])("readRaw() refuses when %s", (...[, datatype, count, bytes, message]) => {
    const read = (): unknown => readRaw(Uint8Array.from(bytes), datatype, count, AT);
    expect(read).toThrow(MillraceError);
    expect(read).toThrow(message);
  });

  test("readText() takes all bytes as one text", () => {
    expect(readText(Uint8Array.of(0x61, 0xc3, 0xa9), ["body"])).toBe("aé");
    expect(() => readText(Uint8Array.of(0xc3), ["body"])).toThrow("not UTF-8");
  });
});

test("checkByteOrder() lets this host serve", () => {
  expect(checkByteOrder).not.toThrow();
});

describe("random tensors", () => {
  const random = new TestRandom(20260727);

  test(`readRaw() gives back what writeRaw() wrote (seed ${random.seed})`, () => {
    for (let round = 0; round < 300; round++) {
      const datatype = random.pick(Object.keys(DATATYPES) as [Datatype]);
      const data = randomData(datatype, random.below(40), random);
      const tensor = { name: "x", datatype, shape: [data.length], data };
      const offset = random.below(9);
      const target = new Uint8Array(rawByteLength(tensor) + offset);
      writeRaw(tensor, target, offset);
      const read = readRaw(target.subarray(offset), datatype, data.length, AT);
      expect(read, `round ${round}, ${datatype}`).toEqual(data);
    }
  });

  test(`readRaw() refuses or reads any bytes, and never crashes (seed ${random.seed})`, () => {
    for (let round = 0; round < 2_000; round++) {
      const datatype = random.pick(Object.keys(DATATYPES) as [Datatype]);
      const bytes = Uint8Array.from({ length: random.below(30) }, () => random.below(4));
      try {
        readRaw(bytes, datatype, random.below(8), AT);
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError);
      }
    }
  });
});

function randomData(datatype: Datatype, count: number, random: TestRandom): TensorData {
  const data = allocate(datatype, count);
  if (Array.isArray(data)) return data.map(() => randomText(random));
  const bytes = new Uint8Array(data.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(datatype === "BOOL" ? 2 : 256);
  return data;
}

function randomText(random: TestRandom): string {
  const characters = ["a", "é", "世", "🙂", "\0", "\ufeff"] as const;
  return Array.from({ length: random.below(30) }, () => random.pick(characters)).join("");
}
