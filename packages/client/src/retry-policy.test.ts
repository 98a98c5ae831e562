import { describe, expect, it } from "vitest";
import { MillraceClientError } from "./client-error.ts";
import type { MillraceClientErrorFields } from "./client-error.ts";
import { RetryPolicy } from "./retry-policy.ts";
import type { RetryOptions } from "./retry-policy.ts";

const LONG_MS = 60_000;
const overloaded = failure({ status: 503 });

function failure(fields: MillraceClientErrorFields, code = "ANY"): MillraceClientError {
  return new MillraceClientError(code, "", fields);
}

function policyOf(options: RetryOptions = {}, random = 0.5): RetryPolicy {
  return new RetryPolicy(options, () => random);
}

describe("RetryPolicy.takeRetry()", () => {
  const retried: readonly (readonly [string, MillraceClientError])[] = [
    ["503", overloaded],
    ["429", failure({ status: 429 })],
    ["a connection that broke before a response", failure({}, "CONNECTION_FAILED")],
  ];
  it.each(retried)("takeRetry() retries %s", (_name, error) => {
    expect(policyOf().takeRetry(error, 0, LONG_MS)).toBe(25);
  });

  const final: readonly (readonly [string, MillraceClientError])[] = [
    ["400", failure({ status: 400 })],
    ["404", failure({ status: 404 })],
    ["500", failure({ status: 500 })],
    ["504", failure({ status: 504 })],
    ["a connection that broke inside a reply", failure({ status: 200 }, "CONNECTION_FAILED")],
    ["the client's own deadline", failure({}, "DEADLINE_EXCEEDED")],
  ];
  it.each(final)("takeRetry() does not retry %s", (_name, error) => {
    expect(policyOf().takeRetry(error, 0, LONG_MS)).toBeUndefined();
  });

  it("takeRetry() doubles the upper end of the wait up to backoffMsMax", () => {
    const policy = policyOf({ max: 9, backoffMs: 50, backoffMsMax: 300 });
    const waits = [0, 1, 2, 3, 4].map((count) => policy.takeRetry(overloaded, count, LONG_MS));
    expect(waits).toEqual([25, 50, 100, 150, 150]);
  });

  it("takeRetry() spreads the wait over all of 0 to its upper end", () => {
    expect(policyOf({}, 0).takeRetry(overloaded, 0, LONG_MS)).toBe(0);
    expect(policyOf({}, 0.99).takeRetry(overloaded, 0, LONG_MS)).toBe(49.5);
  });

  it("takeRetry() stops after max retries", () => {
    expect(policyOf({ max: 1 }).takeRetry(overloaded, 1, LONG_MS)).toBeUndefined();
  });

  it("takeRetry() adds its wait to Retry-After, and gives up when that is too long", () => {
    const policy = policyOf({ retryAfterMsMax: 2000 });
    const after = (seconds: number): MillraceClientError =>
      failure({ status: 503, retryAfterSeconds: seconds });
    expect(policy.takeRetry(after(2), 0, LONG_MS)).toBe(2025);
    expect(policy.takeRetry(after(3), 0, LONG_MS)).toBeUndefined();
  });

  it("takeRetry() gives up, and keeps the budget, when the wait would pass the deadline", () => {
    const policy = policyOf({ budgetMax: 1 });
    expect(policy.takeRetry(overloaded, 0, 25)).toBeUndefined();
    expect(policy.takeRetry(overloaded, 0, 26)).toBe(25);
  });
});

it("RetryPolicy allows budgetMax retries at first and then budgetRatio per request", () => {
  const policy = policyOf({ budgetMax: 3, budgetRatio: 0.25 });
  let retryCount = 0;
  for (let request = 0; request < 100; request++) {
    policy.onRequest();
    if (policy.takeRetry(overloaded, 0, LONG_MS) !== undefined) retryCount++;
  }
  expect(retryCount).toBe(3 + 24); // 3 + 0.25 × 100, less the first deposit, which found the bucket full
});
