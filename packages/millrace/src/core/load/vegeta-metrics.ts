import { TDigest } from "../stats/t-digest.ts";
import type { VegetaMetrics } from "./load-report.ts";
import { rfc3339Nano } from "./rfc3339-nano.ts";

/** Different texts of errors that are kept; further ones are counted by their codes only. */
export const ERROR_TEXTS_MAX = 10_000;

/** What vegeta knows of a request. */
export interface Hit {
  /** When it began, in whole ns since the begin the tally was made with. */
  readonly atNs: number;
  readonly latencyNs: number;
  /** HTTP status; 0 where there is no answer. */
  readonly code: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** "" where nothing went wrong. */
  readonly error: string;
}

/** Counts requests as vegeta does, in any order, and has its numbers. */
export class VegetaTally {
  /** Of latencies in ns. */
  readonly latencies = new TDigest();
  readonly #beginNs: bigint;
  readonly #buckets: Buckets | undefined;
  readonly #codes = new Map<number, number>();
  readonly #errors = new Set<string>();
  #requests = 0;
  #successes = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #firstNs = Infinity;
  #lastNs = -Infinity;
  #endNs = -Infinity;

  /**
   * @param beginNs Unix time of 0; hits may be within 104 days of it.
   * @param bucketsNs lower bounds of the buckets of a histogram, rising, the first one 0.
   */
  constructor(beginNs: bigint, bucketsNs?: readonly number[]) {
    this.#beginNs = beginNs;
    this.#buckets = bucketsNs && {
      bounds: bucketsNs,
      counts: new Array<number>(bucketsNs.length).fill(0),
    };
  }

  get requests(): number {
    return this.#requests;
  }

  get successes(): number {
    return this.#successes;
  }

  /** Requests by status, 0 where there was no answer. */
  get codes(): ReadonlyMap<number, number> {
    return this.#codes;
  }

  add(hit: Hit): void {
    const { atNs, latencyNs, code } = hit;
    this.#requests += 1;
    if (isSuccess(code)) this.#successes += 1;
    this.#bytesIn += hit.bytesIn;
    this.#bytesOut += hit.bytesOut;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    if (hit.error !== "" && this.#errors.size < ERROR_TEXTS_MAX) this.#errors.add(hit.error);
    if (atNs < this.#firstNs) this.#firstNs = atNs;
    if (atNs > this.#lastNs) this.#lastNs = atNs;
    if (atNs + latencyNs > this.#endNs) this.#endNs = atNs + latencyNs;
    this.latencies.add(latencyNs);
    if (this.#buckets !== undefined) countIn(this.#buckets, latencyNs);
  }

  metrics(): VegetaMetrics {
    const durationNs = this.#requests === 0 ? 0 : this.#lastNs - this.#firstNs;
    const waitNs = this.#requests === 0 ? 0 : this.#endNs - this.#lastNs;
    const share = (total: number): number => (this.#requests === 0 ? 0 : total / this.#requests);
    return {
      latencies: this.#latencyMetrics(),
      ...(this.#buckets !== undefined && { buckets: bucketsJson(this.#buckets) }),
      bytes_in: { total: this.#bytesIn, mean: share(this.#bytesIn) },
      bytes_out: { total: this.#bytesOut, mean: share(this.#bytesOut) },
      earliest: this.#time(this.#firstNs),
      latest: this.#time(this.#lastNs),
      end: this.#time(this.#endNs),
      duration: durationNs,
      wait: waitNs,
      requests: this.#requests,
      // A single request has no duration, and counts as if it had one of a second.
      rate: this.#requests / (durationNs > 0 ? seconds(durationNs) : 1),
      throughput: this.#successes / (durationNs > 0 ? seconds(durationNs + waitNs) : 1),
      success: share(this.#successes),
      status_codes: codesJson(this.#codes),
      errors: [...this.#errors],
    };
  }

  #latencyMetrics(): VegetaMetrics["latencies"] {
    const { latencies } = this;
    if (latencies.count === 0) {
      return { total: 0, mean: 0, "50th": 0, "90th": 0, "95th": 0, "99th": 0, max: 0, min: 0 };
    }
    const quantile = (share: number): number => Math.trunc(latencies.quantile(share));
    return {
      total: latencies.sum,
      mean: Math.trunc(latencies.sum / latencies.count),
      "50th": quantile(0.5),
      "90th": quantile(0.9),
      "95th": quantile(0.95),
      "99th": quantile(0.99),
      max: latencies.max,
      min: latencies.min,
    };
  }

  #time(atNs: number): string {
    return this.#requests === 0 ? ZERO_TIME : rfc3339Nano(this.#beginNs + BigInt(Math.round(atNs)));
  }
}

/** Counts as JSON, by status in rising order. */
export function codesJson(codes: ReadonlyMap<number, number>): Readonly<Record<string, number>> {
  // Keys that are whole numbers rise by themselves.
  return Object.fromEntries(codes);
}

/** Status 200 to 399. */
export function isSuccess(code: number): boolean {
  return code >= 200 && code < 400;
}

/** What Go prints where there is no time. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

interface Buckets {
  readonly bounds: readonly number[];
  readonly counts: number[];
}

function countIn({ bounds, counts }: Buckets, latencyNs: number): void {
  let at = bounds.length - 1;
  while (at > 0 && latencyNs < (bounds[at] as number)) at -= 1;
  counts[at] = (counts[at] ?? 0) + 1;
}

function bucketsJson({ bounds, counts }: Buckets): Readonly<Record<string, number>> {
  return Object.fromEntries(bounds.map((bound, at) => [String(bound), counts[at] ?? 0]));
}

/** As Go has them, to the last bit: whole seconds and the rest apart. */
function seconds(durationNs: number): number {
  const rest = durationNs % 1e9;
  return (durationNs - rest) / 1e9 + rest / 1e9;
}
