import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { expect, test } from "vitest";
import { StepTrace } from "../../core/graph/step-trace.ts";
import { TestClock } from "../../core/test-clock.ts";
import { childSpanId } from "../../core/trace-context/child-span-id.ts";
import type { TracedRequest } from "../../ports/tracer.ts";
import { spanCountOf, spansOf } from "./spans-of.ts";
import { tracedRequest } from "./test-requests.ts";

const SOURCE = {
  resource: resourceFromAttributes({ "service.name": "test" }),
  scope: { name: "millrace", version: "1" },
};
const OWN = "b7ad6b7169203331";

function made(request: TracedRequest) {
  const spans = spansOf(request, SOURCE);
  expect(spans).toHaveLength(spanCountOf(request));
  return spans.map((span) => ({
    ...span,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
  }));
}

test("spansOf() makes one span of the request, and one of each of its parts inside it", () => {
  const spans = made(tracedRequest());
  expect(spans.map(({ name, kind, id, parent }) => [name, kind, id, parent])).toEqual([
    ["POST /predict iris", SpanKind.SERVER, OWN, undefined],
    ["queue", SpanKind.INTERNAL, childSpanId(OWN, 0), OWN],
    ["compute", SpanKind.INTERNAL, childSpanId(OWN, 1), OWN],
  ]);
  expect(spans.map(({ startTime, endTime, duration }) => [startTime, endTime, duration])).toEqual([
    [
      [1_700_000_000, 250_000],
      [1_700_000_000, 4_250_000],
      [0, 4_000_000],
    ],
    [
      [1_700_000_000, 1_250_000],
      [1_700_000_000, 1_750_000],
      [0, 500_000],
    ],
    [
      [1_700_000_000, 1_750_000],
      [1_700_000_000, 3_750_000],
      [0, 2_000_000],
    ],
  ]);
  expect(spans[0]?.attributes).toEqual({
    "http.route": "/predict",
    "http.response.status_code": 200,
  });
  expect(spans.every(({ status }) => status.code === SpanStatusCode.UNSET)).toBe(true);
});

test("spansOf() makes the span of the caller the parent, with the state that came", () => {
  const context = { ...tracedRequest().context, state: "a=1" };
  const [span] = spansOf(tracedRequest({ context, parentSpanId: "00f067aa0ba902b7" }), SOURCE);
  expect(span?.parentSpanContext).toMatchObject({ spanId: "00f067aa0ba902b7", isRemote: true });
  expect(span?.spanContext().traceState?.serialize()).toBe("a=1");
});

test("spansOf() says what we did wrong", () => {
  const [span] = spansOf(tracedRequest({ failure: "Cannot predict: it broke" }), SOURCE);
  expect(span?.status).toEqual({
    code: SpanStatusCode.ERROR,
    message: "Cannot predict: it broke",
  });
});

test("spansOf() makes a span of every step of a graph, inside the one it ran in", () => {
  const clock = new TestClock();
  const root = StepTrace.start("fraud", "graph", clock);
  clock.advanceMs(1);
  const both = root.begin("both", "parallel");
  const near = both.begin("near", "model");
  const far = both.begin("far", "remote");
  near.note("model", "near@1");
  near.note("queueMs", 0.5);
  clock.advanceMs(2);
  near.end("ok");
  far.end("timeout");
  far.note("error", "DEADLINE_EXCEEDED");
  const lost = root.begin("lost", "function");
  lost.end("failed");
  lost.skip();
  both.end("ok");
  root.end("ok");
  const spans = made(tracedRequest({ parts: [], steps: root }));
  expect(spans.map(({ name, kind, id, parent }) => [name, kind, id, parent])).toEqual([
    ["POST /predict iris", SpanKind.SERVER, OWN, undefined],
    ["graph fraud", SpanKind.INTERNAL, childSpanId(OWN, 0), OWN],
    ["parallel both", SpanKind.INTERNAL, childSpanId(OWN, 1), childSpanId(OWN, 0)],
    ["model near", SpanKind.INTERNAL, childSpanId(OWN, 2), childSpanId(OWN, 1)],
    ["remote far", SpanKind.CLIENT, childSpanId(OWN, 3), childSpanId(OWN, 1)],
    ["function lost", SpanKind.INTERNAL, childSpanId(OWN, 4), childSpanId(OWN, 0)],
  ]);
  expect(spans[3]).toMatchObject({
    startTime: [1_700_000_000, 1_250_000],
    duration: [0, 2_000_000],
    attributes: {
      "millrace.step.name": "near",
      "millrace.step.kind": "model",
      "millrace.step.status": "ok",
      "millrace.step.model": "near@1",
      "millrace.step.queueMs": 0.5,
    },
  });
  expect(spans[4]?.attributes).toMatchObject({
    "millrace.step.status": "timeout",
    "error.type": "DEADLINE_EXCEEDED",
  });
  const { ERROR, UNSET } = SpanStatusCode;
  const codes = spans.map(({ status }) => status.code);
  expect(codes).toEqual([UNSET, UNSET, UNSET, UNSET, ERROR, ERROR]);
});
