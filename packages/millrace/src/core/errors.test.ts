import { expect, test } from "vitest";
import { ERRORS, MillraceError } from "./errors.ts";

test.each(Object.entries(ERRORS))(
  "ERRORS has a title and a plausible status for %s",
  (code, row) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(row.title).toMatch(/^[A-Z][^.]*[^.]$/);
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
  },
);

test("MillraceError keeps its cause only when there is one", () => {
  const cause = new Error("inner");
  expect(new MillraceError("INTERNAL", "m", { cause }).cause).toBe(cause);
  expect("cause" in new MillraceError("INTERNAL", "m")).toBe(false);
});

test("MillraceError.withoutStack() makes the same error with no frames and leaves later errors theirs", () => {
  const options = { reason: "queue", retryAfterSeconds: 2 };
  const cheap = MillraceError.withoutStack("OVERLOADED", "Cannot predict: full", options);
  expect(cheap).toBeInstanceOf(MillraceError);
  expect(cheap).toMatchObject({ code: "OVERLOADED", message: "Cannot predict: full", ...options });
  expect(cheap.stack).not.toContain("\n    at ");
  expect(new MillraceError("INTERNAL", "m").stack).toContain("\n    at ");
});
