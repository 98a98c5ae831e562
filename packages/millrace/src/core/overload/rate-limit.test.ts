import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { RateLimit } from "./rate-limit.ts";

test("take() lets a second's worth pass at once by default, then one for each interval", () => {
  const limit = new RateLimit({ ratePerSecond: 20 });
  for (let i = 0; i < 20; i++) expect(limit.take(5_000)).toBe(0);
  expect(limit.take(5_000)).toBeCloseTo(50);
  expect(limit.take(5_040)).toBeCloseTo(10);
  expect(limit.take(5_050)).toBe(0);
  expect(limit.take(5_050)).toBeCloseTo(50);
});

test("take() lets one pass at once when the rate is less than one a second", () => {
  const limit = new RateLimit({ ratePerSecond: 0.2 });
  expect(limit.take(0)).toBe(0);
  expect(limit.take(0)).toBeCloseTo(5_000);
  expect(limit.take(5_000)).toBe(0);
});

test("take() costs nothing when it refuses", () => {
  const limit = new RateLimit({ ratePerSecond: 10, burst: 1 });
  limit.take(0);
  for (let i = 0; i < 100; i++) expect(limit.take(50)).toBeCloseTo(50);
  expect(limit.take(100)).toBe(0);
});

test("take() does not drift when a day of requests comes exactly at the rate", () => {
  const limit = new RateLimit({ ratePerSecond: 7, burst: 1 });
  let refused = 0;
  for (let i = 0; i < 7 * 86_400; i++) if (limit.take(1e9 + (i * 1000) / 7) > 0) refused++;
  expect(refused).toBe(0);
});

test("take() lets at most rate · t + burst pass in any window, and refuses nobody who waits as told", () => {
  const random = new TestRandom(Date.now() | 0);
  let windows = 0;
  for (let round = 0; round < 200; round++) {
    const ratePerSecond = 0.5 + random.next() * 200;
    const burst = 1 + random.below(30);
    const limit = new RateLimit({ ratePerSecond, burst });
    const passedAtMs: number[] = [];
    let nowMs = random.next() * 1e7;
    for (let i = 0; i < 300; i++) {
      nowMs += random.next() < 0.5 ? 0 : (random.next() * 2000) / ratePerSecond;
      const waitMs = limit.take(nowMs);
      if (waitMs > 0) {
        nowMs += waitMs;
        if (limit.take(nowMs) > 0) expect.fail(`seed ${random.seed}: refused after its wait`);
      }
      passedAtMs.push(nowMs);
    }
    for (let i = 0; i < passedAtMs.length; i++) {
      for (let j = i; j < passedAtMs.length; j++) {
        windows++;
        const seconds = (passedAtMs[j]! - passedAtMs[i]!) / 1000;
        if (j - i + 1 > ratePerSecond * seconds + burst + 1e-3)
          expect.fail(`seed ${random.seed}: ${j - i + 1} in ${seconds} s`);
      }
    }
  }
  expect(windows).toBeGreaterThan(0);
});

test("configure() keeps what was taken and applies the new rate from now on", () => {
  const limit = new RateLimit({ ratePerSecond: 10, burst: 10 });
  for (let i = 0; i < 10; i++) limit.take(0);
  limit.configure({ ratePerSecond: 100, burst: 10 }, 0);
  expect(limit.take(0)).toBeCloseTo(10);
  expect(limit.take(10)).toBe(0);
  limit.configure({ ratePerSecond: 1, burst: 2 }, 10);
  expect(limit.take(10)).toBeCloseTo(1000);
});
