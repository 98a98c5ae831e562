import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import { Breaker, type BreakerPermit, type CallOutcome } from "./breaker.ts";

/** A breaker in the middle of the jitter, and every change of its state. */
function setUp(slowMs?: number): { clock: TestClock; breaker: Breaker; changes: string[] } {
  const clock = new TestClock();
  const changes: string[] = [];
  const onTransition = (from: string, to: string): void => void changes.push(`${from} > ${to}`);
  const breaker = new Breaker({ clock, random: () => 0.5, slowMs, onTransition });
  return { clock, breaker, changes };
}

function permitOf(breaker: Breaker): BreakerPermit {
  const result = breaker.tryAcquire();
  if (result.kind !== "permit") expect.fail(`refused for ${result.retryAfterMs} ms`);
  return result;
}

function call(breaker: Breaker, outcome: CallOutcome, count = 1, tookMs = 1): void {
  for (let i = 0; i < count; i++) breaker.record(permitOf(breaker), outcome, tookMs);
}

test("Breaker opens at 20 calls of which half failed, and not before", () => {
  const { breaker, changes } = setUp();
  call(breaker, "ok", 10);
  call(breaker, "failed", 9);
  expect(breaker.state).toBe("closed");
  call(breaker, "failed");
  expect(breaker.state).toBe("open");
  expect(changes).toEqual(["closed > open"]);
});

test("Breaker stays closed when less than half of many calls failed", () => {
  const { breaker } = setUp();
  call(breaker, "ok", 51);
  call(breaker, "failed", 49);
  expect(breaker.state).toBe("closed");
});

test("Breaker forgets calls that are older than its window", () => {
  const { clock, breaker } = setUp();
  call(breaker, "failed", 19);
  clock.advanceMs(11_000);
  call(breaker, "failed", 19);
  expect(breaker.state).toBe("closed");
  clock.advanceMs(9_999);
  call(breaker, "failed");
  expect(breaker.state).toBe("open");
});

test("Breaker does not count what is ignored", () => {
  const { breaker } = setUp();
  call(breaker, "ignored", 100);
  call(breaker, "failed", 19);
  expect(breaker.state).toBe("closed");
  call(breaker, "failed");
  expect(breaker.state).toBe("open");
});

test("Breaker opens when half of the calls are slow, only if it was told what is slow", () => {
  const { breaker } = setUp(40);
  call(breaker, "ok", 10, 40);
  call(breaker, "ok", 10, 41);
  expect(breaker.state).toBe("open");
  const careless = setUp().breaker;
  call(careless, "ok", 100, 60_000);
  expect(careless.state).toBe("closed");
});

test("tryAcquire() says how long it stays open, then lets 5 probes through at a time", () => {
  const { clock, breaker } = setUp();
  call(breaker, "failed", 20);
  expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: 5_000 });
  clock.advanceMs(4_000);
  expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: 1_000 });
  clock.advanceMs(1_000);
  const probes = Array.from({ length: 5 }, () => permitOf(breaker));
  expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: 1_000 });
  expect(breaker.state).toBe("halfOpen");
  breaker.record(probes[0]!, "ignored", 1);
  permitOf(breaker);
  expect(breaker.tryAcquire().kind).toBe("refused");
});

test("Breaker closes at 4 good probes of 5, and starts with an empty window", () => {
  const { clock, breaker, changes } = setUp();
  call(breaker, "failed", 20);
  clock.advanceMs(5_000);
  call(breaker, "failed");
  call(breaker, "ok", 3);
  expect(breaker.state).toBe("halfOpen");
  call(breaker, "ok");
  expect(changes).toEqual(["closed > open", "open > halfOpen", "halfOpen > closed"]);
  call(breaker, "failed", 19);
  expect(breaker.state).toBe("closed");
});

test("Breaker opens for twice as long, up to 60 s, when 2 probes are bad, and for 5 s again once it was closed", () => {
  const { clock, breaker } = setUp(40);
  call(breaker, "failed", 20);
  for (const openMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: openMs });
    clock.advanceMs(openMs);
    call(breaker, "ok", 1, 41); // slow is bad
    call(breaker, "failed");
  }
  clock.advanceMs(60_000);
  call(breaker, "ok", 4);
  call(breaker, "failed", 20);
  expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: 5_000 });
});

test("Breaker opens again when its probes do not come back", () => {
  const { clock, breaker } = setUp();
  call(breaker, "failed", 20);
  clock.advanceMs(5_000);
  for (let i = 0; i < 5; i++) permitOf(breaker);
  clock.advanceMs(5_000);
  expect(breaker.tryAcquire()).toEqual({ kind: "refused", retryAfterMs: 10_000 });
  expect(breaker.state).toBe("open");
});

test("record() counts nothing when the permit is from an earlier state", () => {
  const { clock, breaker } = setUp();
  const late = Array.from({ length: 40 }, () => permitOf(breaker));
  call(breaker, "failed", 20);
  breaker.record(late[0]!, "ok", 1);
  expect(breaker.state).toBe("open");
  clock.advanceMs(5_000);
  const probe = permitOf(breaker);
  for (let i = 1; i < 10; i++) breaker.record(late[i]!, "failed", 1);
  expect(breaker.state).toBe("halfOpen");
  call(breaker, "ok", 3);
  breaker.record(probe, "ok", 1);
  expect(breaker.state).toBe("closed");
  for (const permit of late) breaker.record(permit, "failed", 1);
  expect(breaker.state).toBe("closed");
});

test("Breaker spreads its open times by a fifth to either side", () => {
  const random = new TestRandom(3);
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const breaker = new Breaker({ clock: new TestClock(), random: () => random.next() });
    call(breaker, "failed", 20);
    const result = breaker.tryAcquire();
    if (result.kind === "refused") times.push(result.retryAfterMs);
  }
  expect(times).toHaveLength(500);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(4_000);
  expect(Math.min(...times)).toBeLessThan(4_050);
  expect(Math.max(...times)).toBeLessThanOrEqual(6_000);
  expect(Math.max(...times)).toBeGreaterThan(5_950);
});

test("Breaker never lets more than 5 probes be under way, whatever comes in whatever order", () => {
  const random = new TestRandom(Date.now() | 0);
  const { clock, breaker } = setUp();
  let permits: BreakerPermit[] = [];
  let halfOpenSeen = 0;
  for (let i = 0; i < 50_000; i++) {
    const before = breaker.state;
    const result = breaker.tryAcquire();
    if (breaker.state !== before) permits = [];
    if (result.kind === "permit") permits.push(result);
    else expect(result.retryAfterMs).toBeGreaterThan(0);
    if (breaker.state === "halfOpen") {
      halfOpenSeen++;
      if (permits.length > 5) expect.fail(`seed ${random.seed}: ${permits.length}`);
    }
    if (permits.length > 0 && random.next() < 0.7) {
      const state = breaker.state;
      const outcome = random.pick<CallOutcome>(["ok", "failed", "ignored"]);
      breaker.record(permits.splice(random.below(permits.length), 1)[0]!, outcome, 1);
      if (breaker.state !== state) permits = [];
    }
    clock.advanceMs(random.below(300));
  }
  expect(halfOpenSeen).toBeGreaterThan(0);
});
