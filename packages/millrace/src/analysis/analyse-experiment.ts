import type { ExperimentConfig, MetricConfig } from "../config/experiment-config.ts";
import { adjustSecondary, compareMetric } from "../core/experiment/compare-metric.ts";
import { decide } from "../core/experiment/decide.ts";
import type {
  ArmReport,
  ExperimentAnalysis,
  SampleRatioReport,
} from "../core/experiment/experiment-report.ts";
import type { PhaseSums } from "../core/experiment/metric-sums.ts";
import type { ResultRow } from "../evaluation/result-rows.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { eventSumsSql, type EventMetric } from "./event-sql.ts";
import type { ExperimentScope } from "./experiment-scope.ts";
import { exposureCounts, sampleRatio, type ExposureCounts } from "./exposure-counts.ts";
import { phasesSql, unitCountsSql } from "./exposure-sql.ts";
import { labelSumsSql } from "./label-sql.ts";
import { classEndUs, latencyReport, quantileClass } from "./latency-classes.ts";
import { LogInquiry } from "./log-inquiry.ts";
import { phaseSums } from "./phase-sums.ts";
import { sampledOneOf, wholeSums } from "./request-sample.ts";
import { requestLatencySql, requestSumsSql } from "./request-sql.ts";
import { SqlParameters } from "./sql-parameters.ts";

export interface ExperimentOrder {
  readonly service: string;
  readonly experiment: ExperimentConfig;
  /** Exposures from here on count, milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  /** Up to when the log is looked at. */
  readonly nowMs: number;
}

/** Requests slower than this quantile of the control arm are slow. */
const SLOW_QUANTILE = 0.95;

/** No latency is so long. */
const NEVER_US = Number.MAX_SAFE_INTEGER;

/**
 * What the prediction log says of an experiment, and what is to be done. Everything that is heavy happens in the engine; what
 * comes back are sums for each metric, phase and arm.
 * @throws what the engine throws.
 */
export async function analyseExperiment(
  engine: QueryEngine,
  order: ExperimentOrder,
): Promise<ExperimentAnalysis> {
  const reading = new ExperimentReading(engine, order);
  const numbers = await reading.read();
  const { experiment } = order;
  const rules = {
    ...experiment.analysis,
    control: experiment.control,
    onRegression: experiment.onRegression,
    onMismatch: experiment.onMismatch,
  };
  return { ...numbers, decision: decide(numbers, rules) };
}

type Numbers = Omit<ExperimentAnalysis, "decision">;

/** One analysis, query by query. */
class ExperimentReading {
  readonly #order: ExperimentOrder;
  readonly #scope: ExperimentScope;
  readonly #inquiry: LogInquiry;
  /** Windows of attribution that metrics have; the experiment's is the first. */
  readonly #windowsMs: readonly number[];

  constructor(engine: QueryEngine, order: ExperimentOrder) {
    const { service, experiment, sinceMs, nowMs } = order;
    this.#order = order;
    this.#inquiry = new LogInquiry(engine);
    this.#scope = {
      service,
      experiment: experiment.name,
      arms: experiment.arms.map(({ name }) => name),
      control: experiment.control,
      isByUnit: experiment.unit.length > 0,
      phaseMin: experiment.minPhase,
      sinceMs,
      nowMs,
    };
    const ofMetrics = experiment.metrics.map((metric) => this.#windowOf(metric));
    this.#windowsMs = [...new Set([experiment.analysis.windowMs, ...ofMetrics])];
  }

  async read(): Promise<Numbers> {
    const { experiment } = this.#order;
    const phaseRows = await this.#ask((parameters) => phasesSql(this.#scope, parameters));
    if (phaseRows.length === 0) return this.#nothing();
    const unitRows = await this.#ask((parameters) =>
      unitCountsSql(this.#scope, this.#windowsMs, parameters),
    );
    const counts = exposureCounts(experiment.arms, phaseRows, unitRows, this.#windowsMs.length);
    const latencyRows = await this.#ask((parameters) => requestLatencySql(this.#scope, parameters));
    const sums = new Map([
      ...(await this.#requestSums(counts, latencyRows)),
      ...(await this.#eventSums(counts)),
      ...(await this.#labelSums(counts)),
    ]);
    const times = (column: string): number[] => phaseRows.map((row) => row.number(column) / 1000);
    return {
      ...this.#nothing(),
      window: { fromMs: Math.min(...times("first_us")), untilMs: this.#order.nowMs },
      tookMs: this.#inquiry.tookMs,
      arms: this.#arms(counts, latencyRows),
      phases: counts.phases.map(({ phase }) => phase),
      sampleRatios: this.#sampleRatios(counts, sums),
      multipleExposures: counts.multiple,
      lastExposureMs: Math.max(...times("last_us")),
      lastPredictionMs: latest(latencyRows),
      metrics: this.#metrics(sums),
    };
  }

  /** Before the first exposure. */
  #nothing(): Numbers {
    return {
      window: { fromMs: undefined, untilMs: this.#order.nowMs },
      computedAtMs: this.#order.nowMs,
      tookMs: this.#inquiry.tookMs,
      arms: this.#arms({ phases: [], multiple: 0 }, []),
      phases: [],
      sampleRatios: [],
      multipleExposures: 0,
      lastExposureMs: undefined,
      lastPredictionMs: undefined,
      metrics: this.#metrics(new Map()),
    };
  }

  #ask(sqlOf: (parameters: SqlParameters) => string): Promise<readonly ResultRow[]> {
    const parameters = new SqlParameters();
    return this.#inquiry.ask(sqlOf(parameters), parameters);
  }

  #windowOf({ windowMs }: MetricConfig): number {
    return windowMs ?? this.#order.experiment.analysis.windowMs;
  }

  async #requestSums(
    { phases }: ExposureCounts,
    latencyRows: readonly ResultRow[],
  ): Promise<readonly MetricSums[]> {
    const { experiment } = this.#order;
    const metrics = experiment.metrics.filter(({ source }) => source.kind in REQUEST_COLUMNS);
    if (metrics.length === 0) return [];
    const control = experiment.arms.findIndex(({ name }) => name === experiment.control);
    const slow = quantileClass(classesOf(latencyRows, control), SLOW_QUANTILE);
    const slowUs = slow === undefined ? NEVER_US : classEndUs(slow);
    const oneOf = sampledOneOf(latencyRows.reduce((sum, row) => sum + row.number("count"), 0));
    const rows = await this.#ask((parameters) =>
      requestSumsSql(this.#scope, { slowUs, oneOf }, parameters),
    );
    const counts: Record<keyof typeof REQUEST_COLUMNS, (row: ResultRow) => number> = {
      errors: (row) => row.number("errors"),
      slow: (row) => (row.number("class") > (slow ?? Infinity) ? row.number("count") : 0),
    };
    return metrics.map(({ name, source }) => {
      const kind = source.kind as keyof typeof REQUEST_COLUMNS;
      const sums = phaseSums(phases, rows, REQUEST_COLUMNS[kind]);
      return [name, wholeSums(sums, oneOf, latencyRows, counts[kind])];
    });
  }

  async #eventSums({ phases }: ExposureCounts): Promise<readonly MetricSums[]> {
    const metrics = this.#order.experiment.metrics
      .filter((metric): metric is EventMetric => metric.source.kind === "event")
      .map((metric) => ({ ...metric, windowMs: this.#windowOf(metric) }));
    if (metrics.length === 0) return [];
    const rows = await this.#ask((parameters) => eventSumsSql(this.#scope, metrics, parameters));
    return metrics.map(({ name, windowMs }, index) => {
      const ofMetric = rows.filter((row) => row.number("metric") === index);
      const window = this.#windowsMs.indexOf(windowMs);
      const unitsOf = (phase: (typeof phases)[number]): readonly number[] =>
        phase.matured[window] ?? [];
      return [name, phaseSums(phases, ofMetric, undefined, unitsOf)];
    });
  }

  async #labelSums({ phases }: ExposureCounts): Promise<readonly MetricSums[]> {
    const metrics = this.#order.experiment.metrics.filter(
      ({ source }) => source.kind === "correct",
    );
    const byWindow = Map.groupBy(metrics, (metric) => this.#windowOf(metric));
    const found: MetricSums[] = [];
    for (const [windowMs, same] of byWindow) {
      const { sql, parameters } = labelSumsSql(this.#scope, windowMs);
      const sums = phaseSums(phases, await this.#inquiry.ask(sql, parameters));
      for (const { name } of same) found.push([name, sums]);
    }
    return found;
  }

  #arms({ phases }: ExposureCounts, latencyRows: readonly ResultRow[]): readonly ArmReport[] {
    const { arms, control } = this.#order.experiment;
    return arms.map(({ name, weight }, index) => {
      const rows = ofArm(latencyRows, index);
      const total = (column: string): number =>
        rows.reduce((sum, row) => sum + row.number(column), 0);
      return {
        arm: name,
        isControl: name === control,
        weight,
        units: phases.reduce((sum, { exposed }) => sum + (exposed[index] ?? 0), 0),
        predictions: total("count"),
        errors: total("errors"),
        latencyMs: latencyReport(classesOf(latencyRows, index)),
      };
    });
  }

  #sampleRatios(
    { phases }: ExposureCounts,
    sums: ReadonlyMap<string, readonly PhaseSums[]>,
  ): readonly SampleRatioReport[] {
    const labels = this.#order.experiment.metrics.find(({ source }) => source.kind === "correct");
    const labelled = new Map(
      sums
        .get(labels?.name ?? "")
        ?.map(({ phase, arms }) => [phase, arms.map(({ units }) => units)]),
    );
    const found = [
      sampleRatio("exposed", phases, ({ exposed }) => exposed),
      sampleRatio("matured", phases, ({ matured }) => matured[0] ?? []),
      labels && sampleRatio("labelled", phases, ({ phase }) => labelled.get(phase) ?? []),
    ];
    return found.filter((report) => report !== undefined);
  }

  #metrics(sums: ReadonlyMap<string, readonly PhaseSums[]>): ExperimentAnalysis["metrics"] {
    const { metrics, control, analysis } = this.#order.experiment;
    const rules = { ...analysis, arms: this.#scope.arms, control };
    const compared = metrics.map((metric) =>
      compareMetric(metric, sums.get(metric.name) ?? [], rules),
    );
    return adjustSecondary(compared);
  }
}

/** Name of a metric, and what is known of it. */
type MetricSums = readonly [name: string, sums: readonly PhaseSums[]];

/** Sums of `requestSumsSql`. */
const REQUEST_COLUMNS = {
  errors: { y: "e", yy: "ee", xy: "xe" },
  slow: { y: "s", yy: "ss", xy: "xs" },
} as const;

function ofArm(rows: readonly ResultRow[], index: number): readonly ResultRow[] {
  return rows.filter((row) => row.number("arm") === 1 << index);
}

function classesOf(latencyRows: readonly ResultRow[], index: number) {
  return ofArm(latencyRows, index).map((row) => ({
    index: row.number("class"),
    count: row.number("count"),
  }));
}

function latest(latencyRows: readonly ResultRow[]): number | undefined {
  if (latencyRows.length === 0) return undefined;
  return Math.max(...latencyRows.map((row) => row.number("last_us"))) / 1000;
}
