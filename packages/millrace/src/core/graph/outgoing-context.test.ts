import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { childSpanId } from "../trace-context/child-span-id.ts";
import type { TraceContext } from "../trace-context/trace-context.ts";
import { outgoingContext } from "./outgoing-context.ts";
import type { StepContext } from "./step.ts";
import { testContext } from "./test-step.ts";

const CONTEXT: TraceContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  isSampled: true,
  isRandom: true,
  state: "a=1",
  isRecorded: true,
};

function contextWith(traceContext: TraceContext | undefined): StepContext {
  const request = { predictionId: "p", requestId: undefined, attributes: undefined, traceContext };
  const context = testContext(new TestClock(), { request });
  return { ...context, trace: context.trace.begin("far", "remote") };
}

test("outgoingContext() names the span of the step where spans are made", () => {
  const { spanId, ...rest } = CONTEXT;
  expect(outgoingContext(contextWith(CONTEXT))).toEqual({
    ...rest,
    spanId: childSpanId(spanId, 1),
  });
});

test("outgoingContext() passes on what came where none are, and nothing where nothing came", () => {
  const passing = { ...CONTEXT, isRecorded: false };
  expect(outgoingContext(contextWith(passing))).toEqual(passing);
  expect(outgoingContext(contextWith(undefined))).toBeUndefined();
});
