import { describe, expect, it } from "vitest";
import type { VegetaMetrics } from "../../core/load/load-report.ts";
import { metricsOf, MIXED, storedResult, tallyOf, TEN_THOUSAND } from "./test-metrics.ts";
import { textReport } from "./text-report.ts";

function latencies(
  ...ms: readonly [number, number, number, number, number, number, number]
): VegetaMetrics["latencies"] {
  const [min, mean, p50, p90, p95, p99, max] = ms.map((one) => Math.round(one * 1e6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { total: 0, min, mean, "50th": p50, "90th": p90, "95th": p95, "99th": p99, max };
}

describe("textReport()", () => {
  it("prints a mixed run as vegeta did, byte by byte", () => {
    expect(textReport(tallyOf(MIXED).metrics())).toBe(`\
Requests      [total, rate, throughput]         100, 101.01, 36.70
Duration      [total, attack, wait]             1.09s, 990ms, 100ms
Latencies     [min, mean, 50, 90, 95, 99, max]  1ms, 50.5ms, 50.5ms, 90.5ms, 95.5ms, 99.5ms, 100ms
Bytes In      [total, mean]                     14850, 148.50
Bytes Out     [total, mean]                     700, 7.00
Success       [ratio]                           40.00%
Status Codes  [code:count]                      0:20  200:40  500:20  503:20  ${""}
Error Set:
500 Internal Server Error
Get "http://h/": EOF
503 Service Unavailable
`);
  });

  it("prints a single request, and none, as vegeta did", () => {
    expect(textReport(tallyOf([storedResult()]).metrics())).toBe(`\
Requests      [total, rate, throughput]         1, 1.00, 1.00
Duration      [total, attack, wait]             3ms, 0s, 3ms
Latencies     [min, mean, 50, 90, 95, 99, max]  3ms, 3ms, 3ms, 3ms, 3ms, 3ms, 3ms
Bytes In      [total, mean]                     10, 10.00
Bytes Out     [total, mean]                     5, 5.00
Success       [ratio]                           100.00%
Status Codes  [code:count]                      200:1  ${""}
Error Set:
`);
    expect(textReport(tallyOf([]).metrics())).toBe(`\
Requests      [total, rate, throughput]         0, 0.00, 0.00
Duration      [total, attack, wait]             0s, 0s, 0s
Latencies     [min, mean, 50, 90, 95, 99, max]  0s, 0s, 0s, 0s, 0s, 0s, 0s
Bytes In      [total, mean]                     0, 0.00
Bytes Out     [total, mean]                     0, 0.00
Success       [ratio]                           0.00%
Status Codes  [code:count]                      ${""}
Error Set:
`);
  });

  it("has the figures of vegeta's own test of 10,000 requests", () => {
    expect(textReport(tallyOf(TEN_THOUSAND).metrics())).toBe(`\
Requests      [total, rate, throughput]         10000, 1.00, 0.67
Duration      [total, attack, wait]             2h47m0s, 2h47m0s, 10ms
Latencies     [min, mean, 50, 90, 95, 99, max]  1µs, 5.001ms, 5.001ms, 9.001ms, 9.501ms, 9.901ms, 10ms
Bytes In      [total, mean]                     10240000, 1024.00
Bytes Out     [total, mean]                     5120000, 512.00
Success       [ratio]                           66.67%
Status Codes  [code:count]                      200:3334  302:3333  500:3333  ${""}
Error Set:
Internal server error
`);
  });

  it("prints the published runs as they were printed", () => {
    const thousand = metricsOf({
      requests: 60_000,
      rate: 999.93,
      throughput: 390.8,
      duration: 60_004_000_000,
      wait: 14_272_000_000,
      latencies: latencies(1.25, 10_190, 9300, 18_740, 22_070, 29_700, 30_040),
      success: 29_027 / 60_000,
      status_codes: { 0: 30_973, 200: 29_027 },
    });
    const [, duration, times, , , success, codes] = textReport(thousand).split("\n");
    expect(duration).toBe("Duration      [total, attack, wait]             1m14s, 1m0s, 14.272s");
    expect(times).toContain("1.25ms, 10.19s, 9.3s, 18.74s, 22.07s, 29.7s, 30.04s");
    expect(success).toContain("48.38%");
    expect(codes).toContain("0:30973  200:29027  ");

    const breaker = metricsOf({
      requests: 10_000,
      rate: 1000.04,
      throughput: 764.34,
      duration: 10_000_000_000,
      wait: 241_972_000,
      latencies: latencies(0.362662, 177.282, 90.438, 427.767, 672.361, 1419, 2929),
      bytes_in: { total: 747_376, mean: 74.7376 },
      bytes_out: { total: 350_000, mean: 35 },
      success: 0.7828,
      status_codes: { 200: 7828, 503: 2172 },
      errors: ["503 Service Unavailable"],
    });
    expect(textReport(breaker)).toBe(`\
Requests      [total, rate, throughput]         10000, 1000.04, 764.34
Duration      [total, attack, wait]             10.242s, 10s, 241.972ms
Latencies     [min, mean, 50, 90, 95, 99, max]  362.662µs, 177.282ms, 90.438ms, 427.767ms, 672.361ms, 1.419s, 2.929s
Bytes In      [total, mean]                     747376, 74.74
Bytes Out     [total, mean]                     350000, 35.00
Success       [ratio]                           78.28%
Status Codes  [code:count]                      200:7828  503:2172  ${""}
Error Set:
503 Service Unavailable
`);
  });

  it("lets no error text move the cursor of a terminal", () => {
    expect(textReport(metricsOf({ errors: ["a\u001b[2Jb\tc"] }))).toContain("\na·[2Jb·c\n");
  });
});
