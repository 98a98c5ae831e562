import { describe, expect, it } from "vitest";
import { HdrHistogram } from "../stats/hdr-histogram.ts";
import { TestRandom } from "../test-random.ts";
import { LoadTally } from "./load-tally.ts";
import type { RequestResult } from "./request-result.ts";

const STARTED_AT_MS = 1_700_000_000_000.25;

const answered: RequestResult = {
  seq: 0,
  intendedMs: 0,
  sentMs: 1,
  firstByteMs: 5,
  doneMs: 7,
  code: 200,
  bytesOut: 10,
  bytesIn: 20,
  error: "",
};

function randomResults(count: number, seed: number): RequestResult[] {
  const random = new TestRandom(seed);
  return Array.from({ length: count }, (_, seq) => {
    const intendedMs = random.next() * 20_000;
    const sentMs = intendedMs + random.next() ** 3 * 4;
    const firstByteMs = sentMs + random.next() * 30;
    const code = random.pick([200, 200, 200, 302, 429, 503, 0]);
    return {
      seq,
      intendedMs,
      sentMs,
      firstByteMs: code === 0 ? Number.NaN : firstByteMs,
      doneMs: firstByteMs + random.next() * 5,
      code,
      bytesOut: 100,
      bytesIn: random.below(1000),
      error: code >= 200 && code < 400 ? "" : `code ${code}`,
    };
  });
}

describe("LoadTally", () => {
  it("report() counts response time from the due time, service time and first byte from the send", () => {
    const tally = new LoadTally(STARTED_AT_MS);
    tally.add(answered);
    const { millrace, ...vegeta } = tally.report();
    expect(millrace.response).toMatchObject({ count: 1, mean_ms: 7, p99_ms: 7, max_ms: 7 });
    expect(millrace.service.p50_ms).toBe(6);
    expect(millrace.first_byte.p50_ms).toBe(4);
    expect(millrace.lag.p50_ms).toBe(1);
    expect(vegeta.latencies["50th"]).toBe(7_000_000);
    expect(vegeta.earliest).toBe("2023-11-14T22:13:20.00025Z");
    expect(vegeta.end).toBe("2023-11-14T22:13:20.00725Z");
  });

  it("report() leaves a request without a byte out of first_byte alone", () => {
    const tally = new LoadTally(STARTED_AT_MS);
    tally.add({ ...answered, firstByteMs: Number.NaN, code: 0, error: "timeout" });
    const { millrace, status_codes, errors } = tally.report();
    expect([millrace.first_byte.count, millrace.service.count]).toEqual([0, 1]);
    expect(millrace.first_byte.p99_ms).toBe(0);
    expect([status_codes, errors]).toEqual([{ 0: 1 }, ["timeout"]]);
  });

  it("report() without a result is all 0", () => {
    const { millrace, requests } = new LoadTally(STARTED_AT_MS).report();
    expect([
      requests,
      millrace.response.count,
      millrace.response.p99_ms,
      millrace.timeline,
    ]).toEqual([0, 0, 0, []]);
  });

  it("totals() has due = sent + dropped, with what is under way", () => {
    const tally = new LoadTally(STARTED_AT_MS);
    tally.add(answered);
    tally.add({ ...answered, code: 503 });
    tally.addDropped(3);
    expect(tally.totals(4)).toEqual({
      due: 7,
      sent: 6,
      ok: 1,
      failed: 1,
      dropped: 1,
      underWay: 4,
      codes: { 200: 1, 503: 1 },
      p50Ms: 7,
      p99Ms: 7,
      maxMs: 7,
    });
  });

  it.each([1, 2, 3])(
    "all parts of report() agree in whatever order results come (seed %i)",
    (seed) => {
      const results = randomResults(5000, seed);
      const dropped = [5, 300, 19_999];
      const inOrder = new LoadTally(STARTED_AT_MS);
      for (const result of results) inOrder.add(result);
      for (const dueMs of dropped) inOrder.addDropped(dueMs);
      const byEnd = new LoadTally(STARTED_AT_MS);
      for (const dueMs of dropped) byEnd.addDropped(dueMs);
      for (const result of results.toSorted((a, b) => a.doneMs - b.doneMs)) byEnd.add(result);

      const report = inOrder.report();
      const { millrace } = report;
      const windows = millrace.timeline;
      const sum = (of: (window: (typeof windows)[number]) => number) =>
        windows.reduce((total, window) => total + of(window), 0);
      expect(sum((window) => window.due)).toBe(results.length + dropped.length);
      expect(sum((window) => window.dropped)).toBe(dropped.length);
      expect(sum((window) => window.ok)).toBe(Math.round(report.success * report.requests));
      expect(sum((window) => window.ok + window.failed)).toBe(report.requests);
      expect(sum((window) => window.answered)).toBe(report.requests);
      expect(windows.at(-1)?.under_way).toBe(0);
      for (const [code, count] of Object.entries(report.status_codes)) {
        expect(sum((window) => window.codes[code] ?? 0)).toBe(count);
      }
      const histogram = HdrHistogram.from(millrace.histogram);
      expect(histogram.count).toBe(report.requests);
      expect(histogram.quantile(0.99) / 1000 / millrace.response.p99_ms).toBeCloseTo(1, 2);
      expect(Math.max(...windows.map((window) => window.max_ms))).toBeCloseTo(
        millrace.response.max_ms,
        2,
      );
      expect(withoutSums(byEnd.report())).toEqual(withoutSums(report));
    },
  );
});

/** Sums of fractions depend on their order in the last bits. */
function withoutSums({ errors, ...report }: ReturnType<LoadTally["report"]>) {
  const round = (key: string, value: unknown): unknown =>
    typeof value === "number" && key.startsWith("mean") ? Number(value.toPrecision(9)) : value;
  return {
    errors: errors.toSorted(),
    report: JSON.parse(JSON.stringify(report, round)) as unknown,
  };
}
