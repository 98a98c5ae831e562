import { HdrHistogram } from "../stats/hdr-histogram.ts";
import { TDigest } from "../stats/t-digest.ts";
import type { LoadReport, LoadWindow } from "./load-report.ts";
import type { RequestResult } from "./request-result.ts";
import { spreadOf } from "./spread.ts";
import { Timeline } from "./timeline.ts";
import { codesJson, VegetaTally } from "./vegeta-metrics.ts";

/** What has come of the measured time so far. */
export interface LoadTotals {
  /** Starts whose end is known, dropped ones included, and those that are under way. */
  readonly due: number;
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly dropped: number;
  readonly underWay: number;
  readonly codes: Readonly<Record<string, number>>;
  /** Of response times, to 3 digits. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The parts of a report that come of the results. */
export interface TalliedReport extends Omit<LoadReport, "millrace"> {
  readonly millrace: Pick<
    LoadReport["millrace"],
    "response" | "service" | "first_byte" | "lag" | "window_ms" | "timeline" | "histogram"
  >;
}

/** Counts the results of a load test, in whatever order they come, in bounded memory; each takes less than a µs. */
export class LoadTally {
  readonly #vegeta: VegetaTally;
  readonly #timeline: Timeline;
  readonly #serviceMs = new TDigest();
  readonly #firstByteMs = new TDigest();
  readonly #lagMs = new TDigest();
  readonly #responseUs = new HdrHistogram();
  readonly #hit = { atNs: 0, latencyNs: 0, code: 0, bytesOut: 0, bytesIn: 0, error: "" };
  #dropped = 0;

  /** @param startedAtMs Unix time at which the measured time began. */
  constructor(startedAtMs: number, timeline = new Timeline()) {
    this.#vegeta = new VegetaTally(BigInt(Math.round(startedAtMs * 1000)) * 1000n);
    this.#timeline = timeline;
  }

  /** Results that were added. */
  get count(): number {
    return this.#vegeta.requests;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get windowMs(): number {
    return this.#timeline.windowMs;
  }

  /** @param result is not kept, so that one object can be used for all. */
  add(result: RequestResult): void {
    const { intendedMs, sentMs, firstByteMs, doneMs } = result;
    const hit = this.#hit;
    hit.atNs = Math.round(intendedMs * 1e6);
    hit.latencyNs = Math.round((doneMs - intendedMs) * 1e6);
    hit.code = result.code;
    hit.bytesOut = result.bytesOut;
    hit.bytesIn = result.bytesIn;
    hit.error = result.error;
    this.#vegeta.add(hit);
    this.#responseUs.record((doneMs - intendedMs) * 1000);
    this.#serviceMs.add(doneMs - sentMs);
    this.#firstByteMs.add(firstByteMs - sentMs);
    this.#lagMs.add(sentMs - intendedMs);
    this.#timeline.add(result);
  }

  /** A start that found every connection busy. */
  addDropped(dueMs: number): void {
    this.#dropped += 1;
    this.#timeline.addDropped(dueMs);
  }

  totals(underWay: number): LoadTotals {
    const { requests, successes, codes } = this.#vegeta;
    const sent = requests + underWay;
    return {
      due: sent + this.#dropped,
      sent,
      ok: successes,
      failed: requests - successes,
      dropped: this.#dropped,
      underWay,
      codes: codesJson(codes),
      p50Ms: this.#responseUs.quantile(0.5) / 1000,
      p99Ms: this.#responseUs.quantile(0.99) / 1000,
      maxMs: this.#responseUs.max / 1000,
    };
  }

  /** A window, as far as its results are there. @param underWay at its end. */
  window(at: number, underWay: number): LoadWindow {
    return this.#timeline.window(at, underWay);
  }

  report(): TalliedReport {
    return {
      ...this.#vegeta.metrics(),
      millrace: {
        response: spreadOf(this.#vegeta.latencies, 1e6),
        service: spreadOf(this.#serviceMs),
        first_byte: spreadOf(this.#firstByteMs),
        lag: spreadOf(this.#lagMs),
        window_ms: this.#timeline.windowMs,
        timeline: this.#timeline.windows(),
        histogram: this.#responseUs.toJSON(),
      },
    };
  }
}
