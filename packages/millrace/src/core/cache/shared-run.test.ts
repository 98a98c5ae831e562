import { expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import { isOwnFailure, SharedRun } from "./shared-run.ts";

const patient = { cancellation: undefined, deadlineAtMs: Infinity };

function begin(): {
  shared: SharedRun<string>;
  work: PromiseWithResolvers<string>;
  clock: TestClock;
} {
  const clock = new TestClock();
  return { shared: new SharedRun<string>(clock), work: Promise.withResolvers<string>(), clock };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  );

test("wait() gives everybody the value, and late ones too", async () => {
  const { shared, work } = begin();
  const waits = [shared.wait(patient), shared.wait(patient)];
  shared.start(work.promise);
  expect(shared.waiterCount).toBe(2);
  work.resolve("value");
  expect(await Promise.all(waits)).toEqual(["value", "value"]);
  expect(await shared.wait(patient)).toBe("value");
  expect(shared.waiterCount).toBe(0);
});

test("wait() gives everybody the error, and late ones too", async () => {
  const { shared, work } = begin();
  const error = new MillraceError("MODEL_FAILED", "Cannot predict: no");
  const waits = [shared.wait(patient), shared.wait(patient)];
  shared.start(work.promise);
  work.reject(error);
  expect(await Promise.all(waits.map(codeOf))).toEqual(["MODEL_FAILED", "MODEL_FAILED"]);
  expect(await codeOf(shared.wait(patient))).toBe("MODEL_FAILED");
});

test("wait() ends for the one whose client goes, and for nobody else", async () => {
  const { shared, work } = begin();
  const cancellation = new Cancellation();
  const leaves = shared.wait({ cancellation, deadlineAtMs: Infinity });
  const stays = shared.wait(patient);
  shared.start(work.promise);
  cancellation.cancel("gone");
  expect(await codeOf(leaves)).toBe("gone");
  expect(shared.cancellation.isCancelled).toBe(false);
  work.resolve("value");
  expect(await stays).toBe("value");
});

test("wait() ends at the deadline of the one that has it", async () => {
  const { shared, work, clock } = begin();
  const hasty = shared.wait({ cancellation: undefined, deadlineAtMs: 10 });
  const stays = shared.wait(patient);
  shared.start(work.promise);
  clock.advanceMs(9);
  expect(shared.waiterCount).toBe(2);
  clock.advanceMs(1);
  expect(await codeOf(hasty)).toBe("DEADLINE_EXCEEDED");
  work.resolve("value");
  expect(await stays).toBe("value");
  expect(clock.timerCount).toBe(0);
});

test("the work is cancelled when the last one leaves, with its reason", async () => {
  const { shared, work } = begin();
  const first = new Cancellation();
  const second = new Cancellation();
  const waits = [first, second].map((cancellation) =>
    shared.wait({ cancellation, deadlineAtMs: Infinity }),
  );
  shared.start(work.promise);
  first.cancel("first");
  expect(shared.isRunning).toBe(true);
  second.cancel("second");
  expect(shared.isRunning).toBe(false);
  expect(shared.cancellation.reason).toBe("second");
  expect(await Promise.all(waits.map(codeOf))).toEqual(["first", "second"]);
  work.resolve("too late");
  expect(await codeOf(shared.wait(patient))).toBe("CANCELLED");
});

test("wait() leaves no watcher and no timer behind", async () => {
  const { shared, work, clock } = begin();
  const cancellation = new Cancellation();
  const wait = shared.wait({ cancellation, deadlineAtMs: 100 });
  shared.start(work.promise);
  expect([cancellation.watcherCount, clock.timerCount]).toEqual([1, 1]);
  work.resolve("value");
  await wait;
  expect([cancellation.watcherCount, clock.timerCount]).toEqual([0, 0]);
});

test("wait() throws at once for a client that has gone already", async () => {
  const { shared } = begin();
  const cancellation = new Cancellation();
  cancellation.cancel("gone");
  expect(await codeOf(shared.wait({ cancellation, deadlineAtMs: Infinity }))).toBe("gone");
  expect(shared.isRunning).toBe(false);
});

test("isOwnFailure() is true for what the others need not share", () => {
  const own = [
    new MillraceError("CANCELLED", "Cannot predict: gone"),
    new MillraceError("DEADLINE_EXCEEDED", "Cannot predict: late"),
    new MillraceError("OVERLOADED", "Cannot predict: late", { reason: "predicted_deadline" }),
  ];
  const shared = [
    new MillraceError("OVERLOADED", "Cannot predict: full", { reason: "queue" }),
    new MillraceError("MODEL_FAILED", "Cannot predict: broken"),
    new TypeError("a bug"),
  ];
  expect(own.map(isOwnFailure)).toEqual([true, true, true]);
  expect(shared.map(isOwnFailure)).toEqual([false, false, false]);
});
