import { expect, test } from "vitest";
import {
  concatBytes,
  encodeBytesField,
  encodeIntegerField,
  encodeTextField,
  FieldCursor,
  ProtobufError,
} from "./protobuf.ts";

function cursorAt(bytes: readonly number[]): FieldCursor {
  const cursor = new FieldCursor(Uint8Array.from(bytes));
  cursor.next();
  return cursor;
}

test("FieldCursor visits every field in order when wire types differ", () => {
  const message = concatBytes([
    encodeIntegerField(1, 300),
    Uint8Array.of(0x15, 1, 2, 3, 4), // field 2, 32 bits
    Uint8Array.of(0x19, 1, 2, 3, 4, 5, 6, 7, 8), // field 3, 64 bits
    encodeTextField(20, "näme"),
  ]);
  const cursor = new FieldCursor(message);
  const numbers: number[] = [];
  while (cursor.next()) numbers.push(cursor.number);
  expect(numbers).toEqual([1, 2, 3, 20]);
  expect(cursor.text()).toBe("näme");
});

test("FieldCursor.next() returns false when the message is empty", () => {
  expect(new FieldCursor(new Uint8Array(0)).next()).toBe(false);
});

test("FieldCursor.bytes() gives a view when the field is nested", () => {
  const message = encodeBytesField(7, Uint8Array.of(1, 2, 3));
  const cursor = new FieldCursor(message);
  cursor.next();
  expect(cursor.bytes()).toEqual(Uint8Array.of(1, 2, 3));
  expect(cursor.bytes().buffer).toBe(message.buffer);
});

test("FieldCursor.int64() reads all 64 bits when the number is negative or large", () => {
  expect(cursorAt([8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).int64()).toBe(-1n);
  expect(cursorAt([8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).int64()).toBe(
    2n ** 63n - 1n,
  );
});

test("FieldCursor.int64s() reads the same numbers when they are packed or single", () => {
  expect(cursorAt([8, 5]).int64s()).toEqual([5n]);
  expect(cursorAt([10, 3, 5, 0xac, 2]).int64s()).toEqual([5n, 300n]);
});

test("FieldCursor.encoded() returns the field as it was when it is copied", () => {
  const field = encodeTextField(3, "as it was");
  const cursor = new FieldCursor(concatBytes([encodeIntegerField(1, 7), field]));
  cursor.next();
  cursor.next();
  expect(cursor.encoded()).toEqual(field);
});

test.each([
  ["a tag", [0x80]],
  ["a length", [0x0a, 0x80]],
  ["a text", [0x0a, 5, 65]],
  ["a number", [0x08, 0x80]],
  ["32 bits", [0x15, 1, 2]],
  ["64 bits", [0x11, 1, 2]],
  ["a length of 4 GB", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
])("FieldCursor.next() throws ProtobufError when the bytes end inside %s", (_, bytes) => {
  expect(() => cursorAt(bytes)).toThrow(ProtobufError);
});

test.each([
  ["field number 0", [0x00, 1]],
  ["a group", [0x0b]],
  ["wire type 7", [0x0f]],
  ["a number of 11 bytes", [0x08, ...Array.from({ length: 11 }, () => 0x80)]],
  ["a header of 6 bytes", [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
])("FieldCursor.next() throws ProtobufError when it meets %s", (_, bytes) => {
  expect(() => cursorAt(bytes)).toThrow(ProtobufError);
});

test("FieldCursor.bytes() throws ProtobufError when the field is a number", () => {
  expect(() => cursorAt([8, 1]).bytes()).toThrow(ProtobufError);
});

test("FieldCursor.int64() throws ProtobufError when the field is a text", () => {
  expect(() => cursorAt([10, 1, 65]).int64()).toThrow(ProtobufError);
});

test("FieldCursor.int64s() throws ProtobufError when packed numbers are cut off", () => {
  expect(() => cursorAt([10, 1, 0x80]).int64s()).toThrow(ProtobufError);
});
