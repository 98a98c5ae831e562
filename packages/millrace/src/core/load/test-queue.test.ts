import { describe, expect, it } from "vitest";
import { quantile } from "../stats/quantile.ts";
import { TestRandom } from "../test-random.ts";
import { serve, type TestQueue } from "./test-queue.ts";

// The simulated queues that other tests stand on are themselves held against the formulas of queueing theory.

const SERVICE_MS = 10;
const REQUESTS = 400_000;

/** Queue of Poisson arrivals and exponential service, `offered` erlangs of work. */
function simulate(queue: Partial<TestQueue>, offered: number) {
  const random = new TestRandom(2026);
  const rate = (1000 * offered) / SERVICE_MS;
  const load = { rate, warmupMs: 20_000, durationMs: (REQUESTS / rate) * 1000 };
  const responseMs: number[] = [];
  let refused = 0;
  const whole: TestQueue = {
    servers: 1,
    serviceMs: SERVICE_MS,
    service: "exponential",
    spacing: "poisson",
    ...queue,
  };
  serve(whole, load, random, (atMs, doneMs, isRefused) => {
    if (atMs < 0) return;
    if (isRefused) refused += 1;
    else responseMs.push(doneMs - atMs);
  });
  return { responseMs, refused: refused / (refused + responseMs.length) };
}

/** Share of requests that find all c servers busy and no place to wait: Bₖ = a·Bₖ₋₁/(k + a·Bₖ₋₁), B₀ = 1. */
function erlangB(servers: number, offered: number): number {
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (offered * blocked) / (k + offered * blocked);
  return blocked;
}

/** Share of requests that have to wait where all may: c·B/(c − a·(1 − B)). */
function erlangC(servers: number, offered: number): number {
  const blocked = erlangB(servers, offered);
  return (servers * blocked) / (servers - offered * (1 - blocked));
}

describe("formulas", () => {
  it.each([
    [10, 5, 0.018385],
    [10, 10, 0.214582],
    [100, 90, 0.026957],
    [4, 4, 0.31068],
  ])("erlangB(%d, %d) is the published %d", (servers, offered, share) => {
    expect(erlangB(servers, offered)).toBeCloseTo(share, 5);
  });

  it.each([
    [4, 0.8, 0.596432],
    [8, 0.9, 0.701533],
    [1, 0.5, 0.5],
  ])("erlangC() of %d servers that are busy to %d is the published %d", (servers, busy, share) => {
    expect(erlangC(servers, servers * busy)).toBeCloseTo(share, 5);
  });
});

it.each([
  [50, 92.103],
  [80, 230.259],
])("serve() of one server that does 100/s has at %d/s the p99 of M/M/1, %d ms", (rate, p99Ms) => {
  const { responseMs } = simulate({}, rate / 100);
  const found = quantile(Float64Array.from(responseMs).toSorted(), 0.99);
  expect(found / p99Ms).toBeGreaterThan(0.95);
  expect(found / p99Ms).toBeLessThan(1.05);
});

it.each([
  [4, 0.8],
  [8, 0.9],
])("serve() of %d servers that are busy to %d has the mean wait of Erlang C", (servers, busy) => {
  const { responseMs } = simulate({ servers }, servers * busy);
  const waitMs = responseMs.reduce((sum, ms) => sum + ms, 0) / responseMs.length - SERVICE_MS;
  const expected = (erlangC(servers, servers * busy) * SERVICE_MS) / (servers * (1 - busy));
  expect(waitMs / expected).toBeGreaterThan(0.9);
  expect(waitMs / expected).toBeLessThan(1.1);
});

it.each([
  [10, 10],
  [4, 4],
])(
  "serve() of %d servers without a place to wait refuses what Erlang B says",
  (servers, offered) => {
    const { refused } = simulate({ servers, placesMax: servers }, offered);
    expect(refused / erlangB(servers, offered)).toBeGreaterThan(0.98);
    expect(refused / erlangB(servers, offered)).toBeLessThan(1.02);
  },
);
