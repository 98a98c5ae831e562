import { expect, test } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import type { CachedTensors } from "../../ports/tensor-cache.ts";
import { MemoryTensorCache } from "./memory-tensor-cache.ts";

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

function valueOf(seed: number, count = 1): CachedTensors {
  const data = new Float32Array(count).fill(seed);
  return {
    outputs: [{ name: "y", datatype: "FP32", shape: [1, count], data }],
    storedWallMs: seed,
  };
}

function open(entriesMax: number, bytesMax = MIB, clock = new TestClock()): MemoryTensorCache {
  return new MemoryTensorCache({ entriesMax, bytesMax }, clock);
}

const keysOf = (cache: MemoryTensorCache, ...keys: string[]): string[] =>
  keys.filter((key) => cache.get(key) !== "missing");

test("set() leaves out what was not used for longest when there are too many entries", () => {
  const cache = open(2);
  cache.set("a", valueOf(1), HOUR_MS);
  cache.set("b", valueOf(2), HOUR_MS);
  cache.get("a");
  cache.set("c", valueOf(3), HOUR_MS);
  expect(keysOf(cache, "a", "b", "c")).toEqual(["a", "c"]);
});

test("set() keeps the bytes below their bound", () => {
  const cache = open(1000, 100_000);
  for (let i = 0; i < 200; i++) cache.set(`p:${i}`, valueOf(i, 1000), HOUR_MS);
  const { entries, bytes } = cache.usage();
  expect(bytes).toBeLessThanOrEqual(100_000);
  expect(entries).toBeGreaterThan(15);
  expect(keysOf(cache, "p:0", "p:199")).toEqual(["p:199"]);
});

test("set() does not keep what is larger than the cache, nor what was there before it", () => {
  const cache = open(1000, 10_000);
  cache.set("a", valueOf(1), HOUR_MS);
  cache.set("b", valueOf(2), HOUR_MS);
  cache.set("a", valueOf(3, 5000), HOUR_MS);
  expect(keysOf(cache, "a", "b")).toEqual(["b"]);
});

test("get() finds a value as long as its time says, whenever the clock began", () => {
  for (const beginMs of [0, 1_000_000]) {
    const clock = new TestClock();
    clock.advanceMs(beginMs);
    const cache = open(10, MIB, clock);
    cache.set("a", valueOf(1), 100);
    clock.advanceMs(100);
    expect(keysOf(cache, "a")).toEqual(["a"]);
    clock.advanceMs(1);
    expect(keysOf(cache, "a")).toEqual([]);
  }
});

test("get() is answered at once, by the same tensors each time", () => {
  const cache = open(10);
  const value = valueOf(1);
  cache.set("a", value, HOUR_MS);
  expect((cache.get("a") as CachedTensors).outputs).toBe(value.outputs);
});

test("setBounds() keeps what was used last, with the time it has left", () => {
  const clock = new TestClock();
  const cache = open(10, MIB, clock);
  for (const key of ["a", "b", "c"]) cache.set(key, valueOf(1), 100);
  cache.get("a");
  clock.advanceMs(60);
  cache.setBounds({ entriesMax: 2, bytesMax: MIB });
  expect(keysOf(cache, "a", "b", "c")).toEqual(["a", "c"]);
  cache.setBounds({ entriesMax: 10, bytesMax: MIB });
  clock.advanceMs(41);
  expect(keysOf(cache, "a", "c")).toEqual([]);
});

test("setBounds() makes room by bytes", () => {
  const cache = open(100, MIB);
  for (let i = 0; i < 100; i++) cache.set(`p:${i}`, valueOf(i, 1000), HOUR_MS);
  cache.setBounds({ entriesMax: 100, bytesMax: 50_000 });
  expect(cache.usage().bytes).toBeLessThanOrEqual(50_000);
  expect(keysOf(cache, "p:0", "p:99")).toEqual(["p:99"]);
});

test("a cache of many small bytes takes little memory for entries it can never have", () => {
  const before = process.memoryUsage().heapUsed;
  const cache = open(100_000_000, MIB);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * MIB);
  for (let i = 0; i < 5_000; i++) cache.set(`p:${i}`, valueOf(i), HOUR_MS);
  expect(cache.usage().entries).toBeGreaterThan(1_000);
});

test("close() frees everything, and nothing is stored afterwards", async () => {
  const cache = open(10);
  cache.set("a", valueOf(1), HOUR_MS);
  await cache.close();
  cache.set("b", valueOf(1), HOUR_MS);
  expect(cache.usage()).toEqual({ entries: 0, bytes: 0 });
});
