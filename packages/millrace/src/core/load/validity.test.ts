import { describe, expect, it } from "vitest";
import type { Spread } from "./load-report.ts";
import { type GeneratorFacts, problemsOf } from "./validity.ts";

function spread(p99_ms: number, count = 1000): Spread {
  const same = { mean_ms: p99_ms, min_ms: p99_ms, p50_ms: p99_ms, p90_ms: p99_ms, p95_ms: p99_ms };
  return { count, ...same, p99_ms, p999_ms: p99_ms, p9999_ms: p99_ms, max_ms: p99_ms };
}

const good: GeneratorFacts = {
  starts: { due: 1000, sent: 1000, dropped: 0 },
  response: spread(20),
  lag: spread(0.5),
  cpu: 0.5,
  connectionsMax: 10_000,
  isInterrupted: false,
};

function textsOf(overrides: Partial<GeneratorFacts>): string[] {
  return problemsOf({ ...good, ...overrides }).map(({ code, text }) => `${code}: ${text}`);
}

describe("problemsOf()", () => {
  it("finds nothing in a good run", () => {
    expect(problemsOf(good)).toEqual([]);
  });

  it.each([
    { lag: 2, response: 20, isFound: false },
    { lag: 2.01, response: 20, isFound: true },
    { lag: 4.9, response: 1000, isFound: false },
    { lag: 5.1, response: 1000, isFound: true },
    { lag: 0.99, response: 1, isFound: false },
    { lag: 1.1, response: 2, isFound: true },
  ])("allows a lag of $lag ms at a p99 of $response ms: $isFound", ({ lag, response, isFound }) => {
    const codes = problemsOf({ ...good, lag: spread(lag), response: spread(response) }).map(
      ({ code }) => code,
    );
    expect(codes).toEqual(isFound ? ["lag"] : []);
  });

  it("says how late, what is allowed and what to do", () => {
    expect(textsOf({ lag: spread(7.25), response: spread(30) })).toEqual([
      "lag: Requests were sent late: 1 % of them by 7.25 ms or more, the limit is 3.00 ms (10 % of the p99 response time, from 1 to 5 ms); use a machine with less to do, more --threads or a lower rate",
    ]);
  });

  it("finds starts that were never sent, with whose fault it is", () => {
    expect(textsOf({ starts: { due: 1000, sent: 990, dropped: 0 } })).toEqual([]);
    expect(textsOf({ starts: { due: 1000, sent: 989, dropped: 0 } })).toEqual([
      "rate: Too few requests were sent: 989 of 1,000 that fell due (98.9 %), at least 99 % are needed; use more --threads, a faster machine or a lower rate",
    ]);
    const [rate, dropped] = textsOf({
      starts: { due: 20_000, sent: 15_000, dropped: 5000 },
      connectionsMax: 100,
    });
    expect(rate).toContain("15,000 of 20,000 that fell due (75 %)");
    expect(rate).toContain("allow more connections");
    expect(dropped).toMatch(
      /^dropped: .* 5,000 of 20,000 found all 100 connections busy, none may; .*--max-connections$/,
    );
  });

  it("finds a single dropped start", () => {
    expect(
      problemsOf({ ...good, starts: { due: 1000, sent: 999, dropped: 1 } }).map(({ code }) => code),
    ).toEqual(["dropped"]);
  });

  it("finds a thread without reserve", () => {
    expect(textsOf({ cpu: 0.85 })).toEqual([]);
    expect(textsOf({ cpu: 0.912 })).toEqual([
      "cpu: The generator was too busy: its busiest thread took 91.2 % of a core, the limit is 85 %; use more --threads, or a lower rate",
    ]);
  });

  it("finds an interruption and an empty run", () => {
    expect(textsOf({ isInterrupted: true })[0]).toContain("interrupted after 1,000 answers");
    const nothing = { response: spread(0, 0), lag: spread(0, 0) };
    expect(textsOf({ ...nothing, starts: { due: 0, sent: 0, dropped: 0 } })[0]).toContain(
      "no request fell due",
    );
    expect(textsOf({ ...nothing, starts: { due: 5, sent: 5, dropped: 0 } })[0]).toContain(
      "5 requests fell due and none has ended",
    );
  });
});
