import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { TestBatchingServer } from "./test-batching-server.ts";
import {
  GradientLimit,
  longRunGradient,
  nextLimit,
  type GradientLimitOptions,
} from "./gradient-limit.ts";

test.each([
  [50, 10, 10, 50.8],
  [50, 10, 20, 48.3],
  [50, 10, 40, 45.8],
  [100, 10, 30, 90.8],
])(
  "nextLimit() gives the published Gradient2 figure for limit %d, long %d, short %d",
  (limit, longMs, shortMs, expected) => {
    // 4 of headroom, smoothing 0.2, tolerance 1.5
    expect(nextLimit(limit, longRunGradient(longMs, shortMs, 1.5), 4, 0.2)).toBeCloseTo(expected);
  },
);

/** A server behind a limit and nothing else: what is above it is refused. */
class LimitedServer {
  readonly limit: GradientLimit;
  inFlight = 0;
  refused = 0;
  readonly latenciesMs: number[] = [];
  readonly #server: TestBatchingServer;

  constructor(server: TestBatchingServer, options: GradientLimitOptions) {
    this.#server = server;
    this.limit = new GradientLimit(options);
  }

  /** @returns false when it was refused. */
  offer(onDone: () => void = () => undefined): boolean {
    if (this.inFlight >= this.limit.limit) {
      this.refused++;
      return false;
    }
    this.inFlight++;
    const startMs = this.#server.nowMs;
    this.#server.offer(() => {
      const latencyMs = this.#server.nowMs - startMs;
      this.limit.record(latencyMs, this.inFlight, false, this.#server.nowMs);
      this.inFlight--;
      this.latenciesMs.push(latencyMs);
      onDone();
    });
    return true;
  }

  /** Poisson arrivals. @returns how many came. */
  runOpenLoop(ratePerSecond: number, durationMs: number, random: TestRandom): number {
    const endMs = this.#server.nowMs + durationMs;
    let arrivals = 0;
    for (;;) {
      const atMs =
        this.#server.nowMs + (-Math.log(1 - random.next()) * 1000) / Math.max(ratePerSecond, 1e-9);
      this.#server.advanceTo(Math.min(atMs, endMs));
      if (atMs >= endMs) return arrivals;
      this.offer();
      arrivals++;
    }
  }
}

function highest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

/** perRowMs, baseMs, rowsMax: a tiny model, one of the middle, a big one that gains, one that gains nothing. */
const MODELS = [
  ["10 µs", 0.01, 0.02, 64],
  ["0.3 ms", 0.025, 0.28, 32],
  ["8 ms", 0.3, 8, 32],
  ["6 ms a row", 6, 0.1, 8],
] as const;

test.each(MODELS)(
  "GradientLimit refuses nobody in a closed loop of 1 to 256 clients on a model of %s while latency keeps the objective",
  (_name, perRowMs, baseMs, rowsMax) => {
    let checked = 0;
    for (let clients = 1; clients <= 256; clients += clients < 16 ? 1 : 15) {
      const server = new TestBatchingServer(perRowMs, baseMs, rowsMax);
      const limited = new LimitedServer(server, { objectiveMs: 2_000 });
      const again = (): void => void limited.offer(again);
      for (let i = 0; i < clients; i++) again();
      server.advanceTo(2_500);
      expect(highest(limited.latenciesMs)).toBeLessThan(2_000);
      expect({ clients, refused: limited.refused }).toEqual({ clients, refused: 0 });
      expect(limited.inFlight).toBe(clients);
      checked++;
    }
    expect(checked).toBeGreaterThan(30);
  },
);

test("GradientLimit refuses nobody when 200 are in flight on a model of 6 ms and the objective is 100 ms", () => {
  const server = new TestBatchingServer(0.3, 5.7, 64);
  const limited = new LimitedServer(server, { objectiveMs: 100 });
  const again = (): void => void limited.offer(again);
  for (let i = 0; i < 200; i++) again();
  server.advanceTo(20_000);
  // Batches of 64, 64, 64 and 8 follow each other.
  expect(highest(limited.latenciesMs)).toBeGreaterThan(80);
  expect(highest(limited.latenciesMs)).toBeLessThan(100);
  expect(limited.refused).toBe(0);
});

test.each(MODELS)(
  "GradientLimit keeps latency below 100 ms and answers 90 %% of capacity at twice the capacity of a model of %s",
  (_name, perRowMs, baseMs, rowsMax) => {
    const server = new TestBatchingServer(perRowMs, baseMs, rowsMax);
    const limited = new LimitedServer(server, { objectiveMs: 100 });
    const random = new TestRandom(5);
    limited.runOpenLoop(2 * server.capacityPerSecond, 2_000, random);
    limited.latenciesMs.length = 0;
    limited.runOpenLoop(2 * server.capacityPerSecond, 5_000, random);
    const inTime = limited.latenciesMs.filter((latencyMs) => latencyMs <= 100).length;
    expect(inTime / limited.latenciesMs.length).toBeGreaterThanOrEqual(0.99);
    expect(inTime / (5 * server.capacityPerSecond)).toBeGreaterThanOrEqual(0.9);
  },
);

test.each(MODELS)(
  "GradientLimit refuses nobody from 2 s after an overload of a model of %s",
  (_name, perRowMs, baseMs, rowsMax) => {
    const server = new TestBatchingServer(perRowMs, baseMs, rowsMax);
    const limited = new LimitedServer(server, { objectiveMs: 100 });
    const random = new TestRandom(6);
    limited.runOpenLoop(3 * server.capacityPerSecond, 10_000, random);
    limited.runOpenLoop(0.7 * server.capacityPerSecond, 2_000, random);
    limited.refused = 0;
    const arrivals = limited.runOpenLoop(0.7 * server.capacityPerSecond, 5_000, random);
    expect(limited.refused / arrivals).toBeLessThan(0.001);
  },
);

test("GradientLimit goes to the right limit without falling below it first", () => {
  const server = new TestBatchingServer(0.3, 8, 32);
  const limited = new LimitedServer(server, { objectiveMs: 100 });
  const random = new TestRandom(9);
  const limits: number[] = [];
  for (let i = 0; i < 100; i++) {
    limited.runOpenLoop(2 * server.capacityPerSecond, 50, random);
    limits.push(limited.limit.limit);
  }
  // 75 ms at the capacity of 1.8 a millisecond
  expect(Math.min(...limits)).toBeGreaterThan(120);
  expect(highest(limits.slice(20))).toBeLessThan(150);
});

test("GradientLimit grows from 1 to 256 within a second when latency is low again", () => {
  const limit = new GradientLimit({ objectiveMs: 100, limitInitial: 1 });
  let nowMs = 0;
  while (limit.limit < 256 && nowMs < 5_000) {
    nowMs += 2;
    for (let i = limit.limit; i > 0; i--) limit.record(2, limit.limit, false, nowMs);
  }
  expect(nowMs).toBeLessThan(1_000);
});

test("GradientLimit does not shrink because of a pause that made everything late once", () => {
  const limit = new GradientLimit({ objectiveMs: 100 });
  let nowMs = 0;
  for (let i = 0; i < 20_000; i++) limit.record(1, 64, false, (nowMs += 1 / 64));
  nowMs += 300;
  for (let i = 0; i < 64; i++) limit.record(300, 64, false, nowMs);
  for (let i = 0; i < 20_000; i++) limit.record(1, 64, false, (nowMs += 1 / 64));
  expect(limit.limit).toBe(256);
});

test("GradientLimit shrinks when requests run out of time, with an objective and without", () => {
  for (const options of [{ objectiveMs: 100 }, {}]) {
    const limit = new GradientLimit(options);
    let nowMs = 0;
    for (let i = 0; i < 200; i++) limit.record(20, 10, false, (nowMs += 2));
    for (let i = 0; i < 100; i++) limit.record(50, 256, true, (nowMs += 10));
    expect(limit.limit).toBeLessThan(40);
  }
});

test("GradientLimit keeps some work going when the model alone takes longer than the objective", () => {
  const server = new TestBatchingServer(1, 150, 32);
  const limited = new LimitedServer(server, { objectiveMs: 100 });
  limited.runOpenLoop(2 * server.capacityPerSecond, 20_000, new TestRandom(7));
  limited.latenciesMs.length = 0;
  limited.runOpenLoop(2 * server.capacityPerSecond, 10_000, new TestRandom(8));
  expect(limited.latenciesMs.length / (10 * server.capacityPerSecond)).toBeGreaterThan(0.4);
});

test("GradientLimit without an objective follows the long-run mean and leaves an idle limit alone", () => {
  const limit = new GradientLimit({ limitInitial: 100 });
  let nowMs = 0;
  const recordFor = (ms: number, latencyMs: number, inFlight: number): void => {
    for (let i = 0; i < ms / 2; i++) limit.record(latencyMs, inFlight, false, (nowMs += 2));
  };
  recordFor(2_000, 10, 20);
  expect(limit.limit).toBe(100);
  recordFor(500, 10, 100);
  expect(limit.limit).toBeGreaterThan(110);
  const before = limit.limit;
  recordFor(500, 60, before);
  expect(limit.limit).toBeLessThan(before / 2);
});

test("GradientLimit stays within its bounds whatever it is told", () => {
  const random = new TestRandom(Date.now() | 0);
  for (let round = 0; round < 50; round++) {
    const options = random.next() < 0.5 ? {} : { objectiveMs: 1 + random.next() * 100 };
    const limit = new GradientLimit({ ...options, limitMin: 3, limitMax: 500 });
    let nowMs = random.next() * 1e6;
    for (let i = 0; i < 2_000; i++) {
      nowMs += random.next() < 0.2 ? 0 : random.next() * 50;
      const latencyMs = random.next() < 0.05 ? 0 : random.next() * 400;
      limit.record(latencyMs, random.below(1_000), random.next() < 0.1, nowMs);
      if (!(limit.limit >= 3 && limit.limit <= 500))
        expect.fail(`seed ${random.seed}: ${limit.limit}`);
    }
  }
  expect(random.seed).toBeDefined();
});
