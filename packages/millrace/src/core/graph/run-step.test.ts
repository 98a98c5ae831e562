import { describe, expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import { runStep } from "./run-step.ts";
import { StepError } from "./step-error.ts";
import { rowsTensor, settle, testContext, TestStep } from "./test-step.ts";

const INPUTS = [rowsTensor("x", [1, 2])];

async function failureOf(error: Error, step = new TestStep("classify", { error })): Promise<Error> {
  const clock = new TestClock();
  return runStep(step, INPUTS, testContext(clock)).then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown as Error,
  );
}

describe("runStep()", () => {
  test("gives what the step gives and writes it down", async () => {
    const clock = new TestClock();
    const context = testContext(clock);
    const step = new TestStep("classify", { tookMs: 5 });
    const { outputs, degraded } = await settle(clock, runStep(step, INPUTS, context));
    expect(outputs).toEqual([{ ...INPUTS[0], name: "y" }]);
    expect(degraded).toEqual([]);
    const [trace] = context.trace.children;
    expect([trace?.name, trace?.kind, trace?.status, trace?.tookMs]).toEqual([
      "classify",
      "test",
      "ok",
      5,
    ]);
    expect(step.contexts[0]?.trace).toBe(trace);
  });

  test("uses the trace it is given, so that the outermost step is the request", async () => {
    const context = testContext(new TestClock());
    await runStep(new TestStep("classify"), INPUTS, context, context.trace);
    expect(context.trace.status).toBe("ok");
    expect(context.trace.children).toEqual([]);
  });

  test("names the step that failed and keeps code, reason, problems, retry and cause", async () => {
    const problems = [{ location: ["body"], message: "no", type: "shape" }];
    const cause = new MillraceError("OVERLOADED", "Cannot predict: the queue is full", {
      reason: "queue",
      retryAfterSeconds: 3,
      problems,
    });
    const error = await failureOf(cause);
    expect(error).toBeInstanceOf(StepError);
    expect(error).toMatchObject({
      message: 'Cannot run step "classify": the queue is full',
      step: "classify",
      code: "OVERLOADED",
      reason: "queue",
      retryAfterSeconds: 3,
      problems,
      cause,
    });
    expect(error.stack).not.toContain("\n    at "); // it would cost under load; the cause has one
  });

  test.each([
    ["Cannot label output: none", 'Cannot run step "classify": cannot label output: none'],
    ["Model is gone", 'Cannot run step "classify": Model is gone'],
  ])("says %o as %o", async (message, expected) => {
    const error = await failureOf(new MillraceError("MODEL_FAILED", message));
    expect(error.message).toBe(expected);
  });

  test("names the innermost step only", async () => {
    const inner = StepError.of("inner", new MillraceError("MODEL_FAILED", "Cannot predict: bad"));
    expect(await failureOf(inner)).toBe(inner);
  });

  test("leaves a bug as it is, which is for the log, and writes INTERNAL down", async () => {
    const bug = new TypeError("x is not a function");
    const context = testContext(new TestClock());
    const run = runStep(new TestStep("classify", { error: bug }), INPUTS, context);
    await expect(run).rejects.toBe(bug);
    expect(context.trace.children[0]?.status).toBe("failed");
    expect(context.trace.children[0]?.facts).toEqual({ error: "INTERNAL" });
  });

  test("fails a step whose deadline had passed before it began, by name, without running it", async () => {
    const clock = new TestClock();
    const context = testContext(clock, { deadlineAtMs: 10 });
    clock.advanceMs(10);
    const step = new TestStep("classify");
    await expect(runStep(step, INPUTS, context)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: 'Cannot run step "classify": the deadline had passed before it began',
    });
    expect(step.runCount).toBe(0);
    expect(context.trace.children[0]?.status).toBe("timeout");
  });

  test("does not begin a step when nobody waits any more, and throws the reason as it is", async () => {
    const cancellation = new Cancellation();
    const reason = new Error("gone");
    cancellation.cancel(reason);
    const context = testContext(new TestClock(), { cancellation });
    const step = new TestStep("classify");
    await expect(runStep(step, INPUTS, context)).rejects.toBe(reason);
    expect(step.runCount).toBe(0);
    expect(context.trace.children[0]?.status).toBe("cancelled");
  });

  test("throws the reason as it is when the step is cancelled while it runs", async () => {
    const clock = new TestClock();
    const cancellation = new Cancellation();
    const context = testContext(clock, { cancellation });
    const run = runStep(new TestStep("classify", { tookMs: 10 }), INPUTS, context);
    clock.advanceMs(4);
    const reason = new MillraceError("CANCELLED", "Cannot predict: the client has gone");
    cancellation.cancel(reason);
    await expect(run).rejects.toBe(reason);
    expect(context.trace.children[0]?.status).toBe("cancelled");
    expect(context.trace.children[0]?.tookMs).toBe(4);
  });
});
