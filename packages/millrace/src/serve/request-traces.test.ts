import { describe, expect, test } from "vitest";
import { MillraceError } from "../core/errors.ts";
import { StepTrace } from "../core/graph/step-trace.ts";
import { TestClock } from "../core/test-clock.ts";
import { TestRandom } from "../core/test-random.ts";
import type { TracedRequest } from "../ports/tracer.ts";
import { openExperiment } from "./experiments/test-experiment.ts";
import type { PredictionRecord } from "./recent-predictions.ts";
import { RequestTraces, type TracedAnswer } from "./request-traces.ts";

const NAMED = { unit: "ann", variant: "treatment", predictionId: "p" };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

function tracesOf(sample: number) {
  const clock = new TestClock();
  clock.advanceMs(100);
  const random = new TestRandom(1_608);
  const recorded: TracedRequest[] = [];
  const tracer = {
    counts: { exported: 0, dropped: 0, exportErrors: 0 },
    record: (request: TracedRequest) => void recorded.push(request),
    close: () => Promise.resolve(),
  };
  const traces = new RequestTraces({
    tracer,
    sample,
    clock,
    random: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
    scheme: "http",
  });
  return { traces, clock, recorded };
}

function answerOf(overrides: Partial<TracedAnswer> = {}): TracedAnswer {
  return {
    name: "POST /predict",
    receivedMs: 100,
    predictionId: "p",
    attributes: { "http.route": "/predict" },
    error: undefined,
    ...overrides,
  };
}

function recordOf(overrides: Partial<PredictionRecord> = {}): PredictionRecord {
  const known: Partial<PredictionRecord> = {
    id: "p",
    service: "iris",
    model: "iris@1",
    code: "ok",
    tookMs: 9,
    queueMs: 2,
    batchMs: 0,
    computeMs: 3,
    ...overrides,
  };
  return known as PredictionRecord; // as much of it as spans are made from
}

describe("begin()", () => {
  test("begin() follows whoever sent the request, whatever the share is", () => {
    for (const sample of [0, 1]) {
      const { traces } = tracesOf(sample);
      const sampled = traces.begin(`00-${TRACE}-${CALLER}-01`, "a=1");
      expect(sampled).toMatchObject({
        context: { traceId: TRACE, isSampled: true, isRecorded: true, state: "a=1" },
        parentSpanId: CALLER,
      });
      expect(sampled.context.spanId).not.toBe(CALLER);
      expect(traces.begin(`00-${TRACE}-${CALLER}-00`, undefined).context).toMatchObject({
        traceId: TRACE,
        spanId: CALLER,
        isSampled: false,
        isRecorded: false,
      });
    }
  });

  test("begin() begins a trace where there is none, or none that is valid", () => {
    const { traces } = tracesOf(1);
    for (const parent of [undefined, "x", `00-${"0".repeat(32)}-${CALLER}-01`]) {
      const { context, parentSpanId } = traces.begin(parent, "a=1");
      expect(context).toMatchObject({ isSampled: true, isRecorded: true, state: undefined });
      expect(context.traceId).toMatch(/^[\da-f]{32}$/);
      expect(context.traceId).not.toBe(TRACE);
      expect(parentSpanId).toBeUndefined();
    }
  });

  test("begin() records the share of the file, and gives the others a context that says no", () => {
    const { traces } = tracesOf(0.25);
    const begun = Array.from({ length: 4_000 }, () => traces.begin(undefined, undefined).context);
    const chosen = begun.filter(({ isRecorded }) => isRecorded);
    expect(Math.abs(chosen.length - 1_000)).toBeLessThan(5 * Math.sqrt(4_000 * 0.25 * 0.75));
    expect(begun.every(({ isSampled, isRecorded }) => isSampled === isRecorded)).toBe(true);
    expect(new Set(begun.map(({ traceId }) => traceId)).size).toBe(4_000);
  });
});

describe("end()", () => {
  test("end() tells what was decided, and lays the parts of a model end to end", () => {
    const { traces, clock, recorded } = tracesOf(1);
    const trace = traces.begin(undefined, undefined);
    clock.advanceMs(10);
    trace.service = "iris";
    trace.record = recordOf({
      rule: "gold",
      arm: openExperiment().experiment.chooseFor(NAMED),
      cache: "miss",
      degraded: "fallback",
    });
    traces.end(trace, answerOf());
    expect(recorded).toEqual([
      {
        context: trace.context,
        parentSpanId: undefined,
        name: "POST /predict iris",
        receivedMs: 1_700_000_000_100,
        tookMs: 10,
        attributes: {
          "http.route": "/predict",
          "millrace.service": "iris",
          "millrace.prediction_id": "p",
          "millrace.model": "iris@1",
          "millrace.rule": "gold",
          "millrace.experiment": "rf",
          "millrace.variant": "treatment",
          "millrace.cache": "miss",
          "millrace.degraded": "fallback",
        },
        failure: undefined,
        parts: [
          { name: "queue", startedMs: 4, tookMs: 2 },
          { name: "compute", startedMs: 6, tookMs: 3 },
        ],
        steps: undefined,
      },
    ]);
  });

  test("end() gives the steps of a graph in place of parts", () => {
    const { traces, clock, recorded } = tracesOf(1);
    const trace = traces.begin(undefined, undefined);
    const steps = StepTrace.start("fraud", "graph", clock);
    trace.record = recordOf({ trace: steps });
    traces.end(trace, answerOf());
    expect(recorded[0]).toMatchObject({ parts: [], steps });
  });

  test("end() calls a failure what we did wrong, and names the code of every error", () => {
    const { traces, recorded } = tracesOf(1);
    const codes = ["INVALID_BODY", "OVERLOADED", "FUNCTION_FAILED"] as const;
    for (const code of codes) {
      const error = new MillraceError(code, "Cannot predict");
      traces.end(traces.begin(undefined, undefined), answerOf({ error }));
    }
    // The text of a function may quote what it was given.
    expect(recorded.map(({ failure }) => failure)).toEqual([
      undefined,
      "Cannot predict",
      "Function error",
    ]);
    expect(recorded.map(({ attributes }) => attributes["error.type"])).toEqual(codes);
    expect(recorded.map(({ name }) => name)).toEqual(codes.map(() => "POST /predict"));
  });

  test("end() names the error that another answer was given for", () => {
    const { traces, recorded } = tracesOf(1);
    const trace = traces.begin(undefined, undefined);
    trace.record = recordOf({ code: "OVERLOADED", queueMs: 0, computeMs: 0 });
    traces.end(trace, answerOf());
    expect(recorded[0]?.attributes["error.type"]).toBe("OVERLOADED");
    expect(recorded[0]).toMatchObject({ failure: undefined, parts: [] });
  });
});
