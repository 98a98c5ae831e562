import { expect, test } from "vitest";
import type { Tensor } from "../tensor/tensor.ts";
import { bytesOf } from "./bytes-of.ts";

const numbers = (count: number): Tensor => {
  return { name: "y", datatype: "FP64", shape: [count], data: new Float64Array(count) };
};

test("bytesOf() grows by the elements, and is above 0 for nothing", () => {
  expect(bytesOf([])).toBeGreaterThan(0);
  expect(bytesOf([numbers(1000)]) - bytesOf([numbers(0)])).toBe(8000);
});

test("bytesOf() counts two bytes a character, which is what text may take", () => {
  const text = (value: string): Tensor => {
    return { name: "y", datatype: "BYTES", shape: [1], data: [value] };
  };
  expect(bytesOf([text("x".repeat(1000))]) - bytesOf([text("")])).toBe(2000);
});

test("bytesOf() is at least what entries really take", () => {
  const before = heapBytes();
  const entries = Array.from({ length: 20_000 }, () => ({
    outputs: [numbers(3)],
    storedWallMs: 1,
  }));
  const taken = heapBytes() - before;
  const estimate = entries.length * bytesOf([numbers(3)]);
  expect(estimate).toBeGreaterThan(0.8 * taken);
});

function heapBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
