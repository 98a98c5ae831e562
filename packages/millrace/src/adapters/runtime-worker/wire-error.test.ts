import { expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { fromWireError, toWireError } from "./wire-error.ts";

function carry(error: unknown): Error {
  return fromWireError(structuredClone(toWireError(error)));
}

test("fromWireError() gives all facts of a MillraceError", () => {
  const problems = [{ location: ["x", 0], message: "Too big", type: "range" }];
  const cause = new RangeError("inner");
  const options = { problems, cause, reason: "queue", retryAfterSeconds: 2 };
  const error = new MillraceError("OVERLOADED", "Cannot run", options);
  const carried = carry(error);
  expect(carried).toBeInstanceOf(MillraceError);
  expect(carried).toMatchObject({ code: "OVERLOADED", message: "Cannot run", problems });
  expect(carried).toMatchObject({ reason: "queue", retryAfterSeconds: 2 });
  expect(carried.cause).toEqual(new Error("inner"));
  expect(carried.stack).toBe(error.stack);
});

test("fromWireError() gives message and stack of a defect", () => {
  const error = new TypeError("undefined is not a function");
  const carried = carry(error);
  expect(carried).not.toBeInstanceOf(MillraceError);
  expect(carried).toMatchObject({ message: error.message, stack: error.stack, cause: undefined });
});

test("toWireError() describes what is no error", () => {
  expect(carry({ at: 1 }).message).toBe("{ at: 1 }");
  expect(carry(new MillraceError("MODEL_FAILED", "no", { cause: 5 })).cause).toEqual(
    new Error("5"),
  );
});
