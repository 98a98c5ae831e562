import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import type { ExperimentConfig } from "../../packages/millrace/src/config/experiment-config.ts";
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
export const SECOND_MS = 1_000;
export const HOUR_MS = 3_600_000;

/** Where the tables' files lie. */
const PATHS: Readonly<Record<LogTable, string>> = {
  predictions: "predictions/dt=2026-11-21/hour=00/model=m/p0-0-",
  feedback: "feedback/dt=2026-11-21/p0-0-",
  exposures: "exposures/dt=2026-11-21/p0-0-",
};

/** What most rows are. */
const USUAL: Readonly<Record<LogTable, string>> = {
  predictions: `'s' AS service, '1' AS version, 'd1' AS model_digest, 'primary' AS "role", 'ok' AS status, 0 AS row_index, 1 AS row_count, 1.0 AS sampled_weight, 1000 AS total_us, 'e' AS experiment, 1 AS phase, 0.5 AS propensity`,
  feedback: `'s' AS service, 'event' AS kind, 'purchase' AS "event"`,
  exposures: `'s' AS service, 'e' AS experiment, 1 AS phase, 0.5 AS propensity, 1.0 AS coverage`,
};

interface Rows {
  readonly predictions: Partial<PredictionRow>;
  readonly feedback: Partial<FeedbackRow>;
  readonly exposures: Partial<ExposureRow>;
}

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
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    const path = join(this.#world.folder, "..", "rows.jsonl");
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const columns = LOG_COLUMNS[table].filter(({ name }) => names.has(name));
    const types = columns.map(
      ({ name, type }) => `"${name}": '${type === "TIMESTAMP" ? "BIGINT" : type}'`,
    );
    await this.addSql(
      table,
      columns.map(({ name, type }) =>
        type === "TIMESTAMP" ? `make_timestamp("${name}") AS "${name}"` : `"${name}"`,
      ),
      `read_json('${path}', format = 'newline_delimited', columns = {${types.join(", ")}})`,
    );
  }

  /** @param columns of DuckDB, each `… AS "name"` or a name. */
  async addSql(table: LogTable, columns: readonly string[], from: string): Promise<void> {
    const named = new Set(columns.map((column) => /"?(\w+)"?$/.exec(column)?.[1] ?? ""));
    const usual = USUAL[table]
      .split(", ")
      .filter((one) => !named.has(/(\w+)"?$/.exec(one)?.[1] ?? ""));
    const received = table === "feedback" && !named.has("received_ts") ? ["ts AS received_ts"] : [];
    const selected = [...columns, ...usual].join(", ");
    const rows = `SELECT *${received.map((one) => `, ${one}`).join("")} FROM (SELECT ${selected} FROM ${from})`;
    await this.#world.parquet(`${PATHS[table]}${++this.#fileCount}.parquet`, table, rows);
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

export const PURCHASE: ExperimentConfig["metrics"][number] = {
  name: "purchase",
  role: "primary",
  source: { kind: "event", event: "purchase", aggregate: "converted" },
  goal: "increase",
  margin: 0,
  windowMs: undefined,
  lookbackMs: undefined,
};

export const ERRORS: ExperimentConfig["metrics"][number] = {
  ...PURCHASE,
  name: "errors",
  role: "guardrail",
  source: { kind: "errors" },
  goal: "decrease",
  margin: 0.005,
};

export const LATENCY = {
  ...ERRORS,
  name: "latency",
  source: { kind: "slow" },
  margin: 0.05,
} as const;

export const CORRECT = { ...PURCHASE, name: "correct", source: { kind: "correct" } } as const;

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

export function experimentOf(config: Partial<ExperimentConfig>): ExperimentConfig {
  return {
    name: "e",
    unit: [{ kind: "header", name: "x-user-id" }],
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
