import { expect, test } from "vitest";
import { ERRORS, MillraceError, type ErrorCode } from "../../core/errors.ts";
import { errorTrailers, STATUS, statusOf } from "./status.ts";

test.each(Object.keys(ERRORS) as ErrorCode[])("statusOf() knows the status of %s", (code) => {
  expect(Object.values(STATUS)).toContain(statusOf(code));
});

test("errorTrailers() percent-encodes what is not printable ASCII when a message has it", () => {
  const error = new MillraceError("INVALID_BODY", "100 % größe\n");
  expect(errorTrailers(error, "id-1")).toEqual({
    "grpc-status": 3,
    "grpc-message": "100 %25 gr%C3%B6%C3%9Fe%0A",
    "x-error-code": "INVALID_BODY",
    "x-prediction-id": "id-1",
  });
});

test("errorTrailers() tells clients when to come back when the server is overloaded", () => {
  const error = new MillraceError("OVERLOADED", "Cannot", { retryAfterSeconds: 2 });
  expect(errorTrailers(error, undefined)).toMatchObject({
    "grpc-status": 14,
    "retry-after": 2,
    "grpc-retry-pushback-ms": 2000,
  });
});

test("errorTrailers() cuts a message when it would not fit into a client's headers", () => {
  const error = new MillraceError("INVALID_BODY", "x".repeat(100_000));
  expect(String(errorTrailers(error, undefined)["grpc-message"]).length).toBeLessThan(4_096);
});
