import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { describeTrace } from "./describe-trace.ts";
import { StepTrace } from "./step-trace.ts";

test("describeTrace() is plain data that survives JSON, without what is empty", () => {
  const clock = new TestClock();
  const trace = StepTrace.start("iris", "switch", clock);
  trace.note("case", "morning");
  clock.advanceMs(0.12345);
  const child = trace.begin("iris-svc", "model");
  clock.advanceMs(2);
  child.end("failed");
  trace.end("failed");
  const record = describeTrace(trace);
  expect(record).toEqual({
    name: "iris",
    kind: "switch",
    status: "failed",
    startedMs: 0,
    tookMs: 2.123,
    facts: { case: "morning" },
    steps: [{ name: "iris-svc", kind: "model", status: "failed", startedMs: 0.123, tookMs: 2 }],
  });
  expect(JSON.parse(JSON.stringify(record))).toEqual(record);
});

test("describeTrace() says how many steps are not written down", () => {
  const trace = StepTrace.start("iris", "sequence", new TestClock());
  for (let i = 0; i < 260; i++) trace.begin("model", "model").end("ok");
  const { steps, untracedSteps } = describeTrace(trace);
  expect([steps?.length, untracedSteps]).toEqual([255, 5]);
});
