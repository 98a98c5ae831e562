import type { TracedRequest } from "../../ports/tracer.ts";

/** A request of one model, as it is recorded. */
export function tracedRequest(overrides: Partial<TracedRequest> = {}): TracedRequest {
  return {
    context: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      isSampled: true,
      isRandom: true,
      state: undefined,
      isRecorded: true,
    },
    parentSpanId: undefined,
    name: "POST /predict iris",
    receivedMs: 1_700_000_000_000.25,
    tookMs: 4,
    attributes: { "http.route": "/predict", "http.response.status_code": 200 },
    failure: undefined,
    parts: [
      { name: "queue", startedMs: 1, tookMs: 0.5 },
      { name: "compute", startedMs: 1.5, tookMs: 2 },
    ],
    steps: undefined,
    ...overrides,
  };
}
