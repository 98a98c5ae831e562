import { describe, expect, it } from "vitest";
import { jsonReport } from "./json-report.ts";
import { metricsOf, MIXED, storedResult, tallyOf, TEN_THOUSAND, BEGIN_NS } from "./test-metrics.ts";

describe("jsonReport()", () => {
  it("prints a mixed run as vegeta did, byte by byte", () => {
    expect(jsonReport(tallyOf(MIXED).metrics())).toBe(
      '{"latencies":{"total":5050000000,"mean":50500000,"50th":50500000,"90th":90500000,"95th":95500000,"99th":99500000,"max":100000000,"min":1000000},"bytes_in":{"total":14850,"mean":148.5},"bytes_out":{"total":700,"mean":7},"earliest":"2026-09-23T10:00:00Z","latest":"2026-09-23T10:00:00.99Z","end":"2026-09-23T10:00:01.09Z","duration":990000000,"wait":100000000,"requests":100,"rate":101.01010101010101,"throughput":36.69724770642202,"success":0.4,"status_codes":{"0":20,"200":40,"500":20,"503":20},"errors":["500 Internal Server Error","Get \\"http://h/\\": EOF","503 Service Unavailable"]}\n',
    );
  });

  it("prints no requests, and huge ones, as vegeta did", () => {
    expect(jsonReport(tallyOf([]).metrics())).toBe(
      '{"latencies":{"total":0,"mean":0,"50th":0,"90th":0,"95th":0,"99th":0,"max":0,"min":0},"bytes_in":{"total":0,"mean":0},"bytes_out":{"total":0,"mean":0},"earliest":"0001-01-01T00:00:00Z","latest":"0001-01-01T00:00:00Z","end":"0001-01-01T00:00:00Z","duration":0,"wait":0,"requests":0,"rate":0,"throughput":0,"success":0,"status_codes":{},"errors":[]}\n',
    );
    const huge = [0, 1, 2].map((second) =>
      storedResult({
        timestampNs: BEGIN_NS + BigInt(second) * 1_000_000_000n,
        latencyNs: 70 * 3600e9,
        bytesIn: 2 ** 47,
        bytesOut: 2 ** 47,
      }),
    );
    expect(jsonReport(tallyOf(huge).metrics())).toBe(
      '{"latencies":{"total":756000000000000,"mean":252000000000000,"50th":252000000000000,"90th":252000000000000,"95th":252000000000000,"99th":252000000000000,"max":252000000000000,"min":252000000000000},"bytes_in":{"total":422212465065984,"mean":140737488355328},"bytes_out":{"total":422212465065984,"mean":140737488355328},"earliest":"2026-09-23T10:00:00Z","latest":"2026-09-23T10:00:02Z","end":"2026-09-26T08:00:02Z","duration":2000000000,"wait":252000000000000,"requests":3,"rate":1.5,"throughput":0.000011904667423274418,"success":1,"status_codes":{"200":3},"errors":[]}\n',
    );
  });

  it("has the figures of vegeta's own test of 10,000 requests", () => {
    expect(JSON.parse(jsonReport(tallyOf(TEN_THOUSAND).metrics()))).toMatchObject({
      latencies: {
        mean: 5_000_500,
        "50th": 5_000_500,
        "90th": 9_000_500,
        "95th": 9_500_500,
        "99th": 9_900_500,
        max: 10_000_000,
        min: 1000,
      },
      rate: 1.000100010001,
      throughput: 0.6667660098349737,
      success: 0.6667,
      status_codes: { 200: 3334, 302: 3333, 500: 3333 },
    });
  });

  it("has buckets behind the latencies, and escapes as Go does", () => {
    const buckets = { 0: 1, 1000000: 2, 100000000000: 3 };
    const text = jsonReport(metricsOf({ buckets, errors: ["<a&b>\u2028\b\u0001"] }));
    expect(text).toContain('"min":0},"buckets":{"0":1,"1000000":2,"100000000000":3},"bytes_in"');
    expect(text).toContain('"errors":["\\u003ca\\u0026b\\u003e\\u2028\\b\\u0001"]}\n');
  });
});
