import { describe, expect, it } from "vitest";
import { MillraceClientError } from "./client-error.ts";
import { errorFromReply } from "./error-from-reply.ts";

function read(
  text: string,
  headers: Readonly<Record<string, string>> = {},
  status = 400,
): MillraceClientError {
  return errorFromReply("POST /x", { status, headers: new Headers(headers), text });
}

describe("errorFromReply()", () => {
  it("errorFromReply() reads a problem body", () => {
    const problem = { location: ["body", "data", 0, 2], message: "found text", type: "type" };
    const body = { status: 503, title: "T", code: "OVERLOADED", detail: "full", reason: "queue" };
    const text = JSON.stringify({ ...body, errors: [problem] });
    const headers = { "retry-after": "2", "x-request-id": "r1", "x-prediction-id": "p1" };
    const error = read(text, headers, 503);
    expect(error).toBeInstanceOf(MillraceClientError);
    expect(error).toMatchObject({
      message: "Cannot POST /x: full (503 OVERLOADED)",
      code: "OVERLOADED",
      status: 503,
      detail: "full",
      reason: "queue",
      problems: [problem],
      retryAfterSeconds: 2,
      requestId: "r1",
      predictionId: "p1",
    });
  });

  it("errorFromReply() reads {error} with the code from x-error-code", () => {
    const error = read('{"error":"no such model"}', { "x-error-code": "MODEL_NOT_FOUND" }, 404);
    expect(error).toMatchObject({ code: "MODEL_NOT_FOUND", detail: "no such model", problems: [] });
  });

  it("errorFromReply() quotes the start of a body that is not JSON", () => {
    const error = read(`<h1>Bad gateway</h1>${" ".repeat(500)}`, {}, 502);
    expect(error).toMatchObject({ code: "HTTP_502", detail: "<h1>Bad gateway</h1>" });
  });

  it("errorFromReply() makes do with no body, a JSON text and malformed problems", () => {
    expect(read("").detail).toBe("no explanation");
    expect(read('"sorry"').detail).toBe('"sorry"');
    expect(read('{"errors":[1,{"location":"x"}]}').problems).toEqual([
      { location: [], message: "", type: "" },
    ]);
  });

  const retryAfter: readonly (readonly [string, string, number | undefined])[] = [
    ["seconds", "7", 7],
    ["a date, against the reply's own clock", "Wed, 21 Oct 2026 07:28:30 GMT", 30],
    ["a date that has passed", "Wed, 21 Oct 2026 07:27:00 GMT", 0],
    ["nonsense", "soon", undefined],
  ];
  it.each(retryAfter)("errorFromReply() reads Retry-After as %s", (_name, value, seconds) => {
    const headers = { "retry-after": value, date: "Wed, 21 Oct 2026 07:28:00 GMT" };
    expect(read("", headers).retryAfterSeconds).toBe(seconds);
  });
});
