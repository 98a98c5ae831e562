import type { CounterFamily, Metrics } from "../../core/metrics/metrics.ts";

/** Seconds from a second to 90 days: some truths take a quarter of a year. */
const DELAY_SECONDS = [
  1, 10, 60, 600, 3_600, 21_600, 86_400, 259_200, 604_800, 1_209_600, 2_592_000, 7_776_000,
];

export class FeedbackMetrics {
  readonly #reports: CounterFamily;
  readonly #delay;

  constructor(registry: Metrics) {
    this.#reports = registry.counter(
      "feedback_total",
      "Labels and events that were written, by kind; late is what came after log.feedback.window",
      ["kind", "result"],
    );
    this.#delay = registry.histogram(
      "feedback_delay_seconds",
      "From a prediction to what was reported of it, where its id tells when it was",
      ["kind"],
      DELAY_SECONDS,
    );
  }

  /** @param delayMs undefined where it is not known when the prediction was. */
  count(kind: "label" | "event", isLate: boolean, delayMs: number | undefined): void {
    this.#reports.with(kind, isLate ? "late" : "accepted").add();
    if (delayMs !== undefined) this.#delay.with(kind).observe(Math.max(0, delayMs) / 1000);
  }
}
