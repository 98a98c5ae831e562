import { expect, it } from "vitest";
import { TestRandom } from "../core/test-random.ts";
import type { LimitsConfig } from "./config.ts";
import { divideLimits } from "./divide-limits.ts";

const CASES = 500;
const SEED = Date.now() % 2 ** 31;

function partsOf(limits: LimitsConfig, processes: number): LimitsConfig[] {
  return Array.from({ length: processes }, (_, index) => divideLimits(limits, processes, index));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers);
}

it("divideLimits() makes parts that add up to the whole and differ by at most 1", () => {
  const random = new TestRandom(SEED);
  for (let i = 0; i < CASES; i++) {
    const processes = 1 + random.below(64);
    const concurrency = 1 + random.below(random.pick([3, 100, 100_000]));
    const queue = random.below(random.pick([3, 100, 1_000_000]));
    const ratePerSecond = random.below(100_000) / 7;
    const limits = { concurrency, queue, ratePerSecond };
    const parts = partsOf(limits, processes);
    const concurrencies = parts.map((part) => Number(part.concurrency));
    const queues = parts.map((part) => part.queue);
    const rates = parts.map((part) => part.ratePerSecond ?? Number.NaN);
    const found = {
      concurrency: sum(concurrencies),
      queue: sum(queues),
      least: Math.min(...concurrencies, ...queues.map((part) => part + 1)),
      isFair: spread(concurrencies) <= 1 && spread(queues) <= 1 && spread(rates) === 0,
      isRateWhole: Math.abs(sum(rates) - ratePerSecond) < 1e-6,
    };
    expect(found, `seed ${SEED}: ${JSON.stringify(limits)} in ${processes}`).toEqual({
      concurrency: Math.max(concurrency, processes),
      queue,
      least: expect.toSatisfy((least: number) => least >= 1) as number,
      isFair: true,
      isRateWhole: true,
    });
  }
});

it("divideLimits() leaves auto, off and a missing rate as they are", () => {
  const limits = { concurrency: "auto", queue: 3, ratePerSecond: undefined } as const;
  expect(partsOf(limits, 2)).toEqual([
    { concurrency: "auto", queue: 2, ratePerSecond: undefined },
    { concurrency: "auto", queue: 1, ratePerSecond: undefined },
  ]);
  expect(divideLimits({ ...limits, concurrency: "off" }, 2, 1).concurrency).toBe("off");
});

it("divideLimits() gives the only process everything", () => {
  const limits = { concurrency: 5, queue: 0, ratePerSecond: 0.5 };
  expect(divideLimits(limits, 1, 0)).toEqual(limits);
});
