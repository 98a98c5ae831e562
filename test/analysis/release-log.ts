import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import type {
  ExperimentConfig,
  MetricConfig,
} from "../../packages/millrace/src/config/experiment-config.ts";
import type { ShadowConfig } from "../../packages/millrace/src/config/shadow-config.ts";
import { analyseExperiment } from "../../packages/millrace/src/analysis/analyse-experiment.ts";
import { analyseShadow } from "../../packages/millrace/src/analysis/analyse-shadow.ts";
import type { ExperimentAnalysis } from "../../packages/millrace/src/core/experiment/experiment-report.ts";
import { LOG_COLUMNS } from "../../packages/millrace/src/core/predictions/columns.ts";
import type { ExposureRow } from "../../packages/millrace/src/core/predictions/exposure-row.ts";
import type { FeedbackRow } from "../../packages/millrace/src/core/predictions/feedback-row.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import type { PredictionRow } from "../../packages/millrace/src/core/predictions/prediction-row.ts";
import type { ShadowAnalysis } from "../../packages/millrace/src/core/shadow/shadow-report.ts";
import { LogWorld } from "../query/log-world.ts";

export const SINCE_MS = Date.UTC(2026, 10, 21);
const SECOND_MS = 1_000;
export const HOUR_MS = 3_600_000;

/** Where the tables' files lie. */
const PATHS: Readonly<Record<LogTable, string>> = {
  predictions: "predictions/dt=2026-11-21/hour=00/model=m/p0-0-",
  feedback: "feedback/dt=2026-11-21/p0-0-",
  exposures: "exposures/dt=2026-11-21/p0-0-",
};

interface Rows {
  readonly predictions: Partial<PredictionRow>;
  readonly feedback: Partial<FeedbackRow>;
  readonly exposures: Partial<ExposureRow>;
}

/** What most rows are. */
const USUAL: Readonly<{ [Table in LogTable]: Rows[Table] }> = {
  predictions: {
    service: "s",
    version: "1",
    model_digest: "d1",
    role: "primary",
    status: "ok",
    row_index: 0,
    row_count: 1,
    sampled_weight: 1,
    total_us: 1000,
    experiment: "e",
    phase: 1,
    propensity: 0.5,
  },
  feedback: { service: "s", kind: "event", event: "purchase" },
  exposures: { service: "s", experiment: "e", phase: 1, propensity: 0.5, coverage: 1 },
};

/** A log of Parquet files, and what is read out of it. */
export class ReleaseLog implements AsyncDisposable {
  readonly #world = new LogWorld();
  readonly #engine: DuckDbQueryEngine;
  #fileCount = 0;

  constructor() {
    this.#engine = new DuckDbQueryEngine({
      folder: this.#world.folder,
      segments: this.#world.segments,
      memoryBytesMax: 512 * 2 ** 20,
      timeoutMs: 60_000,
      threadCount: 2,
    });
  }

  /** @param rows columns that are not said are as usual, or null. */
  async add<Table extends LogTable>(table: Table, rows: readonly Rows[Table][]): Promise<void> {
    if (rows.length === 0) return;
    const path = join(this.#world.folder, "..", "rows.jsonl");
    writeFileSync(
      path,
      rows.map((row) => `${JSON.stringify({ ...USUAL[table], ...row })}\n`).join(""),
    );
    const names = new Set([
      ...Object.keys(USUAL[table]),
      ...rows.flatMap((row) => Object.keys(row)),
    ]);
    const columns = LOG_COLUMNS[table].filter(({ name }) => names.has(name));
    const types = columns.map(
      ({ name, type }) => `"${name}": '${type === "TIMESTAMP" ? "BIGINT" : type}'`,
    );
    const selected = columns.map(({ name, type }) =>
      type === "TIMESTAMP" ? `make_timestamp("${name}") AS "${name}"` : `"${name}"`,
    );
    const from = `read_json('${path}', format = 'newline_delimited', columns = {${types.join(", ")}})`;
    await this.#write(table, `SELECT ${selected.join(", ")} FROM ${from}`, names);
  }

  /** @param columns SQL of DuckDB by name. @param from as `range(10) t(i)`. */
  async addSql(
    table: LogTable,
    columns: Readonly<Record<string, string>>,
    from: string,
  ): Promise<void> {
    const literals = Object.entries(USUAL[table]).map(([name, value]) => [
      name,
      typeof value === "string" ? `'${value}'` : String(value),
    ]);
    const all: Readonly<Record<string, string>> = {
      ...(Object.fromEntries(literals) as Record<string, string>),
      ...columns,
    };
    const selected = Object.entries(all).map(([name, sql]) => `${sql} AS "${name}"`);
    const names = new Set(Object.keys(all));
    await this.#write(table, `SELECT ${selected.join(", ")} FROM ${from}`, names);
  }

  /** Feedback came when it happened, where nothing else is said. */
  async #write(table: LogTable, rows: string, names: ReadonlySet<string>): Promise<void> {
    const path = `${PATHS[table]}${++this.#fileCount}.parquet`;
    const received = names.has("received_ts") ? "COALESCE(received_ts, ts)" : "ts";
    const rest = names.has("received_ts") ? "* EXCLUDE (received_ts)" : "*";
    const ofFeedback = `SELECT ${rest}, ${received} AS received_ts FROM (${rows})`;
    await this.#world.parquet(path, table, table === "feedback" ? ofFeedback : rows);
  }

  experiment(
    config: Partial<ExperimentConfig> = {},
    nowMs = SINCE_MS + 24 * HOUR_MS,
  ): Promise<ExperimentAnalysis> {
    const experiment = experimentOf(config);
    return analyseExperiment(this.#engine, { service: "s", experiment, sinceMs: SINCE_MS, nowMs });
  }

  shadow(
    config: Partial<ShadowConfig> = {},
    nowMs = SINCE_MS + 24 * HOUR_MS,
  ): Promise<ShadowAnalysis> {
    const shadow = shadowOf(config);
    return analyseShadow(this.#engine, { service: "s", shadow, sinceMs: SINCE_MS, nowMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
    await this.#world[Symbol.asyncDispose]();
  }
}

/** Microseconds, so many seconds after the beginning. */
export function at(seconds: number): number {
  return (SINCE_MS + seconds * SECOND_MS) * 1_000;
}

/** A UUIDv7 of that time. */
export function idAt(seconds: number, tail = 0): string {
  const hex = Math.round(SINCE_MS + seconds * SECOND_MS)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${tail.toString(16).padStart(12, "0")}`;
}

export const PURCHASE: MetricConfig = {
  name: "purchase",
  role: "primary",
  source: { kind: "event", event: "purchase", aggregate: "converted" },
  goal: "increase",
  margin: 0,
  windowMs: undefined,
  lookbackMs: undefined,
};

export const ERRORS: MetricConfig = {
  ...PURCHASE,
  name: "errors",
  role: "guardrail",
  source: { kind: "errors" },
  goal: "decrease",
  margin: 0.005,
};

export const LATENCY: MetricConfig = {
  ...ERRORS,
  name: "latency",
  source: { kind: "slow" },
  margin: 0.05,
};

export const CORRECT: MetricConfig = { ...PURCHASE, name: "correct", source: { kind: "correct" } };

export const ANALYSIS: ExperimentConfig["analysis"] = {
  everyMs: 60_000,
  windowMs: HOUR_MS,
  method: "sequential",
  alpha: 0.05,
  unitsMin: 100,
  unitsTuned: 5000,
  lengthMinMs: 0,
  lengthMaxMs: 30 * 24 * HOUR_MS,
};

function experimentOf(config: Partial<ExperimentConfig>): ExperimentConfig {
  return {
    name: "e",
    unit: [{ from: "header", name: "x-user-id" }],
    arms: [
      { name: "control", to: "a", weight: 0.5 },
      { name: "treatment", to: "b", weight: 0.5 },
    ],
    control: "control",
    coverage: 1,
    isActive: true,
    winner: undefined,
    salt: "e",
    namespace: undefined,
    override: undefined,
    isSticky: true,
    minPhase: 1,
    metrics: [PURCHASE, ERRORS, LATENCY],
    onRegression: "rollback",
    onMismatch: "hold",
    analysis: ANALYSIS,
    ramp: undefined,
    ...config,
  };
}

export function shadowOf(config: Partial<ShadowConfig>): ShadowConfig {
  return {
    name: "sh",
    to: "b",
    share: 1,
    compare: { kind: "label" },
    timeoutMs: undefined,
    concurrency: 32,
    queue: 256,
    isExcluded: false,
    verdict: {
      agreementMin: 0.99,
      errorDifferenceMax: 0.005,
      latencyRatioMax: 1.2,
      pairsMin: 1000,
      lengthMinMs: 0,
      everyMs: 10_000,
      excludes: true,
    },
    ...config,
  };
}
