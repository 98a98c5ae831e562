import { describe, expect, test } from "vitest";
import type { StepRequest } from "../../core/graph/step.ts";
import type { Attributes } from "../../core/rules/attributes.ts";
import { fixedHeaders, requestHeaders } from "./request-headers.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function requestWith(headers: Record<string, string>, requestId?: string): StepRequest {
  const attributes: Attributes = {
    method: "POST",
    path: "/",
    header: (name) => headers[name],
    query: () => undefined,
    cookie: () => undefined,
    body: () => undefined,
    caller: undefined,
    unit: "",
  };
  return { predictionId: "prediction-1", requestId, attributes };
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
    const request = requestWith({ traceparent: PARENT, tracestate: "a=1" }, "request-1");
    expect(requestHeaders(request, 1_500.7)).toEqual({
      "x-request-timeout": "1500ms",
      "x-request-id": "request-1",
      traceparent: PARENT,
      tracestate: "a=1",
    });
  });

  test("requestHeaders() leaves out what no header can hold, and is the prediction's id without another", () => {
    expect(
      requestHeaders(requestWith({ traceparent: "x", tracestate: "a=1" }, "é\n"), 0.2),
    ).toEqual({
      "x-request-timeout": "1ms",
    });
    const { "x-request-id": id } = requestHeaders(
      { predictionId: "p", requestId: undefined, attributes: undefined },
      5,
    );
    expect(id).toBe("p");
    expect(
      requestHeaders(requestWith({ traceparent: PARENT, tracestate: "a=\u0001" }), 5),
    ).not.toHaveProperty("tracestate");
  });
});
