import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetSink } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-sink.ts";
import { fileColumns } from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import { LOG_COLUMNS } from "../../packages/millrace/src/core/predictions/columns.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import {
  blockOf,
  contextOf,
  feedbackBlockOf,
  LogWorld,
  NOON_US,
  predictionOf,
} from "../query/log-world.ts";
import { runScript, type Outcomes } from "./python-script.ts";

const HOUR_US = 3_600e6;
const CHURN = contextOf({ service: "churn", model: "churn", version: "2", labels: undefined });

/** Over three hours, two days and two models; with what is null, odd or exact to a microsecond. */
const RECORDS: readonly LoggedPrediction[] = [
  predictionOf({ predictionId: "a", receivedUs: NOON_US + 123_456, isOutlier: true }),
  predictionOf({ predictionId: "b", receivedUs: NOON_US + HOUR_US, traceId: "0af7" }),
  predictionOf({
    predictionId: "c",
    context: CHURN,
    receivedUs: NOON_US + 9 * HOUR_US + 1,
    errorCode: "OVERLOADED",
    outputs: undefined,
    inputs: [{ name: "text", datatype: "BYTES", shape: [1, 1], data: ['é "🦊"\n, {"a": 1}'] }],
    totalUs: 2 ** 40,
  }),
  predictionOf({ predictionId: "d", context: CHURN, payload: "off", inputs: undefined }),
];

/** What every reader is to find, by prediction. */
const ROWS = [
  {
    prediction_id: "a",
    ts: "2026-11-21T16:00:00.123456",
    dt: "2026-11-21",
    hour: 16,
    model: "iris",
    version: "1",
    label: "versicolor",
    score: 0.25,
    is_outlier: true,
    features: { x: [5.5, 3.5] },
    prediction: [0.25, 0.5, 0.25],
    status: "ok",
    total_us: 10,
  },
  { prediction_id: "b", dt: "2026-11-21", hour: 17, trace_id: "0af7", is_outlier: null },
  {
    prediction_id: "c",
    ts: "2026-11-22T01:00:00.000001",
    dt: "2026-11-22",
    hour: 1,
    service: "churn",
    model: "churn",
    status: "error",
    error_code: "OVERLOADED",
    features: { text: ['é "🦊"\n, {"a": 1}'] },
    prediction: null,
    score: null,
    total_us: 2 ** 40,
  },
  { prediction_id: "d", features: null, model: "churn", hour: 16 },
];

/** Types of Arrow for those of the columns. */
const ARROW_TYPES: Readonly<Record<string, string>> = {
  VARCHAR: "string",
  TIMESTAMP: "timestamp[us]",
  INTEGER: "int32",
  BIGINT: "int64",
  DOUBLE: "double",
  BOOLEAN: "bool",
};

interface Found {
  readonly rows: readonly object[];
  readonly columns: readonly string[];
}

/** Lets the sink write what is in the segments. */
async function ship(world: LogWorld): Promise<void> {
  const duckDb = new DuckDb({
    spillFolder: join(world.folder, "tmp/spill"),
    memoryBytesMax: 256 * 2 ** 20,
  });
  const temporaryFolder = join(world.folder, "tmp/ship");
  const forgotten = { isAny: false, has: () => false, hasPrediction: () => false };
  const sink = new ParquetSink({ folder: world.folder, temporaryFolder, duckDb, forgotten });
  await sink.open();
  for (const { id, byteLength } of await world.segments.list()) {
    const blocks = () => world.segments.read(id, 0, () => undefined);
    const batch = { segment: id, fromOffset: 0, toOffset: byteLength, isWhole: true, blocks };
    await sink.write(batch, new AbortController().signal);
  }
  await sink.close();
  await duckDb.close();
}

describe("Parquet files of the prediction log", () => {
  let world: LogWorld;
  let outcomes: Outcomes;
  beforeAll(async () => {
    world = new LogWorld();
    const writer = world.writer();
    await writer.append(blockOf(...RECORDS));
    await writer.append(feedbackBlockOf({ label: "x" }));
    await writer.close();
    await ship(world);
    outcomes = await runScript("parquet_readers.py", [], { folder: world.folder });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(["pandas", "polars", "pyarrow", "duckdb_"])(
    "%s finds every row and every value, days, hours and models of the folders too",
    (reader) => {
      const { rows, columns } = outcomes.of<Found>(reader);
      expect(rows).toMatchObject(ROWS);
      const known = [...LOG_COLUMNS.predictions.map(({ name }) => name), "dt", "hour"];
      expect(columns).toEqual(known.toSorted());
    },
  );

  it("readers take only the folders of what is asked for", () => {
    expect(outcomes.of("polars_lazily")).toEqual([["ok", 2]]);
    expect(outcomes.of("pyarrow_filtered")).toBe(2);
  });

  it("every file has the same types, those that are documented", () => {
    const columns = fileColumns("predictions").map(({ name, type }) => [name, ARROW_TYPES[type]]);
    expect(outcomes.of("types")).toEqual(Object.fromEntries(columns));
  });

  it("feedback is found by all of them", () => {
    const labels = ["x"];
    expect(outcomes.of("feedback")).toEqual({
      pandas: labels,
      polars: labels,
      pyarrow: labels,
      duckdb: labels,
    });
  });
});
