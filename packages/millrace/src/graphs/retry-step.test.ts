import { expect, test } from "vitest";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError, type ErrorCode } from "../core/errors.ts";
import { allPromises, rowsTensor, testContext, TestStep } from "../core/graph/test-step.ts";
import type { StepContext } from "../core/graph/step.ts";
import { RetryBudget } from "../core/overload/retry-budget.ts";
import { TestClock } from "../core/test-clock.ts";
import { RetryStep } from "./retry-step.ts";

/** No wait before a retry. */
const AT_ONCE = (): number => 0;

const INPUTS = [rowsTensor("x", [1, 2])];

function failing(code: ErrorCode, failures = Infinity): TestStep {
  let left = failures;
  return new TestStep("a", {
    give: (inputs) => {
      if (left-- > 0) throw new MillraceError(code, "Cannot run: it is a test");
      return inputs;
    },
  });
}

async function runsOf(
  step: TestStep,
  retries: number,
  overrides: Partial<StepContext> = {},
): Promise<number> {
  const context = testContext(new TestClock(), overrides);
  await new RetryStep(step, retries, AT_ONCE).run(INPUTS, context).catch(() => undefined);
  return step.runCount;
}

test("run() tries again as often as it may, for what may pass", async () => {
  expect(await runsOf(failing("EXECUTOR_LOST"), 2)).toBe(3);
  expect(await runsOf(failing("REMOTE_FAILED"), 1)).toBe(2);
});

test("run() gives what a later try gave, and notes how often it failed", async () => {
  const context = testContext(new TestClock());
  const { outputs } = await new RetryStep(failing("EXECUTOR_LOST", 2), 5, AT_ONCE).run(
    INPUTS,
    context,
  );
  expect(outputs).toHaveLength(1);
  expect(context.trace.facts).toEqual({ retries: 2 });
});

test.each(["OVERLOADED", "DEADLINE_EXCEEDED", "MODEL_FAILED", "INVALID_TENSOR"] as const)(
  "run() tries no second time for %s, which would be the same or more of too much",
  async (code) => {
    expect(await runsOf(failing(code), 3)).toBe(1);
  },
);

test.each(["refused", "redirect", "mismatch", "limited"])(
  "run() tries no second time for a remote's %s",
  async (reason) => {
    const error = new MillraceError("REMOTE_FAILED", "Cannot run: it is a test", { reason });
    expect(await runsOf(new TestStep("a", { error }), 3)).toBe(1);
  },
);

test("run() tries no second time for what is a bug", async () => {
  expect(await runsOf(new TestStep("a", { error: new TypeError("bug") }), 3)).toBe(1);
});

test("run() stops at the deadline and when the client has gone", async () => {
  expect(await runsOf(failing("EXECUTOR_LOST"), 3, { deadlineAtMs: 0 })).toBe(1);
  const cancellation = new Cancellation();
  cancellation.cancel(new Error("gone"));
  expect(await runsOf(failing("EXECUTOR_LOST"), 3, { cancellation })).toBe(1);
});

test("run() waits up to 25 ms before the first retry, up to 50 ms before the second, by chance", async () => {
  const clock = new TestClock();
  const step = failing("REMOTE_FAILED");
  const result = new RetryStep(step, 2, () => 0.8).run(INPUTS, testContext(clock));
  result.catch(() => undefined);
  const times: number[] = [];
  for (let ms = 0; ms <= 100; ms++) {
    await allPromises();
    while (times.length < step.runCount) times.push(clock.nowMs());
    clock.advanceMs(1);
  }
  expect(times).toEqual([0, 20, 60]);
  await expect(result).rejects.toThrow("it is a test");
});

test("run() does not wait for a retry that would begin after the deadline", async () => {
  const clock = new TestClock();
  const context = testContext(clock, { deadlineAtMs: 20 });
  const step = failing("REMOTE_FAILED");
  await expect(new RetryStep(step, 2, () => 0.8).run(INPUTS, context)).rejects.toThrow("a test");
  expect([step.runCount, clock.timerCount]).toEqual([1, 0]);
});

test("run() ends with the reason when the client goes while it waits", async () => {
  const clock = new TestClock();
  const cancellation = new Cancellation();
  const context = testContext(clock, { cancellation });
  const step = failing("REMOTE_FAILED");
  const result = new RetryStep(step, 2, () => 0.8).run(INPUTS, context);
  await allPromises();
  cancellation.cancel(new Error("gone"));
  await expect(result).rejects.toThrow("gone");
  expect([step.runCount, clock.timerCount, context.budget?.extra]).toEqual([1, 0, 0]);
});

test("run() tries no more often than the budget of the service allows, and gives back what it took", async () => {
  const budget = new RetryBudget();
  expect(await runsOf(failing("REMOTE_FAILED"), 2, { budget })).toBe(3);
  expect([budget.extra, budget.counts.retry]).toEqual([0, 2]);
  while (budget.tryTake("hedge")); // all of it
  const context = testContext(new TestClock(), { budget });
  const step = failing("REMOTE_FAILED");
  await expect(new RetryStep(step, 2, AT_ONCE).run(INPUTS, context)).rejects.toThrow("a test");
  expect([step.runCount, context.trace.facts]).toEqual([1, { retryDenied: true }]);
});

test("run() tries no second time without a budget, as for a copy that is nobody's answer", async () => {
  expect(await runsOf(failing("REMOTE_FAILED"), 3, { budget: undefined })).toBe(1);
});

test("run() shows its step in every try which servers were tried", async () => {
  const step = failing("REMOTE_FAILED", 2);
  await new RetryStep(step, 2, AT_ONCE).run(INPUTS, testContext(new TestClock()));
  const [first, ...others] = step.contexts.map(({ tried }) => tried);
  expect(first).toBeInstanceOf(Set);
  for (const other of others) expect(other).toBe(first);
});

test("a RetryStep takes and gives what its step does", () => {
  const step = new TestStep("a", { labels: ["x", "y"], score: 1 });
  const { name, kind, inputs, outputs, prediction, labels, score } = step;
  const all = { name, kind, inputs, outputs, prediction, labels, score };
  expect(new RetryStep(step, 1, AT_ONCE)).toMatchObject(all);
});
