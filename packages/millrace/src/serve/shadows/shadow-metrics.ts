import type {
  Counter,
  CounterFamily,
  Histogram,
  HistogramFamily,
  Metrics,
} from "../../core/metrics/metrics.ts";
import {
  PAIR_RESULTS,
  SKIP_REASONS,
  type PairResult,
  type SkipReason,
} from "../../core/shadow/shadow-pair.ts";

/** Seconds; as those of the answers. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Series of one shadow, all of them there from the start. */
export interface ShadowSeries {
  readonly pairs: Readonly<Record<PairResult, Counter>>;
  readonly skipped: Readonly<Record<SkipReason, Counter>>;
  readonly duration: Histogram;
}

/** Copies of one shadow at this moment. */
export interface ShadowUsage {
  readonly service: string;
  readonly shadow: string;
  readonly running: number;
  readonly waiting: number;
}

/** What the shadows of a process do. Names are a promise: docs/reference/metrics.md lists them. */
export class ShadowMetrics {
  readonly #pairs: CounterFamily;
  readonly #skipped: CounterFamily;
  readonly #duration: HistogramFamily;
  #usage: () => readonly ShadowUsage[] = () => [];

  constructor(registry: Metrics) {
    const ofShadow = ["service", "shadow"];
    this.#pairs = registry.counter(
      "shadow_pairs_total",
      "Requests that a shadow got too, by what both came to: agreed, disagreed, shadow_error, primary_error, both_error",
      [...ofShadow, "result"],
    );
    this.#skipped = registry.counter(
      "shadow_skipped_total",
      "Requests that a shadow did not get, by reason: queue, breaker, body, deadline, excluded, inactive",
      [...ofShadow, "reason"],
    );
    this.#duration = registry.histogram(
      "shadow_request_duration_seconds",
      "From the start of a copy to its outputs or its error",
      ofShadow,
      SECONDS,
    );
    const gauge = (name: string, help: string, read: (usage: ShadowUsage) => number): void =>
      registry.gauge(name, help, ofShadow, () =>
        this.#usage().map((usage) => [[usage.service, usage.shadow], read(usage)] as const),
      );
    gauge("shadow_inflight", "Copies in work", ({ running }) => running);
    gauge("shadow_waiting", "Copies that wait for a place", ({ waiting }) => waiting);
  }

  /** Who knows how many copies there are. */
  setUsage(usage: () => readonly ShadowUsage[]): void {
    this.#usage = usage;
  }

  seriesOf(service: string, shadow: string): ShadowSeries {
    const counters = <Name extends string>(names: readonly Name[], family: CounterFamily) =>
      Object.fromEntries(
        names.map((name) => [name, family.with(service, shadow, name)]),
      ) as Readonly<Record<Name, Counter>>;
    return {
      pairs: counters(PAIR_RESULTS, this.#pairs),
      skipped: counters(SKIP_REASONS, this.#skipped),
      duration: this.#duration.with(service, shadow),
    };
  }
}
