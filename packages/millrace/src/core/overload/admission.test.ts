import { expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { TestBatchingServer } from "./test-batching-server.ts";

const LATER_MS = 1e9;
const OPEN: AdmissionLimits = { concurrency: "off", queue: 1_000, ratePerSecond: undefined };

function setUp(limits: Partial<AdmissionLimits>): { clock: TestClock; admission: Admission } {
  const clock = new TestClock();
  const admission = new Admission({ clock, limits: { ...OPEN, ...limits }, objectiveMs: 100 });
  return { clock, admission };
}

/** Admits one that finds a place, or waits, and is not looked at again. */
function admitOne(admission: Admission): void {
  void admission.admit(0, LATER_MS);
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("admit() lets everything in when nothing is limited", () => {
  const { admission } = setUp({});
  for (let i = 0; i < 5_000; i++) expect(admission.admit(0, LATER_MS)).toBe("admitted");
  expect(admission.inside).toBe(5_000);
});

test("admit() refuses with reason rate and whole seconds when the rate is reached", () => {
  const { clock, admission } = setUp({ ratePerSecond: 0.4 });
  expect(admission.admit(0, LATER_MS)).toBe("admitted");
  expect(admission.admit(0, LATER_MS)).toMatchObject({
    code: "OVERLOADED",
    reason: "rate",
    retryAfterSeconds: 3,
    message: "Cannot predict: the rate is at its limit, 24/m",
  });
  clock.advanceMs(2_500);
  expect(admission.admit(clock.nowMs(), LATER_MS)).toBe("admitted");
  expect(admission.inside).toBe(2);
});

test("admit() refuses with reason concurrency when there is no line, and with queue when it is full", async () => {
  const strict = setUp({ concurrency: 2, queue: 0 }).admission;
  admitOne(strict);
  admitOne(strict);
  expect(strict.admit(0, LATER_MS)).toMatchObject({
    code: "OVERLOADED",
    reason: "concurrency",
    retryAfterSeconds: 1,
    message: "Cannot predict: 2 requests are in work, the limit is 2",
  });
  const { admission } = setUp({ concurrency: 1, queue: 1 });
  admitOne(admission);
  const second = admission.admit(0, LATER_MS);
  expect(admission.admit(0, LATER_MS)).toMatchObject({
    reason: "queue",
    message: "Cannot predict: 1 requests are waiting, the limit is 1",
  });
  admission.release(1, "done");
  await second;
  expect([admission.inside, admission.waiting]).toEqual([1, 0]);
});

test("admit() rejects with DEADLINE_EXCEEDED when the deadline passes in the line, and nothing is inside", async () => {
  const { clock, admission } = setUp({ concurrency: 1 });
  admitOne(admission);
  const waiting = admission.admit(0, 50);
  clock.advanceMs(50);
  await expect(waiting).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect([admission.inside, admission.waiting]).toEqual([1, 0]);
});

test("configure() changes every limit while requests are inside and waiting", async () => {
  const { admission } = setUp({ concurrency: 1, queue: 10 });
  const answers = [1, 2, 3].map(async () => admission.admit(0, LATER_MS));
  admission.configure({ concurrency: "off", queue: 0, ratePerSecond: 1 }, 100);
  await Promise.all(answers);
  expect([admission.inside, admission.waiting]).toEqual([3, 0]);
  expect(admission.admit(0, LATER_MS)).toBe("admitted");
  expect(admission.admit(0, LATER_MS)).toMatchObject({ reason: "rate" });
  admission.configure({ concurrency: "auto", queue: 7, ratePerSecond: undefined }, 100);
  expect(admission.effectiveLimits).toEqual({ concurrency: 256, queue: 7 });
  expect(admission.admit(0, LATER_MS)).toBe("admitted");
});

/** Sends Poisson arrivals for a while. @returns latencies from arrival, the line included, and how many came and were refused. */
async function runOpenLoop(
  admission: Admission,
  server: TestBatchingServer,
  clock: TestClock,
  load: { readonly ratePerSecond: number; readonly durationMs: number; readonly seed: number },
): Promise<{ latenciesMs: number[]; arrivals: number; refused: number }> {
  const random = new TestRandom(load.seed);
  const latenciesMs: number[] = [];
  let arrivals = 0;
  let refused = 0;
  const endMs = clock.nowMs() + load.durationMs;
  const work = (arrivedMs: number): void => {
    server.offer(() => {
      clock.advanceMs(server.nowMs - clock.nowMs());
      latenciesMs.push(server.nowMs - arrivedMs);
      admission.release(server.nowMs - arrivedMs, "done");
    });
  };
  // In steps: a promise goes on only when the loop lets it.
  const stepMs = 0.5;
  while (clock.nowMs() < endMs - stepMs) {
    const nextMs = clock.nowMs() + stepMs;
    const due = poisson(random, (load.ratePerSecond * stepMs) / 1000);
    for (let i = 0; i < due; i++) {
      arrivals++;
      const arrivedMs = clock.nowMs();
      const answer = admission.admit(arrivedMs, arrivedMs + 2_000);
      if (answer === "admitted") work(arrivedMs);
      else if (answer instanceof MillraceError) refused++;
      else void answer.then(() => work(arrivedMs));
    }
    server.advanceTo(nextMs);
    clock.advanceMs(nextMs - clock.nowMs());
    if (admission.waiting > 0) for (let i = 0; i < 4; i++) await Promise.resolve();
    else await Promise.resolve();
  }
  await settle();
  return { latenciesMs, arrivals, refused };
}

function poisson(random: TestRandom, mean: number): number {
  let count = 0;
  for (let sum = -Math.log(1 - random.next()); sum < mean; sum -= Math.log(1 - random.next())) {
    count++;
  }
  return count;
}

test.each([
  ["a model of 8 ms that gains by batches", 0.3, 8, 32],
  ["a model of 0.3 ms", 0.025, 0.28, 32],
  ["a model of 5 ms a row that gains nothing", 5, 0.1, 4],
])(
  "Admission with auto answers 90 %% of capacity within 100 ms at twice the capacity of %s, and recovers",
  async (_name, perRowMs, baseMs, rowsMax) => {
    const { clock, admission } = setUp({ concurrency: "auto" });
    const server = new TestBatchingServer(perRowMs, baseMs, rowsMax);
    const capacity = server.capacityPerSecond;
    await runOpenLoop(admission, server, clock, {
      ratePerSecond: 2 * capacity,
      durationMs: 4_000,
      seed: 1,
    });
    const overload = await runOpenLoop(admission, server, clock, {
      ratePerSecond: 2 * capacity,
      durationMs: 4_000,
      seed: 2,
    });
    const inTime = overload.latenciesMs.filter((latencyMs) => latencyMs <= 100).length;
    expect(inTime / (4 * capacity)).toBeGreaterThanOrEqual(0.9);
    expect(inTime / overload.latenciesMs.length).toBeGreaterThanOrEqual(0.97);
    const half = { ratePerSecond: 0.7 * capacity, seed: 3 };
    await runOpenLoop(admission, server, clock, { ...half, durationMs: 2_000 });
    const after = await runOpenLoop(admission, server, clock, { ...half, durationMs: 3_000 });
    expect(after.refused / after.arrivals).toBeLessThan(0.001);
  },
);

test("Admission with auto refuses nobody when 1,000 come at once to a fast server, again and again", async () => {
  const { clock, admission } = setUp({ concurrency: "auto" });
  const server = new TestBatchingServer(0.01, 0.02, 64);
  let answered = 0;
  const work = (arrivedMs: number): void => {
    server.offer(() => {
      clock.advanceMs(server.nowMs - clock.nowMs());
      answered++;
      admission.release(server.nowMs - arrivedMs, "done");
    });
  };
  for (let burst = 0; burst < 20; burst++) {
    const arrivedMs = clock.nowMs();
    for (let i = 0; i < 1_000; i++) {
      const answer = admission.admit(arrivedMs, arrivedMs + 2_000);
      if (answer === "admitted") work(arrivedMs);
      else if (answer instanceof MillraceError) expect.fail(`burst ${burst}: ${answer.message}`);
      else void answer.then(() => work(arrivedMs));
    }
    for (let ms = 0; ms < 100; ms++) {
      server.advanceTo(arrivedMs + ms + 1);
      clock.advanceMs(arrivedMs + ms + 1 - clock.nowMs());
      await settle();
    }
  }
  expect(answered).toBe(20_000);
  expect([admission.inside, admission.waiting]).toEqual([0, 0]);
});

test("Admission answers as Erlang B says when there are places and no line", async () => {
  const { clock, admission } = setUp({ concurrency: 10, queue: 0 });
  const random = new TestRandom(11);
  let refused = 0;
  const arrivals = 40_000;
  for (let i = 0; i < arrivals; i++) {
    clock.advanceMs(-Math.log(1 - random.next()) * 10); // 100 a second, 100 ms each: 10 erlangs
    if (admission.admit(clock.nowMs(), LATER_MS) === "admitted") {
      clock.schedule(-Math.log(1 - random.next()) * 100, () => admission.release(0, "done"));
    } else refused++;
  }
  expect(refused / arrivals).toBeCloseTo(0.214582, 1.7);
  expect(Math.abs(refused / arrivals - 0.214582)).toBeLessThan(0.01);
});

test("Admission reaches the published overload figures: 1 worker of 10 ms, 1 place, 10 in line, twice the capacity", async () => {
  const { clock, admission } = setUp({ concurrency: 1, queue: 10 });
  const server = new TestBatchingServer(10, 0, 1);
  const { latenciesMs, arrivals, refused } = await runOpenLoop(admission, server, clock, {
    ratePerSecond: 200,
    durationMs: 30_000,
    seed: 12,
  });
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  expect(sorted.length / 3_000).toBeGreaterThanOrEqual(0.95);
  expect(sorted[Math.floor(0.99 * sorted.length)]).toBeLessThanOrEqual(130);
  expect(refused / arrivals).toBeCloseTo(0.5, 1);
});
