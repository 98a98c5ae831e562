import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import { LocalSegmentWriter } from "../../packages/millrace/src/adapters/segments-file/local-segment-writer.ts";
import { systemFiles } from "../../packages/millrace/src/adapters/segments-file/segment-files.ts";
import { BlockWriter } from "../../packages/millrace/src/core/predictions/block-writer.ts";
import { LOG_COLUMNS } from "../../packages/millrace/src/core/predictions/columns.ts";
import type { ExposureRow } from "../../packages/millrace/src/core/predictions/exposure-row.ts";
import type { FeedbackRow } from "../../packages/millrace/src/core/predictions/feedback-row.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import type {
  LogContext,
  LoggedPrediction,
} from "../../packages/millrace/src/core/predictions/logged-prediction.ts";

export const WRITER = "p0-01992f3c7a5e0001";

/** 2026-11-21 16:00:00 UTC */
export const NOON_US = Date.UTC(2026, 10, 21, 16) * 1_000;

const CONTEXT: LogContext = {
  service: "iris",
  endpoint: "/predict",
  model: "iris",
  version: "1",
  digest: "sha256:0",
  role: "primary",
  rule: undefined,
  experiment: undefined,
  variant: undefined,
  phase: undefined,
  shadow: undefined,
  overrideVersion: 0,
  inputSchema: "a1b2c3d4",
  policy: "",
  columns: {},
  predictionOutputs: ["probabilities"],
  labels: ["setosa", "versicolor", "virginica"],
  scoreIndex: 0,
  threshold: undefined,
};

/** A folder of the prediction log that a test writes as the processes that own its parts do. */
export class LogWorld implements AsyncDisposable {
  readonly folder = join(mkdtempSync(join(tmpdir(), "millrace-log-")), "log");
  readonly segments = new FileSegmentStore(this.folder);
  readonly #writers: LocalSegmentWriter[] = [];

  /** @param writer name of a process. */
  writer(writer = WRITER): LocalSegmentWriter {
    const made = new LocalSegmentWriter({
      folder: this.folder,
      writer,
      files: systemFiles,
      rollMs: 3_600_000,
      durability: { kind: "off" },
      walBytesMax: 2 ** 30,
      diskFreeMin: 0,
      clock: systemClock,
      events: { level: () => undefined, failed: () => undefined, recovered: () => undefined },
    });
    this.#writers.push(made);
    return made;
  }

  /** Writes a Parquet file of one table. @param rowsSql of DuckDB; columns it leaves out are null. */
  async parquet(path: string, table: LogTable, rowsSql: string): Promise<void> {
    const whole = join(this.folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    const columns = LOG_COLUMNS[table].filter(({ name }) => !path.includes(`/${name}=`));
    const empty = columns.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(", ");
    await runSql(
      `COPY (SELECT ${empty} WHERE false UNION ALL BY NAME (${rowsSql})) TO '${whole}' (FORMAT parquet, COMPRESSION zstd)`,
    );
  }

  /** Writes a file beside the tables. */
  file(path: string, content: unknown): void {
    const whole = join(this.folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, JSON.stringify(content));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.close()));
    rmSync(dirname(this.folder), { recursive: true, force: true });
  }
}

/** Runs SQL in a DuckDB of its own. */
export async function runSql(sql: string): Promise<void> {
  const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 256 * 2 ** 20 });
  await duckDb.with((connection) => connection.run(sql));
  await duckDb.close();
}

/** One block of predictions. */
export function blockOf(...records: readonly Partial<LoggedPrediction>[]) {
  const writer = new BlockWriter();
  for (const record of records) {
    if (!writer.add(predictionOf(record))) throw new Error("the block is full");
  }
  return writer.take();
}

export function contextOf(context: Partial<LogContext>): LogContext {
  return { ...CONTEXT, ...context };
}

export function predictionOf(record: Partial<LoggedPrediction>): LoggedPrediction {
  return {
    context: CONTEXT,
    receivedUs: NOON_US,
    predictionId: randomUUID(),
    requestId: undefined,
    traceId: undefined,
    errorCode: undefined,
    queueUs: 1,
    batchUs: 2,
    inferUs: 3,
    totalUs: 10,
    rowCount: 1,
    unitHash: undefined,
    isOutlier: undefined,
    outlierScore: undefined,
    weight: 1,
    payload: "full",
    facts: "",
    inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: Float32Array.of(5.5, 3.5) }],
    outputs: [
      {
        name: "probabilities",
        datatype: "FP32",
        shape: [1, 3],
        data: Float32Array.of(0.25, 0.5, 0.25),
      },
    ],
    summary: undefined,
    ...record,
  };
}

export function feedbackBlockOf(...rows: readonly Partial<FeedbackRow>[]) {
  const lines = rows.map((row) => `${JSON.stringify(feedbackOf(row))}\n`).join("");
  const bytes = Uint8Array.from(Buffer.from(lines));
  return { table: "feedback", recordCount: rows.length, bytes } as const;
}

export function exposureBlockOf(...rows: readonly Partial<ExposureRow>[]) {
  const lines = rows.map((row) => `${JSON.stringify({ ...EXPOSURE, ...row })}\n`).join("");
  const bytes = Uint8Array.from(Buffer.from(lines));
  return { table: "exposures", recordCount: rows.length, bytes } as const;
}

const EXPOSURE: ExposureRow = {
  ts: NOON_US,
  service: "iris",
  experiment: "rf",
  phase: 1,
  variant: "control",
  unit_hash: null,
  prediction_id: "01992f3c-7a5e-7cc1-b6d4-000000000001",
  propensity: 0.5,
  coverage: 1,
  hash: 0.25,
  node: WRITER,
};

function feedbackOf(row: Partial<FeedbackRow>): FeedbackRow {
  return {
    ts: NOON_US,
    received_ts: NOON_US,
    feedback_id: randomUUID(),
    prediction_id: null,
    unit_hash: null,
    service: "iris",
    kind: "label",
    label: "setosa",
    event: null,
    value: null,
    source: null,
    attributes: null,
    is_late: false,
    node: WRITER,
    ...row,
  };
}
