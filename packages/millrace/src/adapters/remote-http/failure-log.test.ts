import { describe, expect, test } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { FailureLog } from "./failure-log.ts";
import { remoteFailed } from "./remote-error.ts";

describe("FailureLog", () => {
  test("FailureLog writes a line every ten seconds with the failures since, and one when all is well", () => {
    const lines: [string, object, string][] = [];
    const write = (level: string) => (fields: object, message: string) =>
      void lines.push([level, fields, message]);
    const log: Logger = {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    };
    const clock = new TestClock();
    const failures = new FailureLog({ remote: "far" }, clock, log);
    const error = remoteFailed("far", "answered 500", {
      reason: "status",
      cause: new Error("what it said"),
    });
    failures.answered();
    for (let i = 0; i < 5; i++) failures.failed(error);
    clock.advanceMs(10_000);
    failures.failed(error);
    failures.answered();
    failures.answered();
    const facts = {
      remote: "far",
      code: "REMOTE_FAILED",
      reason: "status",
      detail: "what it said",
    };
    expect(lines).toEqual([
      ["warn", { ...facts, failures: 1 }, 'Cannot predict: remote "far" answered 500'],
      ["warn", { ...facts, failures: 5 }, 'Cannot predict: remote "far" answered 500'],
      ["info", { remote: "far" }, "Remote answers again"],
    ]);
  });
});
