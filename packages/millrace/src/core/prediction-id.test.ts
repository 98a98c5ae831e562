import { expect, test } from "vitest";
import { PredictionIds } from "./prediction-id.ts";

const random = (count: number): Uint8Array => {
  const bytes = new Uint8Array(count);
  crypto.getRandomValues(bytes);
  return bytes;
};

test("next() gives UUIDs of version 7 that start with the millisecond", () => {
  const id = new PredictionIds(random).next(0x0189_1234_5678);
  expect(id).toMatch(/^01891234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test.each([0x00, 0xff])("next() keeps version and variant when every random byte is %d", (byte) => {
  const id = new PredictionIds((count) => new Uint8Array(count).fill(byte)).next(1);
  expect(id[14]).toBe("7");
  expect(id[19]).toBe(byte === 0 ? "8" : "b");
});

test("next() gives each random bit a place when the bytes differ", () => {
  const ids = new PredictionIds((count) => Uint8Array.from({ length: count }, (_, i) => i % 10));
  expect(ids.next(0)).toBe("00000000-0000-7001-8203-040506070809");
});

test("next() sorts by time when milliseconds differ", () => {
  const ids = new PredictionIds(random);
  const made = [1, 2, 0xff, 0x100, 2 ** 40, 2 ** 47].map((wallMs) => ids.next(wallMs));
  expect(made.toSorted()).toEqual(made);
});

test("next() gives 100,000 different ids in one millisecond", () => {
  const ids = new PredictionIds(random);
  const made = new Set(Array.from({ length: 100_000 }, () => ids.next(1_700_000_000_000)));
  expect(made.size).toBe(100_000);
});
