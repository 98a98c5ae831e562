import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import {
  copyTo,
  fileColumns,
} from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";

const HOURS = 24;
const DATE = "2026-11-21";
const MEMORY_BYTES = 2 ** 30;

/** Begin of the exposures, which last a day. */
export const SINCE_MS = Date.parse(`${DATE}T00:00:00Z`);
export const LENGTH_MS = HOURS * 3_600_000;

export interface LogSizes {
  /** Exposures, each of another unit, and as many predictions. */
  readonly units: number;
  /** A purchase of every so many units, before its exposure and after it. */
  readonly unitsPerPurchase: number;
  /** A label for every so many predictions. */
  readonly predictionsPerLabel: number;
}

/** Unit `u`: who, which arm, and when it is exposed. */
const UNIT = "md5(u::VARCHAR)";
const ARM = "CASE WHEN hash(u) % 2 = 0 THEN 'control' ELSE 'treatment' END";

/** Prediction `i` of unit `u`, `at` microseconds after the begin. Ids begin with their time. */
const PREDICTION_ID =
  "printf('%08x-%04x-7%03x-8000-%012x', (ms >> 16)::BIGINT, (ms & 65535)::BIGINT, i % 4096, i)";

const PREDICTION: Readonly<Record<string, string>> = {
  ts: "ts",
  prediction_id: PREDICTION_ID,
  request_id: "uuid()::VARCHAR",
  service: "'shop'",
  endpoint: "'/predict'",
  version: "'1'",
  model_digest: "'0123456789abcdef'",
  role: "'primary'",
  experiment: "'ranking'",
  variant: ARM,
  phase: "1",
  propensity: "0.5",
  unit_hash: UNIT,
  param_version: "0",
  status: "CASE WHEN hash(i, 'status') % 100 = 0 THEN 'error' ELSE 'ok' END",
  queue_us: "20",
  batch_us: "5",
  infer_us: "(hash(i, 'us') % 2000)::BIGINT",
  total_us: "(500 + hash(i, 'us') % 2000)::BIGINT",
  row_index: "0",
  row_count: "1",
  input_schema_ver: "'0a1b2c3d'",
  features: 'printf(\'{"age":%d,"spent":%.2f}\', i % 80, random() * 100)',
  prediction: "printf('[%.7f,%.7f]', random(), random())",
  label: "CASE WHEN hash(i, 'label') % 2 = 0 THEN 'a' ELSE 'b' END",
  score: "random()",
  payload: "'full'",
  sampled_weight: "1",
  node: "'p0-0000000000000000'",
};

const EXPOSURE: Readonly<Record<string, string>> = {
  ts: "ts",
  service: "'shop'",
  experiment: "'ranking'",
  phase: "1",
  variant: ARM,
  unit_hash: UNIT,
  prediction_id: PREDICTION_ID,
  propensity: "0.5",
  coverage: "1",
  hash: "0.5",
  node: "'p0-0000000000000000'",
};

/** Writes a log as compaction leaves it: a file an hour and table. */
export async function makeLog(folder: string, sizes: LogSizes): Promise<void> {
  const duckDb = new DuckDb({ spillFolder: join(folder, "tmp"), memoryBytesMax: MEMORY_BYTES });
  const write = async (
    table: LogTable,
    path: string,
    said: Readonly<Record<string, string>>,
    from: string,
  ): Promise<void> => {
    const whole = join(folder, table, path);
    mkdirSync(dirname(whole), { recursive: true });
    const columns = fileColumns(table).map(
      ({ name, type }) => `(${said[name] ?? "NULL"})::${type} AS "${name}"`,
    );
    const copy = copyTo(`SELECT ${columns.join(", ")} FROM ${from}`, whole);
    await duckDb.with((connection) => connection.run(copy));
  };
  for (let hour = 0; hour < HOURS; hour++) {
    const first = Math.floor((sizes.units * hour) / HOURS);
    const last = Math.floor((sizes.units * (hour + 1)) / HOURS);
    const us = `(${SINCE_MS * 1000} + i * ${LENGTH_MS} // ${sizes.units} * 1000)::BIGINT`;
    // Unit and prediction have the same number: each unit is exposed by its one prediction.
    const rows = `(SELECT i, i AS u, make_timestamp(${us}) AS ts, ${us} // 1000 AS ms FROM range(${first}, ${last}) t(i))`;
    const digits = String(hour).padStart(2, "0");
    await write("exposures", `dt=${DATE}/r-${digits}.parquet`, EXPOSURE, rows);
    const path = `dt=${DATE}/hour=${digits}/model=ranker/r-${digits}.parquet`;
    await write("predictions", path, PREDICTION, rows);
    const feedback = feedbackSql(rows, sizes);
    await write("feedback", `dt=${DATE}/r-${digits}.parquet`, FEEDBACK, `(${feedback})`);
  }
  await duckDb.close();
}

const FEEDBACK: Readonly<Record<string, string>> = {
  ts: "happened",
  received_ts: "happened",
  feedback_id: "uuid()::VARCHAR",
  prediction_id: "about_prediction",
  unit_hash: "about_unit",
  service: "'shop'",
  kind: "kind",
  label:
    "CASE WHEN kind = 'label' THEN CASE WHEN hash(i, 'right') % 2 = 0 THEN 'a' ELSE 'b' END END",
  event: "CASE WHEN kind = 'event' THEN 'purchase' END",
  value: "CASE WHEN kind = 'event' THEN random() * 50 END",
  is_late: "false",
  node: "'p0-0000000000000000'",
};

function feedbackSql(rows: string, { unitsPerPurchase, predictionsPerLabel }: LogSizes): string {
  const event = (sign: "+" | "-"): string =>
    `SELECT i, ts ${sign} INTERVAL 10 MINUTE AS happened, NULL AS about_prediction, ${UNIT} AS about_unit, 'event' AS kind
    FROM ${rows} WHERE hash(u, 'buys') % ${unitsPerPurchase} = 0`;
  return `${event("+")} UNION ALL ${event("-")}
    UNION ALL SELECT i, ts + INTERVAL 5 MINUTE AS happened, ${PREDICTION_ID}, NULL, 'label'
    FROM ${rows} WHERE hash(i, 'labelled') % ${predictionsPerLabel} = 0`;
}
