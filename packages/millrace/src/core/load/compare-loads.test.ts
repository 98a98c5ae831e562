import { describe, expect, it } from "vitest";
import { testLoadReport } from "../../load-test/reports/test-load-report.ts";
import { TestRandom } from "../test-random.ts";
import { compareLoads } from "./compare-loads.ts";
import type { MetricComparison } from "./load-comparison.ts";
import type { LoadFacts, LoadReport } from "./load-report.ts";
import { LoadTally } from "./load-tally.ts";
import { serve } from "./test-queue.ts";

interface Made {
  readonly rate?: number;
  readonly serviceMs?: number;
  readonly durationMs?: number;
  readonly failedShare?: number;
  readonly facts?: Partial<LoadFacts>;
}

/** A report of a queue of one server. */
function reportOf(made: Made, random: TestRandom): LoadReport {
  const { rate = 80, serviceMs = 10, durationMs = 60_000, failedShare = 0, facts } = made;
  const tally = new LoadTally(0);
  const queue = { servers: 1, serviceMs, service: "exponential", spacing: "poisson" } as const;
  let sent = 0;
  serve(queue, { rate, warmupMs: 5_000, durationMs }, random, (atMs, doneMs) => {
    if (atMs < 0) return;
    sent += 1;
    const isFailed = random.next() < failedShare;
    tally.add({
      seq: sent,
      intendedMs: atMs,
      sentMs: atMs,
      firstByteMs: doneMs,
      doneMs,
      code: isFailed ? 500 : 200,
      bytesOut: 0,
      bytesIn: 0,
      error: isFailed ? "500 Internal Server Error" : "",
    });
  });
  const { millrace, ...vegeta } = tally.report();
  const like = testLoadReport({ windows: 1 });
  const starts = { due: sent, sent, dropped: 0, unanswered: 0 };
  const own = { ...millrace, starts, duration_ms: durationMs, valid: true, problems: [] };
  const environment = { ...like.millrace.environment, load_average: 0 };
  return { ...vegeta, millrace: { ...like.millrace, ...own, environment, ...facts } };
}

function compare(before: Made, after: Made, seed = 1) {
  const random = new TestRandom(seed);
  return compareLoads(reportOf(before, random), reportOf(after, random));
}

function metric(
  comparison: ReturnType<typeof compare>,
  name: MetricComparison["metric"],
): MetricComparison {
  return comparison.metrics.find((candidate) => candidate.metric === name) as MetricComparison;
}

it("compareLoads() sees a service that is a third slower", () => {
  const comparison = compare({ rate: 50 }, { rate: 50, serviceMs: 13.3 });
  expect(metric(comparison, "p50").verdict).toBe("worse");
  expect(metric(comparison, "p99").verdict).toBe("worse");
  expect(metric(comparison, "throughput").verdict).toBe("same");
  expect(comparison.statement).toMatch(
    /^With 95 % confidence the second one is worse: p50 is [\d.]+ % higher \([\d.]+ to [\d.]+\)/,
  );
  expect(comparison.warnings).toEqual([]);
});

it("compareLoads() is the other way round when the tests are", () => {
  const comparison = compare({ rate: 50, serviceMs: 16 }, { rate: 50 });
  const { before, after, change, interval, verdict } = metric(comparison, "p99");
  expect(verdict).toBe("better");
  expect(change).toBeCloseTo(after / before - 1, 12);
  expect(interval?.low).toBeLessThan(change as number);
  expect(interval?.high).toBeGreaterThan(change as number);
  expect(comparison.statement).toMatch(/is better: .*% lower/);
});

describe("compareLoads() of a test with itself", () => {
  // Latencies of a busy queue resemble those of the second before: treated as independent, far more tests would differ.
  it.each([
    [50, 60_000],
    [90, 240_000],
  ])("at %d/s of 100/s, for %d ms, hardly ever sees a difference", (rate, durationMs) => {
    const RUNS = 40;
    const made = { rate, durationMs };
    const random = new TestRandom(rate);
    let wrong = 0;
    for (let run = 0; run < RUNS; run++) {
      const [first, second] = [reportOf(made, random), reportOf(made, random)];
      const { metrics } = compareLoads(first, second);
      if (metrics.some(({ verdict }) => verdict !== "same")) wrong += 1;
    }
    // Asked for are 5 %; of a queue that is busy to 90 % four minutes hold a few excursions only, and it is some 10 %.
    expect(wrong / RUNS, `seed ${random.seed}`).toBeLessThanOrEqual(rate > 50 ? 0.15 : 0.075);
  });
});

it("compareLoads() sees errors, as a difference of shares", () => {
  const comparison = compare({}, { failedShare: 0.05 });
  const errors = metric(comparison, "errors");
  expect(errors.verdict).toBe("worse");
  expect(errors.change).toBeCloseTo(errors.after, 12);
  expect(comparison.statement).toContain("errors are");
});

it("compareLoads() does not take no error in either for certainty", () => {
  const { change, interval, verdict } = metric(compare({}, {}), "errors");
  expect([change, verdict]).toEqual([0, "same"]);
  expect(interval?.high).toBeGreaterThan(0);
});

it("compareLoads() sees more throughput of a higher rate, and warns that rates differ", () => {
  const comparison = compare({ rate: 50 }, { rate: 75, facts: { arrivals: "75/s, Poisson" } });
  expect(metric(comparison, "throughput").verdict).toBe("better");
  expect(comparison.statement).toContain("worse in part and better in part");
  expect(comparison.warnings[0]).toMatch(
    /^arrivals: .* in the first, 75\/s, Poisson in the second/,
  );
});

it("compareLoads() says nothing of tests of a few seconds", () => {
  const comparison = compare({ durationMs: 5_000 }, {});
  expect(comparison.metrics.map(({ verdict }) => verdict)).toEqual(Array(5).fill("unknown"));
  expect(comparison.metrics.map(({ interval }) => interval)).toEqual(Array(5).fill(null));
  expect(comparison.statement).toBe("Nothing can be said of p50, p90, p99, throughput and errors.");
});

it("compareLoads() of a test in which nothing was answered has no change to tell", () => {
  const random = new TestRandom(1);
  const nothing = reportOf({ rate: 0.001, durationMs: 100 }, random);
  const { metrics } = compareLoads(nothing, reportOf({}, random));
  expect(JSON.stringify(metrics)).not.toContain("NaN");
  expect(metrics.map(({ verdict }) => verdict)).toEqual(Array(5).fill("unknown"));
});

it("compareLoads() warns of whatever else differs", () => {
  const like = testLoadReport({ windows: 1 }).millrace;
  const problems = [{ code: "lag", text: "late" }] as const;
  const other: Partial<LoadFacts> = {
    protocol: "grpc",
    targets: ["POST http://127.0.0.1:1/x"],
    warmup_ms: 0,
    valid: false,
    problems,
    environment: { ...like.environment, cpu: "another", cores: 64, load_average: 60 },
  };
  const { warnings } = compare(
    { facts: { warmup_ms: 5_000 } },
    { facts: other, durationMs: 20_000 },
  );
  expect(warnings).toHaveLength(8);
  expect(warnings[0]).toBe("the second test is not valid (lag)");
  expect(warnings.join("\n")).toMatch(/protocol: http1 in the first, grpc in the second/);
  expect(warnings.join("\n")).toMatch(/duration: 60000 ms in the first, 20000 ms in the second/);
  expect(warnings.join("\n")).toMatch(/busy before the second test: load 60 on 64 cores/);
});
