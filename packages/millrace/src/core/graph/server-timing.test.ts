import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { serverTiming } from "./server-timing.ts";
import { StepTrace } from "./step-trace.ts";

test("serverTiming() names the innermost steps in the order they began, with their milliseconds", () => {
  const clock = new TestClock();
  const trace = StepTrace.start("iris", "sequence", clock);
  const prep = trace.begin("prep", "model");
  clock.advanceMs(1.23456);
  prep.end("ok");
  const branches = trace.begin("branches", "parallel");
  const [a, b, c] = ["setosa", "versicolor", "virginica"].map((name) =>
    branches.begin(name, "model"),
  );
  c?.end("omitted");
  clock.advanceMs(20);
  a?.end("ok");
  clock.advanceMs(180);
  b?.end("timeout");
  branches.end("ok");
  expect(serverTiming(trace)).toBe(
    "prep;dur=1.235, branches.setosa;dur=20, branches.versicolor;dur=200;desc=timeout",
  );
});

test("serverTiming() of a single step is that step", () => {
  const clock = new TestClock();
  const trace = StepTrace.start("iris-svc", "model", clock);
  clock.advanceMs(3);
  trace.end("ok");
  expect(serverTiming(trace)).toBe("iris-svc;dur=3");
});

test("serverTiming() makes a token of any name, and ends at 1,024 characters with a whole entry", () => {
  const clock = new TestClock();
  const trace = StepTrace.start("all", "sequence", clock);
  trace.begin('a b;c,"d"\r\né=1', "model").end("ok");
  for (let i = 0; i < 200; i++) trace.begin(`model-${i}-${"x".repeat(100)}`, "model").end("ok");
  const text = serverTiming(trace);
  expect(text.startsWith("a_b_c__d_____1;dur=0, ")).toBe(true);
  expect(text.length).toBeLessThanOrEqual(1_024);
  for (const entry of text.split(", ")) expect(entry).toMatch(/^[\w.-]{1,64};dur=0$/);
});
