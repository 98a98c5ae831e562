import { expect, test } from "vitest";
import { ProtobufError, WireReader } from "./wire-reader.ts";
import { varintBytes, writeVarint } from "./wire-writer.ts";

test.each([0, 1, 127, 128, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 35 + 1, Number.MAX_SAFE_INTEGER])(
  "WireReader reads the whole number %d as writeVarint() wrote it",
  (value) => {
    const bytes = Buffer.alloc(varintBytes(value));
    expect(writeVarint(bytes, value, 0)).toBe(bytes.length);
    expect(new WireReader(bytes).safeInteger()).toBe(value);
    expect(new WireReader(bytes).uint64()).toBe(BigInt(value));
  },
);

const MINUS_ONE = Buffer.from("ffffffffffffffffff01", "hex");

test("WireReader reads negative numbers of ten bytes when they are signed", () => {
  expect(new WireReader(MINUS_ONE).int64()).toBe(-1n);
  expect(new WireReader(MINUS_ONE).int32()).toBe(-1);
  expect(new WireReader(MINUS_ONE).safeInteger()).toBe(-1);
  expect(new WireReader(MINUS_ONE).uint64()).toBe(2n ** 64n - 1n);
});

test("bool() is true when only a bit above the 32nd is set", () => {
  expect(new WireReader(Buffer.from("80808080808001", "hex")).bool()).toBe(true);
  expect(new WireReader(Buffer.from("80808080808000", "hex")).bool()).toBe(false);
});

test.each<[string, (reader: WireReader) => unknown, string]>([
  ["a number is cut", (reader) => reader.uint32(), "80"],
  ["a number is longer than 64 bits", (reader) => reader.uint64(), "8080808080808080808001"],
  ["a number would be rounded", (reader) => reader.safeInteger(), "8080808080808010"],
  ["a length goes beyond the end", (reader) => reader.view(), "0501"],
  ["a text is not UTF-8", (reader) => reader.text(), "02c328"],
  ["a field has number 0", (reader) => reader.tag(), "02"],
  ["a group starts", (reader) => reader.skip(11), "00"],
  ["a double is cut", (reader) => reader.double(), "00000000"],
])("WireReader throws when %s", (_what, read, hex) => {
  expect(() => read(new WireReader(Buffer.from(hex, "hex")))).toThrow(ProtobufError);
});

test("enter() keeps a message from reading what follows it", () => {
  const reader = new WireReader(Buffer.from([2, 8, 1, 8, 2]));
  const outerEnd = reader.enter();
  expect([reader.tag(), reader.uint32()]).toEqual([8, 1]);
  expect(() => reader.uint32()).toThrow(ProtobufError);
  reader.leave(outerEnd);
  expect([reader.tag(), reader.uint32()]).toEqual([8, 2]);
});
