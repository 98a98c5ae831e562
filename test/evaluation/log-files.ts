import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import { LOG_COLUMNS } from "../../packages/millrace/src/core/predictions/columns.ts";
import type { FeedbackRow } from "../../packages/millrace/src/core/predictions/feedback-row.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import type { PredictionRow } from "../../packages/millrace/src/core/predictions/prediction-row.ts";

/** What makes a row of `predictions`; the rest is what most predictions have. */
export type WrittenPrediction = Pick<PredictionRow, "ts" | "prediction_id"> &
  Partial<PredictionRow>;

/** What makes a row of `feedback`; `received_ts` is `ts` and the id its content unless said otherwise. */
export type WrittenFeedback = Pick<FeedbackRow, "ts"> & Partial<FeedbackRow>;

const PREDICTION: Partial<PredictionRow> = {
  service: "s",
  model: "m",
  version: "1",
  role: "primary",
  status: "ok",
  row_index: 0,
  row_count: 1,
  sampled_weight: 1,
};

/** A log of Parquet files as Millrace writes them, and the engine that reads it. */
export class LogFiles implements AsyncDisposable {
  readonly engine: DuckDbQueryEngine;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.engine = new DuckDbQueryEngine({
      folder,
      segments: new FileSegmentStore(folder),
      memoryBytesMax: 256 * 2 ** 20,
      timeoutMs: 20_000,
      threadCount: 1,
    });
  }

  static async create(
    predictions: readonly WrittenPrediction[],
    feedback: readonly WrittenFeedback[],
  ): Promise<LogFiles> {
    const folder = await mkdtemp(join(tmpdir(), "millrace-log-"));
    const rows = predictions.map((row) => ({ ...PREDICTION, ...row }));
    await writeParquet(folder, "predictions", "dt=2026-11-21/hour=16/model=m", rows);
    const reports = feedback.map((row) => ({
      received_ts: row.ts,
      feedback_id: JSON.stringify(row),
      service: "s",
      kind: "label",
      is_late: false,
      ...row,
    }));
    await writeParquet(folder, "feedback", "dt=2026-11-21", reports);
    return new LogFiles(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close();
    await rm(this.#folder, { recursive: true });
  }
}

async function writeParquet(
  folder: string,
  table: LogTable,
  partition: string,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const target = join(folder, table, partition);
  await mkdir(target, { recursive: true });
  const lines = join(folder, `${table}.jsonl`);
  await writeFile(lines, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const inPath = new Set(partition.split("/").map((part) => part.split("=")[0]));
  const columns = LOG_COLUMNS[table].filter(({ name }) => !inPath.has(name));
  const types = columns.map(
    ({ name, type }) => `"${name}": '${type === "TIMESTAMP" ? "BIGINT" : type}'`,
  );
  const selected = columns.map(({ name, type }) =>
    type === "TIMESTAMP" ? `make_timestamp("${name}") AS "${name}"` : `"${name}"`,
  );
  const duckdb = new DuckDb({
    spillFolder: join(folder, "tmp"),
    memoryBytesMax: 256 * 2 ** 20,
  });
  await duckdb.with((connection) =>
    connection.run(
      `COPY (SELECT ${selected.join(", ")} FROM read_json('${lines}', format = 'newline_delimited', columns = {${types.join(", ")}})) TO '${target}/p0-0-00000001.parquet' (FORMAT parquet)`,
    ),
  );
  await duckdb.close();
  await rm(lines);
}
