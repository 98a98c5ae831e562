import { describe, expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { StepTrace, TRACE_STEPS_MAX } from "./step-trace.ts";

function startedTrace(): { clock: TestClock; trace: StepTrace } {
  const clock = new TestClock();
  clock.advanceMs(1_000);
  return { clock, trace: StepTrace.start("iris", "sequence", clock, 990) };
}

describe("StepTrace", () => {
  test("begin() and end() write down when a step began since the request came, and what it took", () => {
    const { clock, trace } = startedTrace();
    clock.advanceMs(5);
    const child = trace.begin("prep", "model");
    clock.advanceMs(3);
    expect([child.startedMs, child.tookMs, child.status]).toEqual([15, 3, "running"]);
    child.end("ok");
    clock.advanceMs(7);
    expect([child.tookMs, child.status]).toEqual([3, "ok"]);
    expect([trace.startedMs, trace.tookMs]).toEqual([10, 15]);
    expect(trace.children).toEqual([child]);
  });

  test("begin() numbers the steps of a request in the order they began", () => {
    const { trace } = startedTrace();
    const a = trace.begin("a", "sequence");
    const b = trace.begin("b", "model");
    const c = a.begin("c", "model");
    expect([trace, a, b, c].map(({ ordinal }) => ordinal)).toEqual([0, 1, 2, 3]);
  });

  test("end() counts once: what was given up keeps that status when it ends after all", () => {
    const { clock, trace } = startedTrace();
    trace.end("timeout");
    clock.advanceMs(50);
    trace.end("ok");
    expect([trace.status, trace.tookMs]).toEqual(["timeout", 0]);
  });

  test("end() ends what still runs inside, as cancelled, and nothing else", () => {
    const { clock, trace } = startedTrace();
    const [done, open] = [trace.begin("a", "model"), trace.begin("b", "sequence")];
    const inner = open.begin("c", "model");
    done.end("ok");
    clock.advanceMs(6);
    trace.end("timeout");
    clock.advanceMs(6);
    const rows = [trace, done, open, inner].map(({ status, tookMs }) => [status, tookMs]);
    expect(rows).toEqual([
      ["timeout", 6],
      ["ok", 0],
      ["cancelled", 6],
      ["cancelled", 6],
    ]);
  });

  test("skip() says that the request went on without a step that failed, and keeps its time", () => {
    const { clock, trace } = startedTrace();
    clock.advanceMs(4);
    trace.end("failed");
    trace.skip();
    clock.advanceMs(4);
    expect([trace.status, trace.tookMs]).toEqual(["skipped", 4]);
  });

  test("note() keeps 16 facts of 256 characters, and changes those it has", () => {
    const { trace } = startedTrace();
    for (let i = 0; i < 20; i++) trace.note(`fact${i}`, i);
    trace.note("fact3", "x".repeat(1_000));
    trace.note("fact18", true);
    expect(Object.keys(trace.facts)).toHaveLength(16);
    expect(trace.facts["fact3"]).toBe("x".repeat(256));
    expect(trace.facts["fact18"]).toBeUndefined();
  });

  test("begin() writes down at most 256 steps a request, wherever they are, and counts the others", () => {
    const { trace } = startedTrace();
    for (let i = 0; i < 100; i++) trace.begin(`branch${i}`, "sequence");
    for (const branch of trace.children.slice(0, 50)) {
      for (let i = 0; i < 4; i++) branch.begin("model", "model").begin("inner", "model").end("ok");
    }
    const countOf = (node: StepTrace): number =>
      node.children.reduce((sum, child) => sum + countOf(child), 1);
    expect(countOf(trace)).toBe(TRACE_STEPS_MAX);
    expect(trace.untracedCount).toBe(1 + 100 + 400 - TRACE_STEPS_MAX);
  });
});
