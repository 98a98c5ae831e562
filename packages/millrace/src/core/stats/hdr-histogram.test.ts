import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { HdrHistogram, HIGHEST_US } from "./hdr-histogram.ts";

function histogramOf(values: Iterable<number>, digits: 2 | 3 = 3): HdrHistogram {
  const histogram = new HdrHistogram(digits);
  for (const value of values) histogram.record(value);
  return histogram;
}

const oneTo10_000 = Array.from({ length: 10_000 }, (_, at) => at + 1);

describe("HdrHistogram", () => {
  it("quantile() and mean are those of other HdrHistograms of 3 digits", () => {
    const histogram = histogramOf(oneTo10_000);
    const shares = [0.5, 0.9, 0.95, 0.99, 0.999, 1];
    expect(shares.map((share) => histogram.quantile(share))).toEqual([
      5003, 9007, 9503, 9903, 9991, 10_000,
    ]);
    expect(histogram.mean).toBeCloseTo(5000.898, 3);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([10_000, 1, 10_000]);
  });

  it("recordCorrected() adds the values that one long one held up", () => {
    const histogram = new HdrHistogram();
    histogram.recordCorrected(100, 10);
    expect([histogram.count, histogram.mean, histogram.min, histogram.max]).toEqual([
      10, 55, 10, 100,
    ]);
    histogram.recordCorrected(5, 10);
    expect(histogram.count).toBe(11);
    histogram.recordCorrected(5, 0);
    expect(histogram.count).toBe(12);
  });

  it.each([2, 3] as const)(
    "quantile() is never below the value, and at most a unit of %i digits above",
    (digits) => {
      const random = new TestRandom(7);
      for (let round = 0; round < 2000; round++) {
        const value = Math.floor(Math.exp(random.next() * Math.log(HIGHEST_US)));
        const histogram = histogramOf([value, HIGHEST_US], digits);
        const found = histogram.quantile(0.5);
        expect(found).toBeGreaterThanOrEqual(value);
        expect(found - value).toBeLessThanOrEqual(value * 10 ** -digits);
      }
    },
  );

  it("record() counts what is below 0, no number or above an hour at the ends", () => {
    const histogram = histogramOf([-5, Number.NaN, 0.4, 7_200_000_000, Infinity]);
    expect(histogram.count).toBe(5);
    expect(histogram.quantile(0.6)).toBe(0);
    expect(histogram.max).toBe(Infinity);
    expect(histogram.quantile(0.8)).toBeGreaterThanOrEqual(HIGHEST_US);
    expect(histogram.quantile(0.8)).toBeLessThan(HIGHEST_US * 1.001);
  });

  it("merge() in any order is the same as recording everything in one", () => {
    const random = new TestRandom(11);
    const values = Array.from({ length: 5000 }, () => Math.floor(Math.exp(random.next() * 18)));
    const whole = histogramOf(values);
    const merged = new HdrHistogram();
    merged.merge(histogramOf(values.slice(3000)));
    merged.merge(new HdrHistogram());
    merged.merge(histogramOf(values.slice(0, 3000)));
    expect(merged.toJSON()).toEqual(whole.toJSON());
    expect([merged.min, merged.max, merged.mean]).toEqual([whole.min, whole.max, whole.mean]);
  });

  it("merge() refuses other digits", () => {
    expect(() => new HdrHistogram(3).merge(new HdrHistogram(2))).toThrow(
      "they have 3 and 2 digits",
    );
  });

  it("from() reads what toJSON() wrote, and leaves out what cannot be", () => {
    const histogram = histogramOf(oneTo10_000);
    const json = histogram.toJSON();
    const read = HdrHistogram.from(json);
    expect(read.toJSON()).toEqual(json);
    expect(read.quantile(0.99)).toBe(9903);
    const odd = { ...json, indexes: [-1, 5, 1e9, 7], counts: [1, 2, 3] };
    expect(HdrHistogram.from(odd).toJSON()).toMatchObject({ indexes: [5], counts: [2] });
  });

  it("toJSON() refuses 2 digits", () => {
    expect(() => new HdrHistogram(2).toJSON()).toThrow("Cannot write a histogram: it has 2 digits");
  });

  it("everything is 0 where nothing was recorded", () => {
    const histogram = new HdrHistogram();
    expect([
      histogram.count,
      histogram.min,
      histogram.max,
      histogram.mean,
      histogram.quantile(0.5),
    ]).toEqual([0, 0, 0, 0, 0]);
  });
});
