import { describe, expect, test } from "vitest";
import type { StepContext } from "../../core/graph/step.ts";
import { testContext } from "../../core/graph/test-step.ts";
import { TestClock } from "../../core/test-clock.ts";
import { childSpanId } from "../../core/trace-context/child-span-id.ts";
import { parseTraceContext, type TraceContext } from "../../core/trace-context/trace-context.ts";
import { fixedHeaders, requestHeaders } from "./request-headers.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function contextOf(requestId?: string, parent?: string, state?: string): StepContext {
  const traceContext = parseTraceContext(parent, state);
  const request = { predictionId: "prediction-1", requestId, attributes: undefined, traceContext };
  return testContext(new TestClock(), { request });
}

describe("fixedHeaders()", () => {
  test("fixedHeaders() adds those of the file, which may replace ours", () => {
    expect(fixedHeaders("far", { Authorization: "Bearer x", Accept: "a/b" })).toEqual({
      accept: "a/b",
      "accept-encoding": "identity",
      authorization: "Bearer x",
      "user-agent": expect.stringMatching(/^millrace\/\d/) as string,
    });
  });

  test.each([
    ["Content-Length", "1"],
    ["transfer-encoding", "chunked"],
    ["a b", "hunter22"],
    ["x-key", "hunter22\r\nx-other: 1"],
  ])("fixedHeaders() refuses %s without repeating its value", (name, value) => {
    const build = (): unknown => fixedHeaders("far", { [name]: value });
    expect(build).toThrow(`Cannot load remote "far": the header`);
    expect(build).not.toThrow("hunter22");
  });
});

describe("requestHeaders()", () => {
  test("requestHeaders() passes on id, trace and the time that is left", () => {
    expect(requestHeaders(contextOf("request-1", PARENT, "a=1"), 1_500.7)).toEqual({
      "x-request-timeout": "1500ms",
      "x-request-id": "request-1",
      traceparent: PARENT,
      tracestate: "a=1",
    });
  });

  test("requestHeaders() says of a copy that it is one", () => {
    const context = contextOf("request-1");
    const request = { ...context.request, isShadow: true };
    expect(requestHeaders({ ...context, request }, 5)["x-shadow"]).toBe("true");
    expect(requestHeaders(context, 5)).not.toHaveProperty("x-shadow");
  });

  test("requestHeaders() names the step's own span where the request is recorded", () => {
    const context = contextOf("request-1", PARENT, "a=1");
    const { request } = context;
    const traceContext = { ...(request.traceContext as TraceContext), isRecorded: true };
    const headers = requestHeaders({ ...context, request: { ...request, traceContext } }, 5);
    expect(headers["traceparent"]).toBe(
      `00-${traceContext.traceId}-${childSpanId(traceContext.spanId, 0)}-01`,
    );
    expect(headers["tracestate"]).toBe("a=1");
  });

  test("requestHeaders() leaves out what no header can hold, and is the prediction's id without another", () => {
    expect(requestHeaders(contextOf("é\n"), 0.2)).toEqual({ "x-request-timeout": "1ms" });
    expect(requestHeaders(contextOf(), 5)["x-request-id"]).toBe("prediction-1");
  });
});
