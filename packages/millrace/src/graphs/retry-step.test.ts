import { expect, test } from "vitest";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError, type ErrorCode } from "../core/errors.ts";
import { rowsTensor, testContext, TestStep } from "../core/graph/test-step.ts";
import type { StepContext } from "../core/graph/step.ts";
import { TestClock } from "../core/test-clock.ts";
import { RetryStep } from "./retry-step.ts";

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
  await new RetryStep(step, retries).run(INPUTS, context).catch(() => undefined);
  return step.runCount;
}

test("run() tries again as often as it may, for what may pass", async () => {
  expect(await runsOf(failing("EXECUTOR_LOST"), 2)).toBe(3);
  expect(await runsOf(failing("REMOTE_FAILED"), 1)).toBe(2);
});

test("run() gives what a later try gave, and notes how often it failed", async () => {
  const context = testContext(new TestClock());
  const { outputs } = await new RetryStep(failing("EXECUTOR_LOST", 2), 5).run(INPUTS, context);
  expect(outputs).toHaveLength(1);
  expect(context.trace.facts).toEqual({ retries: 2 });
});

test.each(["OVERLOADED", "DEADLINE_EXCEEDED", "MODEL_FAILED", "INVALID_TENSOR"] as const)(
  "run() tries no second time for %s, which would be the same or more of too much",
  async (code) => {
    expect(await runsOf(failing(code), 3)).toBe(1);
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

test("a RetryStep takes and gives what its step does", () => {
  const step = new TestStep("a", { labels: ["x", "y"], score: 1 });
  const { name, kind, inputs, outputs, prediction, labels, score } = step;
  const all = { name, kind, inputs, outputs, prediction, labels, score };
  expect(new RetryStep(step, 1)).toMatchObject(all);
});
