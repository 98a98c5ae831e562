import { describe, expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import { Ejection, type EjectionRules } from "./ejection.ts";

const RULES: EjectionRules = {
  failures: 5,
  everyMs: 10_000,
  timeMs: 30_000,
  timeMsMax: 300_000,
  shareMax: 0.1,
  healthyMin: 0.5,
};

interface World {
  readonly clock: TestClock;
  readonly ejection: Ejection;
  readonly events: string[];
  readonly fail: (host: number, count?: number) => void;
  /** Numbers of the hosts that may be called. */
  readonly usable: () => number[];
}

function setUp(hosts: number, overrides: Partial<EjectionRules> = {}): World {
  const clock = new TestClock();
  const events: string[] = [];
  const ejection = new Ejection({
    clock,
    hosts,
    rules: { ...RULES, ...overrides },
    events: {
      ejected: (host, forMs) => void events.push(`${host} out for ${forMs / 1000} s`),
      returned: (host) => void events.push(`${host} back`),
    },
  });
  return {
    clock,
    ejection,
    events,
    fail: (host, count = 5) => {
      for (let i = 0; i < count; i++) ejection.record(host, true);
    },
    usable: () => Array.from({ length: hosts }, (_, i) => i).filter((i) => ejection.isUsable(i)),
  };
}

describe("Ejection", () => {
  test("Ejection leaves a host alone after 5 failures in a row, for 30 s", () => {
    const { clock, ejection, events, fail, usable } = setUp(2);
    fail(0, 4);
    ejection.record(0, false);
    fail(0, 4);
    expect(usable()).toEqual([0, 1]);
    fail(0, 1);
    expect(usable()).toEqual([1]);
    clock.advanceMs(29_999);
    expect(usable()).toEqual([1]);
    clock.advanceMs(1);
    expect(usable()).toEqual([0, 1]);
    expect(events).toEqual(["0 out for 30 s", "0 back"]);
    expect([ejection.ejectionsOf(0), ejection.ejectionsOf(1)]).toEqual([1, 0]);
  });

  test("Ejection takes 30 s more each time, up to 300 s, and less again after time in use", () => {
    const { clock, events, fail, usable } = setUp(2);
    for (let i = 0; i < 12; i++) {
      fail(0);
      clock.advanceMs(Math.min(300, 30 * (i + 1)) * 1000);
      expect(usable()).toEqual([0, 1]);
    }
    const lengths = events.filter((event) => event.includes("out")).map((event) => event.slice(10));
    expect(lengths).toEqual(
      [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300].map((s) => `${s} s`),
    );
    clock.advanceMs(10 * 10_000 + 9_999); // ten whole intervals in use
    fail(0);
    expect(events.at(-1)).toBe("0 out for 90 s");
    clock.advanceMs(90_000 + 1_000_000);
    fail(0);
    expect(events.at(-1)).toBe("0 out for 30 s");
  });

  test("Ejection leaves at most a tenth of the hosts alone, and one in any case", () => {
    for (const [hosts, most] of [
      [2, 1],
      [9, 1],
      [10, 1],
      [19, 1],
      [20, 2],
      [30, 3],
    ] as const) {
      const { fail, usable } = setUp(hosts);
      for (let host = 0; host < hosts; host++) fail(host, 50);
      expect([hosts, hosts - usable().length]).toEqual([hosts, most]);
    }
  });

  test("Ejection lets go the next bad host when a place is free, at its next failure", () => {
    const { clock, fail, usable } = setUp(3);
    fail(0);
    fail(1);
    expect(usable()).toEqual([1, 2]);
    clock.advanceMs(30_000);
    fail(1, 1);
    expect(usable()).toEqual([0, 2]);
  });

  test("Ejection uses all hosts when fewer than half are left", () => {
    const { clock, ejection, fail, usable } = setUp(4, { shareMax: 1 });
    fail(0);
    fail(1);
    expect([usable(), ejection.isPanic]).toEqual([[2, 3], false]);
    fail(2);
    expect([usable(), ejection.isPanic]).toEqual([[0, 1, 2, 3], true]);
    expect(ejection.isEjected(2)).toBe(true);
    clock.advanceMs(30_000);
    expect([usable(), ejection.isPanic]).toEqual([[0, 1, 2, 3], false]);
  });

  test("Ejection does not lengthen the time of a host that fails in a panic", () => {
    const { clock, ejection, events, fail } = setUp(2, { shareMax: 1 });
    fail(0);
    fail(1);
    clock.advanceMs(29_000);
    fail(0, 50);
    clock.advanceMs(1_000);
    expect(ejection.isEjected(0)).toBe(false);
    expect(events.filter((event) => event.startsWith("0"))).toEqual(["0 out for 30 s", "0 back"]);
  });

  test("Ejection never leaves a single host alone, nor any without rules", () => {
    const single = setUp(1, { shareMax: 1 });
    single.fail(0, 100);
    expect(single.usable()).toEqual([0]);
    const events = { ejected: () => expect.fail(), returned: () => expect.fail() };
    const off = new Ejection({ clock: new TestClock(), hosts: 3, rules: undefined, events });
    for (let i = 0; i < 100; i++) off.record(0, true);
    expect(off.isUsable(0)).toBe(true);
  });

  test("Ejection keeps a host usable and its bound, whatever happens in whatever order", () => {
    const random = new TestRandom(Date.now() | 0);
    for (let round = 0; round < 50; round++) {
      const hosts = 1 + random.below(25);
      const shareMax = random.next();
      const { clock, ejection, usable } = setUp(hosts, { shareMax });
      const most = Math.max(1, Math.floor(shareMax * hosts));
      for (let i = 0; i < 500; i++) {
        ejection.record(random.below(hosts), random.next() < 0.9);
        clock.advanceMs(random.below(3_000));
        const out = Array.from({ length: hosts }, (_, host) => ejection.isEjected(host));
        const outCount = out.filter(Boolean).length;
        if (outCount > most || usable().length === 0) {
          expect.fail(`seed ${random.seed}: ${outCount} of ${hosts} are out`);
        }
        if (usable().length === hosts - outCount) continue;
        if (hosts - outCount >= hosts / 2) expect.fail(`seed ${random.seed}: a panic too early`);
      }
    }
  });
});
