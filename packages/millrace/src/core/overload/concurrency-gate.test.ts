import { expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import { ConcurrencyGate } from "./concurrency-gate.ts";

const LATER_MS = 1_000;

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Enters as `name`, and writes down what becomes of it. */
function enterAs(
  name: string,
  gate: ConcurrencyGate,
  log: string[],
  limits: { readonly deadlineAtMs?: number; readonly cancellation?: Cancellation } = {},
): void {
  const answer = gate.enter(limits.deadlineAtMs ?? LATER_MS, limits.cancellation);
  if (typeof answer === "string") log.push(`${name} ${answer}`);
  else {
    answer.then(
      () => log.push(`${name} entered later`),
      (error: Error) => log.push(`${name}: ${error.message}`),
    );
  }
}

test("enter() lets as many in as the limit says, then makes wait, then refuses", async () => {
  const gate = new ConcurrencyGate(new TestClock(), { concurrency: 2, queue: 1 });
  const log: string[] = [];
  for (const name of ["a", "b", "c", "d"]) enterAs(name, gate, log);
  expect(log).toEqual(["a entered", "b entered", "d refused"]);
  expect([gate.inside, gate.waiting]).toEqual([2, 1]);
  gate.leave();
  await settle();
  expect(log.at(-1)).toBe("c entered later");
  expect([gate.inside, gate.waiting]).toEqual([2, 0]);
});

test("enter() refuses at once when the queue is 0, and never when there is no limit", () => {
  const strict = new ConcurrencyGate(new TestClock(), { concurrency: 1, queue: 0 });
  expect(strict.enter(LATER_MS)).toBe("entered");
  expect(strict.enter(LATER_MS)).toBe("refused");
  const open = new ConcurrencyGate(new TestClock(), { concurrency: Infinity, queue: 0 });
  for (let i = 0; i < 10_000; i++) expect(open.enter(LATER_MS)).toBe("entered");
});

test("leave() lets those that wait in, in order of arrival, and nobody passes them", async () => {
  const gate = new ConcurrencyGate(new TestClock(), { concurrency: 1, queue: 10 });
  const log: string[] = [];
  for (const name of ["a", "b", "c"]) enterAs(name, gate, log);
  gate.leave();
  enterAs("d", gate, log);
  for (let i = 0; i < 2; i++) {
    gate.leave();
  }
  await settle();
  expect(log).toEqual(["a entered", "b entered later", "c entered later", "d entered later"]);
});

test("enter() leaves the line at the deadline, from the middle, and the others keep their order", async () => {
  const clock = new TestClock();
  const gate = new ConcurrencyGate(clock, { concurrency: 1, queue: 10 });
  const log: string[] = [];
  enterAs("a", gate, log);
  enterAs("b", gate, log);
  enterAs("c", gate, log, { deadlineAtMs: 50 });
  enterAs("d", gate, log);
  clock.advanceMs(50);
  expect(gate.waiting).toBe(2);
  gate.leave();
  gate.leave();
  await settle();
  const expired = "c: Cannot predict: the deadline passed while the request waited for its turn";
  expect(log).toEqual(["a entered", expired, "b entered later", "d entered later"]);
});

test("enter() leaves the line when it is cancelled, and at once when it was before", async () => {
  const gate = new ConcurrencyGate(new TestClock(), { concurrency: 1, queue: 1 });
  const log: string[] = [];
  const cancellation = new Cancellation();
  enterAs("a", gate, log);
  enterAs("b", gate, log, { cancellation });
  cancellation.cancel(new Error("gone"));
  expect(gate.waiting).toBe(0);
  enterAs("c", gate, log, { cancellation });
  await settle();
  expect(log.toSorted()).toEqual(["a entered", "b: gone", "c: gone"]);
  expect([gate.inside, gate.waiting]).toEqual([1, 0]);
});

test("enter() gives no place to one whose deadline has passed when its timer is late", async () => {
  let nowMs = 0;
  class LateTimers extends TestClock {
    override nowMs = (): number => nowMs;
  }
  const clock = new LateTimers();
  const gate = new ConcurrencyGate(clock, { concurrency: 1, queue: 10 });
  const log: string[] = [];
  enterAs("a", gate, log);
  enterAs("b", gate, log, { deadlineAtMs: 50 });
  enterAs("c", gate, log);
  nowMs = 50;
  gate.leave();
  await settle();
  expect(log[1]).toContain("b: Cannot predict: the deadline passed");
  expect(log[2]).toBe("c entered later");
  expect(gate.inside).toBe(1);
});

test("enter() stays inside when it is cancelled after its place came and before it goes on", async () => {
  const gate = new ConcurrencyGate(new TestClock(), { concurrency: 1, queue: 10 });
  const log: string[] = [];
  const cancellation = new Cancellation();
  enterAs("a", gate, log);
  enterAs("b", gate, log, { cancellation });
  gate.leave();
  cancellation.cancel(new Error("gone"));
  await settle();
  expect(log).toEqual(["a entered", "b entered later"]);
  expect(gate.inside).toBe(1);
});

test("enter() keeps no timer and no listener when it entered, expired or was cancelled", async () => {
  const clock = new TestClock();
  const gate = new ConcurrencyGate(clock, { concurrency: 1, queue: 10 });
  const cancellation = new Cancellation();
  const stays = new Cancellation();
  const log: string[] = [];
  enterAs("inside", gate, log);
  enterAs("enters", gate, log, { cancellation: stays });
  enterAs("expires", gate, log, { deadlineAtMs: 10 });
  enterAs("cancelled", gate, log, { cancellation });
  expect(clock.timerCount).toBe(3);
  clock.advanceMs(10);
  cancellation.cancel(new Error("gone"));
  gate.leave();
  await settle();
  expect(log).toHaveLength(4);
  expect(clock.timerCount).toBe(0);
  expect(stays.watcherCount).toBe(0);
});

test("setLimits() lets more in at once when it rises, and throws nobody out when it falls", async () => {
  const gate = new ConcurrencyGate(new TestClock(), { concurrency: 1, queue: 10 });
  const log: string[] = [];
  for (const name of ["a", "b", "c", "d"]) enterAs(name, gate, log);
  gate.setLimits({ concurrency: 3, queue: 10 });
  await settle();
  expect([gate.inside, gate.waiting]).toEqual([3, 1]);
  gate.setLimits({ concurrency: 1, queue: 0 });
  expect([gate.inside, gate.waiting]).toEqual([3, 1]);
  gate.leave();
  gate.leave();
  expect([gate.inside, gate.waiting]).toEqual([1, 1]);
  gate.leave();
  expect([gate.inside, gate.waiting]).toEqual([1, 0]);
});

test("ConcurrencyGate keeps its limits and its order, and ends with nobody inside, whatever happens", async () => {
  const random = new TestRandom(Date.now() | 0);
  const hint = `seed ${random.seed}`;
  for (let round = 0; round < 40; round++) {
    const clock = new TestClock();
    let concurrency = 1 + random.below(5);
    const queue = random.below(8);
    const gate = new ConcurrencyGate(clock, { concurrency, queue });
    const cancellations: Cancellation[] = [];
    const enteredLater: number[] = [];
    let inside = 0;
    for (let step = 0; step < 200; step++) {
      const kind = random.below(10);
      if (kind < 4) {
        const cancellation = new Cancellation();
        cancellations.push(cancellation);
        const before = { inside: gate.inside, waiting: gate.waiting };
        const answer = gate.enter(clock.nowMs() + random.below(40), cancellation);
        if (answer === "entered") {
          if (before.waiting > 0 || before.inside >= concurrency) expect.fail(`passed, ${hint}`);
          inside++;
        } else if (answer === "refused") {
          if (before.waiting < queue)
            expect.fail(`refused with ${before.waiting} waiting, ${hint}`);
        } else {
          answer.then(
            () => {
              inside++;
              enteredLater.push(step);
            },
            () => undefined,
          );
        }
      } else if (kind < 7) {
        await settle();
        if (inside > 0) {
          inside--;
          gate.leave();
        }
      } else if (kind === 7) clock.advanceMs(random.below(15));
      else if (kind === 8 && cancellations.length > 0)
        cancellations[random.below(cancellations.length)]?.cancel(new Error("gone"));
      else if (kind === 9 && random.next() < 0.2) {
        concurrency = 1 + random.below(5);
        gate.setLimits({ concurrency, queue });
      }
      if (gate.waiting > queue) expect.fail(`${gate.waiting} wait, ${hint}`);
    }
    for (let i = 0; i < 1_000 && gate.inside > 0; i++) {
      await settle();
      if (inside > 0) {
        inside--;
        gate.leave();
      }
    }
    await settle();
    const left = { inside: gate.inside, waiting: gate.waiting, timers: clock.timerCount };
    expect({ hint, ...left }).toEqual({ hint, inside: 0, waiting: 0, timers: 0 });
    expect(enteredLater).toEqual(enteredLater.toSorted((a, b) => a - b));
  }
});
