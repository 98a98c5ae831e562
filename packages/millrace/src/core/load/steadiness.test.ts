import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { isSteady } from "./steadiness.ts";

const windows = (answered: readonly number[], p50: readonly number[]) =>
  answered.map((count, i) => ({ answered: count, p50_ms: p50[i] as number }));

const flat = (value: number): number[] => Array.from({ length: 9 }, () => value);

it("isSteady() takes thirds that differ by up to a tenth", () => {
  const thirds = (a: number, b: number, c: number): number[] => [a, a, a, b, b, b, c, c, c];
  expect(isSteady(windows(flat(100), thirds(10, 10.4, 10.9)))).toBe(true);
  expect(isSteady(windows(flat(100), thirds(10, 10.4, 11.5)))).toBe(false);
  expect(isSteady(windows(thirds(100, 104, 109), flat(10)))).toBe(true);
  expect(isSteady(windows(thirds(100, 80, 60), flat(10)))).toBe(false);
});

it("isSteady() takes latencies that differ by less than half a millisecond, whatever share that is", () => {
  expect(isSteady(windows(flat(100), [0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.6, 0.6, 0.6]))).toBe(true);
});

it("isSteady() takes a difference that the scatter within the thirds explains", () => {
  const scattered = [10, 30, 20, 12, 31, 28, 15, 34, 30];
  expect(isSteady(windows(flat(100), scattered))).toBe(true);
});

it("isSteady() calls more than nine of ten series of chance steady, and hardly one that triples", () => {
  const random = new TestRandom(5);
  const RUNS = 500;
  let steady = 0;
  let steadyThoughRising = 0;
  for (let run = 0; run < RUNS; run++) {
    const latencies = Array.from({ length: 30 }, () => 10 + 20 * random.next());
    const answered = latencies.map(() => 100);
    if (isSteady(windows(answered, latencies))) steady += 1;
    const rising = latencies.map((ms, i) => ms * (1 + i / 15));
    if (isSteady(windows(answered, rising))) steadyThoughRising += 1;
  }
  expect(steady / RUNS, `seed ${random.seed}`).toBeGreaterThan(0.9);
  expect(steadyThoughRising / RUNS, `seed ${random.seed}`).toBeLessThan(0.05);
});

it("isSteady() passes what is too short to be judged", () => {
  expect(isSteady([])).toBe(true);
  expect(isSteady(windows([1, 100], [1, 100]))).toBe(true);
});
