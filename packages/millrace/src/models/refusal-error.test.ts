import { expect, test } from "vitest";
import { DROP_REASONS } from "../core/batch/batch.ts";
import type { MillraceError } from "../core/errors.ts";
import { refusalError } from "./refusal-error.ts";

const FACTS = { model: "m", retryAfterMs: 2_300, waitingRows: 7, cause: new Error("its own") };

test("refusalError() gives what the model threw when the model failed", () => {
  expect(refusalError({ ...FACTS, reason: "model_failed" })).toBe(FACTS.cause);
});

test("refusalError() gives every refusal under load a reason and whole seconds to stay away", () => {
  const found = DROP_REASONS.map((reason) => {
    const error = refusalError({ ...FACTS, reason }) as MillraceError;
    return [reason, error.code, error.reason, error.retryAfterSeconds];
  });
  expect(found).toEqual([
    ["predicted_deadline", "OVERLOADED", "predicted_deadline", 3],
    ["deadline_too_short", "DEADLINE_EXCEEDED", undefined, undefined],
    ["queue_rows", "OVERLOADED", "queue", 3],
    ["queue_bytes", "OVERLOADED", "memory", 3],
    ["memory", "OVERLOADED", "memory", 3],
    ["expired", "DEADLINE_EXCEEDED", undefined, undefined],
    ["early_drop", "OVERLOADED", "predicted_deadline", 3],
    ["cancelled", "CANCELLED", undefined, undefined],
    ["executor_lost", "EXECUTOR_LOST", "executor_lost", 3],
    ["model_failed", undefined, undefined, undefined],
    ["shutdown", "OVERLOADED", "shutdown", 3],
  ]);
});

test("refusalError() never says that a retry makes sense at once", () => {
  const error = refusalError({ ...FACTS, retryAfterMs: 0, reason: "queue_rows" }) as MillraceError;
  expect(error.retryAfterSeconds).toBe(1);
});
