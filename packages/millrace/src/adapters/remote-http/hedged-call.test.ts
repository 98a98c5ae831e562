import { describe, expect, test } from "vitest";
import { Cancellation } from "../../core/cancellation.ts";
import { allPromises, settle } from "../../core/graph/test-step.ts";
import { TestClock } from "../../core/test-clock.ts";
import { hedgedCall } from "./hedged-call.ts";

/** How a call ends, and when. */
type Course = readonly [afterMs: number, end: string | Error];

interface World {
  readonly clock: TestClock;
  /** What began and what was cancelled, with its time. */
  readonly log: string[];
  readonly result: Promise<string>;
}

function start(first: Course, second: Course | undefined, cancellation?: Cancellation): World {
  const clock = new TestClock();
  const log: string[] = [];
  const call =
    (name: string, [afterMs, end]: Course) =>
    (own: Cancellation): Promise<string> => {
      log.push(`${clock.nowMs()} ${name}`);
      return new Promise((resolve, reject) => {
        clock.schedule(afterMs, () => (typeof end === "string" ? resolve(end) : reject(end)));
        own.watch(() => {
          log.push(`${clock.nowMs()} ${name} cancelled`);
          reject(own.reason as Error);
        });
      });
    };
  const result = hedgedCall({
    clock,
    afterMs: 50,
    cancellation,
    first: call("first", first),
    second: (own) => (second === undefined ? undefined : call("second", second)(own)),
  });
  return { clock, log, result };
}

describe("hedgedCall()", () => {
  test("hedgedCall() makes no second call when the first answers in time, and leaves no timer", async () => {
    const { clock, log, result } = start([49, "a"], [0, "b"]);
    expect(await settle(clock, result)).toBe("a");
    expect([log, clock.timerCount]).toEqual([["0 first"], 0]);
  });

  test("hedgedCall() takes the second answer when that comes first, and cancels the first call", async () => {
    const { clock, log, result } = start([500, "a"], [10, "b"]);
    expect(await settle(clock, result)).toBe("b");
    expect(log).toEqual(["0 first", "50 second", "60 first cancelled"]);
  });

  test("hedgedCall() takes the first answer when that comes first, and cancels the second call", async () => {
    const { clock, log, result } = start([60, "a"], [100, "b"]);
    expect(await settle(clock, result)).toBe("a");
    expect(log).toEqual(["0 first", "50 second", "60 second cancelled"]);
  });

  test("hedgedCall() fails at once when the first call fails before there is a second", async () => {
    const { clock, log, result } = start([20, new Error("a")], [0, "b"]);
    await expect(settle(clock, result)).rejects.toThrow("a");
    expect([log, clock.timerCount]).toEqual([["0 first"], 0]);
  });

  test("hedgedCall() waits for the other call when one fails", async () => {
    expect(await after([60, new Error("a")], [100, "b"])).toBe("b");
    expect(await after([100, "a"], [10, new Error("b")])).toBe("a");
  });

  test("hedgedCall() throws what the call threw that failed first when both do", async () => {
    await expect(after([60, new Error("a")], [100, new Error("b")])).rejects.toThrow("a");
    await expect(after([100, new Error("a")], [10, new Error("b")])).rejects.toThrow("b");
  });

  test("hedgedCall() goes on with the first call when there shall be no second", async () => {
    expect(await after([500, "a"], undefined)).toBe("a");
  });

  test("hedgedCall() cancels both calls when the request is cancelled, and watches it no more", async () => {
    const cancellation = new Cancellation();
    const { clock, log, result } = start([500, "a"], [500, "b"], cancellation);
    clock.advanceMs(70);
    cancellation.cancel(new Error("gone"));
    await expect(result).rejects.toThrow("gone");
    await allPromises();
    expect(log.slice(2)).toEqual(["70 first cancelled", "70 second cancelled"]);
    const other = new Cancellation();
    const world = start([10, "a"], undefined, other);
    await settle(world.clock, world.result);
    expect(other.watcherCount).toBe(0);
  });

  function after(first: Course, second: Course | undefined): Promise<string> {
    const { clock, result } = start(first, second);
    return settle(clock, result);
  }
});
