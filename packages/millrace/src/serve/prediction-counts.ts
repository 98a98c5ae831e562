import { MillraceError } from "../core/errors.ts";
import type { StepTrace } from "../core/graph/step-trace.ts";
import type { Predictor, PredictorResult } from "../models/predictor.ts";
import type { ServeMetrics, ServiceSeries } from "./serve-metrics.ts";

/** Steps of a graph that have series of their own. */
const STEP_DEPTH_MAX = 4;

/** Counts what becomes of predictions. */
export class PredictionCounts {
  readonly #metrics: ServeMetrics;
  /** Series by service, then predictor; weak, so that a released one is forgotten. */
  readonly #series = new Map<string, WeakMap<Predictor, ServiceSeries>>();

  constructor(metrics: ServeMetrics) {
    this.#metrics = metrics;
  }

  /** @param tookMs from the parsed request to the outputs. */
  answered(service: string, predictor: Predictor, tookMs: number, result: PredictorResult): void {
    const series = this.#seriesOf(service, predictor);
    series.ok.add();
    series.duration.observe(tookMs / 1000);
    if (result.graph !== undefined) return; // its models count what they did
    series.queue.observe(result.queueMs / 1000);
    series.compute.observe(result.computeMs / 1000);
  }

  /** No model ran for it. */
  answeredFromCache(service: string, predictor: Predictor, tookMs: number): void {
    const series = this.#seriesOf(service, predictor);
    series.ok.add();
    series.duration.observe(tookMs / 1000);
  }

  /** @param version empty where none answered: a number a client made up must not become a label. */
  failed(service: string, model: string, version: string, error: unknown): void {
    const code = error instanceof MillraceError ? error.code : "INTERNAL";
    this.#metrics.countError(service, model, version, code);
    if (error instanceof MillraceError && error.reason !== undefined) {
      this.#metrics.countRejection(error.reason);
    }
  }

  /** The steps of a graph, each under its name with those of the steps around it: `branches.setosa`. */
  steps(service: string, trace: StepTrace, prefix = "", depth = 1): void {
    for (const child of trace.children) {
      const name = `${prefix}${child.name}`;
      if (child.status === "omitted") continue;
      this.#metrics.observeStep(service, name, child.status, child.tookMs);
      if (depth < STEP_DEPTH_MAX && child.kind !== "cached")
        this.steps(service, child, `${name}.`, depth + 1);
    }
  }

  /** Forgets services that are gone. */
  keepOnly(isKnown: (service: string) => boolean): void {
    for (const name of this.#series.keys()) if (!isKnown(name)) this.#series.delete(name);
  }

  #seriesOf(service: string, predictor: Predictor): ServiceSeries {
    let byPredictor = this.#series.get(service);
    if (byPredictor === undefined) {
      byPredictor = new WeakMap();
      this.#series.set(service, byPredictor);
    }
    let series = byPredictor.get(predictor);
    if (series === undefined) {
      series = this.#metrics.series(service, predictor.modelName, predictor.version);
      byPredictor.set(predictor, series);
    }
    return series;
  }
}
