import { VegetaTally } from "../../core/load/vegeta-metrics.ts";
import type { VegetaMetrics } from "../../core/load/load-report.ts";
import type { StoredResult } from "../results/stored-result.ts";

/** Begin of the recorded reports: 2026-09-23T10:00:00Z. */
export const BEGIN_NS = 1_790_157_600_000_000_000n;

const CODES = [500, 200, 0, 200, 503];
const ERRORS = [
  "500 Internal Server Error",
  "",
  'Get "http://h/": EOF',
  "",
  "503 Service Unavailable",
];

/** A result of which a test says only what it is about. */
export function storedResult(changes: Partial<StoredResult> = {}): StoredResult {
  return {
    attack: "",
    seq: 0,
    code: 200,
    timestampNs: BEGIN_NS,
    latencyNs: 3_000_000,
    bytesOut: 5,
    bytesIn: 10,
    error: "",
    body: undefined,
    method: "GET",
    url: "http://h/",
    headers: undefined,
    ...changes,
  };
}

/** 100 requests, 10 ms apart, of 1 to 100 ms, of which 40 succeed. */
export const MIXED: readonly StoredResult[] = Array.from({ length: 100 }, (_, seq) =>
  storedResult({
    seq,
    code: CODES[seq % 5] ?? 0,
    timestampNs: BEGIN_NS + BigInt(seq) * 10_000_000n,
    latencyNs: (seq + 1) * 1_000_000,
    bytesIn: seq * 3,
    bytesOut: 7,
    error: ERRORS[seq % 5] ?? "",
  }),
);

/** 10,000 requests, one a second, of 1 to 10,000 µs; codes 200, 302, 500 in turn. */
export const TEN_THOUSAND: readonly StoredResult[] = Array.from({ length: 10_000 }, (_, seq) =>
  storedResult({
    seq,
    code: [500, 200, 302][(seq + 1) % 3] ?? 0,
    timestampNs: BEGIN_NS + BigInt(seq) * 1_000_000_000n,
    latencyNs: (seq + 1) * 1000,
    bytesIn: 1024,
    bytesOut: 512,
    error: (seq + 1) % 3 === 0 ? "Internal server error" : "",
  }),
);

export function tallyOf(
  results: readonly StoredResult[],
  bucketsNs?: readonly number[],
): VegetaTally {
  const tally = new VegetaTally(BEGIN_NS, bucketsNs);
  for (const result of results) {
    tally.add({ ...result, atNs: Number(result.timestampNs - BEGIN_NS) });
  }
  return tally;
}

/** Metrics of which a test says only what it is about. */
export function metricsOf(changes: Partial<VegetaMetrics>): VegetaMetrics {
  return { ...tallyOf([]).metrics(), ...changes };
}
