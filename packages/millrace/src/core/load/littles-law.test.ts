import { expect, it } from "vitest";
import { littlesLaw } from "./littles-law.ts";

const step = (underWayMean: number, underWayError = 0) => ({
  underWayMean,
  underWayError,
  sentRate: 1000,
  serviceMeanMs: 100,
});

it("littlesLaw() holds where as many are under way as the rate times the latency", () => {
  expect(littlesLaw([step(102), step(100)])).toEqual({
    under_way: 101,
    rate_times_latency: 100,
    ratio: 1.01,
    tolerance: 0.05,
    holds: true,
  });
  expect(littlesLaw([step(106)]).holds).toBe(false);
  expect(littlesLaw([step(94)]).holds).toBe(false);
});

it("littlesLaw() allows two standard errors of what was sampled", () => {
  expect(littlesLaw([step(110, 6)])).toMatchObject({ tolerance: 0.12, holds: true });
  // Of four steps the error is half of that of one.
  const four = littlesLaw([step(110, 6), step(110, 6), step(110, 6), step(110, 6)]);
  expect(four.tolerance).toBeCloseTo(0.06, 12);
  expect(four.holds).toBe(false);
});

it("littlesLaw() allows one request: counts are whole", () => {
  const slow = { underWayMean: 1, underWayError: 0, sentRate: 100, serviceMeanMs: 5 };
  expect(littlesLaw([slow])).toMatchObject({ rate_times_latency: 0.5, holds: true });
  expect(littlesLaw([{ ...slow, underWayMean: 2 }]).holds).toBe(false);
});

it("littlesLaw() of nothing is 0 and holds; requests that are under way without an answer do not", () => {
  expect(littlesLaw([])).toMatchObject({ under_way: 0, rate_times_latency: 0, holds: true });
  const unanswered = { underWayMean: 5, underWayError: 0, sentRate: 100, serviceMeanMs: 0 };
  expect(littlesLaw([unanswered])).toMatchObject({ ratio: 0, holds: false });
});
