import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import { LOG_COLUMNS } from "../../packages/millrace/src/core/predictions/columns.ts";
import type { JsonValue } from "../../packages/millrace/src/core/json.ts";
import type { QueryOrder } from "../../packages/millrace/src/ports/query-engine.ts";
import type { SegmentStore } from "../../packages/millrace/src/ports/segments.ts";
import {
  blockOf,
  contextOf,
  exposureBlockOf,
  feedbackBlockOf,
  LogWorld,
  NOON_US,
  predictionOf,
  runSql,
  WRITER,
} from "./log-world.ts";

const PARTITION = "predictions/dt=2026-11-21/hour=16/model=iris";
/** What the segment `number` of the writer becomes. */
const fileOf = (number: number): string => `${PARTITION}/${WRITER}-0000000${number}.parquet`;
const rowSql = (id: string): string =>
  `SELECT TIMESTAMP '2026-11-21 16:00:00' AS ts, '${id}' AS prediction_id`;
const IDS = "select prediction_id from predictions order by all";
/** Runs for minutes. */
const ENDLESS = "select sum(a.range * b.range) from range(1000000000) a, range(1000000) b";

type EngineOptions = Partial<ConstructorParameters<typeof DuckDbQueryEngine>[0]>;

class World extends LogWorld {
  readonly #engines: DuckDbQueryEngine[] = [];

  engine(options: EngineOptions = {}): DuckDbQueryEngine {
    mkdirSync(this.folder, { recursive: true });
    const engine = new DuckDbQueryEngine({
      folder: this.folder,
      segments: this.segments,
      memoryBytesMax: 256 * 2 ** 20,
      timeoutMs: 20_000,
      threadCount: 2,
      ...options,
    });
    this.#engines.push(engine);
    return engine;
  }

  /** Says that everything before the segment is in Parquet files. */
  cover(number: number, writer = WRITER): void {
    const segments = { [`${writer}/predictions`]: { number, offset: 0 } };
    this.file("cursors/parquet.json", { segments });
  }

  removeSegments(): void {
    rmSync(join(this.folder, "wal", WRITER, "predictions-00000001.segment"));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
    await super[Symbol.asyncDispose]();
  }
}

function orderOf(sql: string, order: Partial<QueryOrder> = {}): QueryOrder {
  return { sql, format: "json", parameters: [], rowsMax: 1_000, timeoutMs: undefined, ...order };
}

async function rowsOf(
  engine: DuckDbQueryEngine,
  sql: string,
  order: Partial<QueryOrder> = {},
): Promise<readonly (readonly JsonValue[])[]> {
  const result = await engine.query(orderOf(sql, order));
  if (result.kind !== "rows") throw new Error("expected rows");
  return result.rows;
}

async function idsOf(engine: DuckDbQueryEngine): Promise<readonly JsonValue[]> {
  return (await rowsOf(engine, IDS)).flat();
}

describe("DuckDbQueryEngine reading", () => {
  it("query() answers from empty tables with all their columns when nothing was logged", async () => {
    await using world = new World();
    const engine = world.engine();
    const known = LOG_COLUMNS.predictions.map(({ name, type }) => [name, type]);
    const described = await rowsOf(
      engine,
      "select column_name, column_type from (describe predictions)",
    );
    expect(described).toEqual([...known, ["dt", "DATE"], ["hour", "INTEGER"]]);
    expect(await rowsOf(engine, "select count(*) from predictions")).toEqual([[0]]);
    const ofFeedback = await rowsOf(engine, "select column_name from (describe feedback)");
    expect(ofFeedback.at(-1)).toEqual(["dt"]);
  });

  it("query() refuses with LOG_UNAVAILABLE when there is no log yet, and answers once there is", async () => {
    await using world = new World();
    const engine = world.engine();
    rmSync(world.folder, { recursive: true });
    await expect(rowsOf(engine, "select 1")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    mkdirSync(world.folder);
    expect(await rowsOf(engine, "select 1")).toEqual([[1]]);
  });

  it("query() sees what is in Parquet files and what is in segments only, with the columns of the folders", async () => {
    await using world = new World();
    await world.parquet(
      "predictions/dt=2026-11-20/hour=07/model=a%2Fb/r-1.parquet",
      "predictions",
      "SELECT TIMESTAMP '2026-11-20 07:30:00.123456' AS ts, 'old' AS prediction_id, 5 AS total_us",
    );
    await world.writer().append(
      blockOf({
        predictionId: "new",
        totalUs: 7,
        receivedUs: NOON_US + 1,
        context: contextOf({ model: "churn", version: "3" }),
      }),
    );
    const sql = "select ts, prediction_id, dt, hour, model, total_us from predictions order by ts";
    expect(await rowsOf(world.engine(), sql)).toEqual([
      ["2026-11-20 07:30:00.123456", "old", "2026-11-20", 7, "a/b", 5],
      ["2026-11-21 16:00:00.000001", "new", "2026-11-21", 16, "churn", 7],
    ]);
  });

  it("query() sees exposures in Parquet files and in segments", async () => {
    await using world = new World();
    await world.parquet(
      "exposures/dt=2026-11-20/a.parquet",
      "exposures",
      "SELECT TIMESTAMP '2026-11-20 07:30:00' AS ts, 'treatment' AS variant, 2 AS phase, 0.25 AS hash",
    );
    await world.writer().append(exposureBlockOf({ unit_hash: "0f" }));
    const sql = "select dt, variant, phase, hash, unit_hash, coverage from exposures order by ts";
    expect(await rowsOf(world.engine(), sql)).toEqual([
      ["2026-11-20", "treatment", 2, 0.25, null, null],
      ["2026-11-21", "control", 1, 0.25, "0f", 1],
    ]);
  });

  it("query() joins predictions with feedback, of which the folder is by the time it came", async () => {
    await using world = new World();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }, { predictionId: "b" }));
    const nextDayUs = NOON_US + 86_400e6;
    await writer.append(
      feedbackBlockOf({ prediction_id: "a", label: "x", received_ts: nextDayUs }),
    );
    const sql =
      "select prediction_id, f.label, f.dt from predictions left join feedback f using (prediction_id) order by all";
    expect(await rowsOf(world.engine(), sql)).toEqual([
      ["a", "x", "2026-11-22"],
      ["b", null, null],
    ]);
  });

  it("query() reads of a segment only what was added since the last one", async () => {
    await using world = new World();
    const offsets: number[] = [];
    const segments: SegmentStore = {
      list: () => world.segments.list(),
      read(id, fromOffset, onDamage) {
        offsets.push(fromOffset);
        return world.segments.read(id, fromOffset, onDamage);
      },
      remove: (id) => world.segments.remove(id),
    };
    const writer = world.writer();
    const engine = world.engine({ segments });
    await writer.append(blockOf({ predictionId: "a" }));
    expect(await idsOf(engine)).toEqual(["a"]);
    expect(await idsOf(engine)).toEqual(["a"]);
    await writer.append(blockOf({ predictionId: "b" }));
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThan(offsets[0] ?? Infinity);
  });

  it("query() counts days in UTC, wherever the machine is", async () => {
    await using world = new World();
    vi.stubEnv("TZ", "Pacific/Kiritimati"); // 14 hours ahead
    try {
      const sql = "select epoch_ms(current_timestamp::timestamp), current_date::varchar";
      const startMs = Date.now();
      const [[nowMs, today] = []] = await rowsOf(world.engine(), sql);
      expect(Number(nowMs)).toBeGreaterThanOrEqual(startMs);
      expect(Number(nowMs)).toBeLessThanOrEqual(Date.now());
      expect(today).toBe(new Date(Number(nowMs)).toISOString().slice(0, 10));
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("query() reads past a block that is none of ours", async () => {
    await using world = new World();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }));
    await writer.append({ table: "predictions", recordCount: 1, bytes: new Uint8Array(50) });
    await writer.append(blockOf({ predictionId: "b" }));
    expect(await idsOf(world.engine())).toEqual(["a", "b"]);
  });

  it("query() reads files of an older version, which lack columns, and of a newer one, which have more", async () => {
    await using world = new World();
    await world.parquet(`${PARTITION}/r-1.parquet`, "predictions", `${rowSql("new")}, 1.5 AS zeal`);
    const older = join(world.folder, PARTITION, "r-2.parquet");
    await runSql(`COPY (${rowSql("old")}) TO '${older}' (FORMAT parquet)`);
    const sql = "select prediction_id, version, zeal from predictions order by all";
    expect(await rowsOf(world.engine(), sql)).toEqual([
      ["new", null, 1.5],
      ["old", null, null],
    ]);
  });
});

describe("DuckDbQueryEngine seeing every row once", () => {
  it("query() takes an uncovered segment, and a covered one's Parquet file, whatever lies beside", async () => {
    await using world = new World();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }, { predictionId: "b" }));
    const engine = world.engine();
    // Half of it is shipped: the process was killed in between.
    await world.parquet(fileOf(1), "predictions", rowSql("a"));
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    await world.parquet(fileOf(1), "predictions", `${rowSql("a")} UNION ALL ${rowSql("b")}`);
    world.cover(2);
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    await writer.close();
    world.removeSegments();
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    // What another writer calls the same number is another segment.
    await world.writer("p1-01992f3c7a5e0002").append(blockOf({ predictionId: "c" }));
    expect(await idsOf(engine)).toEqual(["a", "b", "c"]);
  });

  it("query() takes the files of a rewrite when they are all there, else what they replace", async () => {
    await using world = new World();
    const engine = world.engine();
    await world.parquet(fileOf(1), "predictions", rowSql("a"));
    await world.parquet(fileOf(2), "predictions", rowSql("b"));
    const add = [`${PARTITION}/r-7.parquet`];
    world.file("rewrites/7.json", { add, remove: [fileOf(1), fileOf(2)] });
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    await world.parquet(`${PARTITION}/r-7.parquet`, "predictions", `${rowSql("ab")}`);
    expect(await idsOf(engine)).toEqual(["ab"]);
    rmSync(join(world.folder, fileOf(1)));
    expect(await idsOf(engine)).toEqual(["ab"]);
    // Nothing was left of the rows.
    world.file("rewrites/8.json", { add: [], remove: add });
    expect(await idsOf(engine)).toEqual([]);
  });

  it("query() leaves out of segments what is forgotten, up to the time of it", async () => {
    await using world = new World();
    const unitHash = "0123456789abcdef0123456789abcdef";
    const writer = world.writer();
    await writer.append(
      blockOf(
        { predictionId: "before", unitHash },
        { predictionId: "after", unitHash, receivedUs: NOON_US + 2 },
        { predictionId: "nobody's" },
      ),
    );
    await writer.append(feedbackBlockOf({ unit_hash: unitHash }));
    await writer.append(
      exposureBlockOf({ unit_hash: unitHash }, { unit_hash: unitHash, ts: NOON_US + 2 }, {}),
    );
    world.file("forgotten.json", { units: [{ unitHash, untilUs: NOON_US + 1, segments: [] }] });
    const engine = world.engine();
    expect(await idsOf(engine)).toEqual(["after", "nobody's"]);
    expect(await rowsOf(engine, "select count(*) from feedback")).toEqual([[0]]);
    expect(await rowsOf(engine, "select count(*) from exposures")).toEqual([[2]]);
  });

  it("query() leaves out of segments what is said of predictions that are forgotten", async () => {
    await using world = new World();
    await world
      .writer()
      .append(
        feedbackBlockOf(
          { feedback_id: "whole", prediction_id: "a" },
          { feedback_id: "row", prediction_id: "a#1" },
          { feedback_id: "later", prediction_id: "a", received_ts: NOON_US + 2 },
          { feedback_id: "another's", prediction_id: "b" },
          { feedback_id: "nobody's" },
        ),
      );
    const unit = { unitHash: "h", untilUs: NOON_US + 1, segments: [] };
    const sql = "select feedback_id from feedback order by 1";
    world.file("forgotten.json", { units: [{ ...unit, predictionIds: ["it's", "a"] }] });
    expect(await rowsOf(world.engine(), sql)).toEqual([["another's"], ["later"], ["nobody's"]]);
    // As an older version notes it.
    world.file("forgotten.json", { units: [unit] });
    expect(await rowsOf(world.engine(), sql)).toHaveLength(5);
  });

  it("query() takes every segment where the cursor is damaged, as whoever ships does", async () => {
    await using world = new World();
    await world.writer().append(blockOf({ predictionId: "a" }));
    await world.parquet(fileOf(1), "predictions", rowSql("a"));
    const engine = world.engine();
    for (const cursor of [{}, { segments: null }, { segments: { x: 7 } }, []]) {
      world.file("cursors/parquet.json", cursor);
      expect(await idsOf(engine)).toEqual(["a"]);
    }
    writeFileSync(join(world.folder, "cursors/parquet.json"), '{"segm');
    expect(await idsOf(engine)).toEqual(["a"]);
  });

  it("query() refuses where it cannot tell what is forgotten", async () => {
    await using world = new World();
    await world.writer().append(blockOf({ predictionId: "a" }));
    for (const text of [
      "{",
      "7",
      '{"units":{}}',
      '{"units":[{"unitHash":1}]}',
      '{"units":[{"unitHash":"h","untilUs":1,"predictionIds":[1]}]}',
    ]) {
      writeFileSync(join(world.folder, "forgotten.json"), text);
      await expect(idsOf(world.engine())).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    }
  });

  it("query() looks again when a file is replaced after it was found", async () => {
    await using world = new World();
    await world.parquet(`${PARTITION}/r-1.parquet`, "predictions", rowSql("a"));
    await world.writer().append(blockOf({ predictionId: "b" }));
    let isFirst = true;
    const segments: SegmentStore = {
      list: () => world.segments.list(),
      async *read(id, fromOffset, onDamage) {
        if (isFirst) {
          isFirst = false;
          await world.parquet(`${PARTITION}/r-2.parquet`, "predictions", rowSql("a"));
          rmSync(join(world.folder, PARTITION, "r-1.parquet"));
        }
        yield* world.segments.read(id, fromOffset, onDamage);
      },
      remove: (id) => world.segments.remove(id),
    };
    expect(await idsOf(world.engine({ segments }))).toEqual(["a", "b"]);
  });

  it("query() goes on with what it saw at its start while segments become Parquet files", async () => {
    await using world = new World();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }, { predictionId: "b" }));
    const isRead = Promise.withResolvers<void>();
    const segments: SegmentStore = {
      list: () => world.segments.list(),
      async *read(id, fromOffset, onDamage) {
        yield* world.segments.read(id, fromOffset, onDamage);
        isRead.resolve();
      },
      remove: (id) => world.segments.remove(id),
    };
    const engine = world.engine({ segments });
    const slow = rowsOf(
      engine,
      "select count(*), count(distinct prediction_id) from predictions, range(60000000)",
    );
    await isRead.promise;
    await world.parquet(fileOf(1), "predictions", `${rowSql("a")} UNION ALL ${rowSql("b")}`);
    world.cover(2);
    await writer.close();
    world.removeSegments();
    expect(await idsOf(engine)).toEqual(["a", "b"]);
    expect(await slow).toEqual([[120_000_000, 2]]);
  });
});

describe("DuckDbQueryEngine bounding", () => {
  it("query() cuts off rows beyond the limit and says so", async () => {
    await using world = new World();
    const engine = world.engine();
    const three = await engine.query(orderOf("from range(3)", { rowsMax: 3 }));
    expect(three).toMatchObject({ rows: [[0], [1], [2]], isCut: false });
    const many = await engine.query(orderOf("from range(1000000000)", { rowsMax: 2 }));
    expect(many).toMatchObject({ rows: [[0], [1]], isCut: true });
    const none = await engine.query(orderOf("from range(1)", { rowsMax: 0 }));
    expect(none).toMatchObject({ rows: [], isCut: true });
    for (const format of ["csv", "jsonl", "parquet"] as const) {
      const cut = await engine.query(orderOf("from range(5000)", { rowsMax: 3_000, format }));
      expect(cut.isCut).toBe(true);
      const whole = await engine.query(orderOf("from range(5000)", { rowsMax: 5_000, format }));
      expect(whole.isCut).toBe(false);
    }
  });

  it("query() ends with QUERY_TOO_LARGE when its time is up, and the next one runs", async () => {
    await using world = new World();
    const engine = world.engine();
    await expect(rowsOf(engine, ENDLESS, { timeoutMs: 200 })).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("200 ms") as string,
    });
    expect(await rowsOf(engine, "select 1")).toEqual([[1]]);
  });

  it("query() that waits until another one has looked at the log waits no longer than its time", async () => {
    await using world = new World();
    await world.writer().append(blockOf({ predictionId: "a" }));
    const isLooking = Promise.withResolvers<void>();
    const mayGoOn = Promise.withResolvers<void>();
    const segments: SegmentStore = {
      list: () => world.segments.list(),
      async *read(id, fromOffset, onDamage) {
        isLooking.resolve();
        await mayGoOn.promise;
        yield* world.segments.read(id, fromOffset, onDamage);
      },
      remove: (id) => world.segments.remove(id),
    };
    const engine = world.engine({ segments });
    const first = idsOf(engine);
    await isLooking.promise;
    await expect(rowsOf(engine, "select 1", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
    });
    mayGoOn.resolve();
    expect(await first).toEqual(["a"]);
  });

  it("query() ends with QUERY_TOO_LARGE when its memory is used up", async () => {
    await using world = new World();
    const engine = world.engine({ memoryBytesMax: 64 * 2 ** 20 });
    const sql = "select string_agg(repeat('x', 1000) || range) from range(1000000)";
    await expect(rowsOf(engine, sql)).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("log.query.memoryMax") as string,
    });
    expect(await rowsOf(engine, "select 1")).toEqual([[1]]);
  });

  it("query() refuses with QUERY_TOO_LARGE when too much is not shipped yet", async () => {
    await using world = new World();
    await world.writer().append(blockOf({}, {}, {}));
    const query = rowsOf(world.engine({ tailRowsMax: 2 }), "select 1");
    await expect(query).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("more than 2 rows") as string,
    });
  });

  it("query() whose time runs out while it reads segments says so, and the next one goes on", async () => {
    await using world = new World();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }));
    await writer.append(blockOf({ predictionId: "b" }));
    let isSlow = true;
    const segments: SegmentStore = {
      list: () => world.segments.list(),
      async *read(id, fromOffset, onDamage) {
        for await (const block of world.segments.read(id, fromOffset, onDamage)) {
          yield block;
          if (isSlow) await once(AbortSignal.timeout(1_200), "abort");
          isSlow = false;
        }
      },
      remove: (id) => world.segments.remove(id),
    };
    const engine = world.engine({ segments });
    await expect(rowsOf(engine, "select 1", { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("ask again") as string,
    });
    expect(await idsOf(engine)).toEqual(["a", "b"]);
  });

  it("query() ends with the reason of its signal", async () => {
    await using world = new World();
    const engine = world.engine();
    const controller = new AbortController();
    const query = engine.query(orderOf(ENDLESS), controller.signal);
    const reason = new Error("enough");
    setImmediate(() => controller.abort(reason));
    await expect(query).rejects.toBe(reason);
    expect(await rowsOf(engine, "select 1")).toEqual([[1]]);
  });

  it("query() goes on when somebody has deleted the log", async () => {
    await using world = new World();
    await world.writer().append(blockOf({ predictionId: "a" }));
    const engine = world.engine();
    const sql = "select prediction_id from predictions";
    const csv = async (): Promise<string> => {
      const result = await engine.query({ ...orderOf(sql), format: "csv" });
      return result.kind === "bytes" ? Buffer.from(result.bytes).toString() : "";
    };
    expect(await csv()).toBe("prediction_id\na\n");
    rmSync(world.folder, { recursive: true });
    await world.writer("p1-01992f3c7a5e0002").append(blockOf({ predictionId: "b" }));
    expect(await csv()).toBe("prediction_id\nb\n");
  });

  it("close() ends what runs, and nothing runs after it", async () => {
    await using world = new World();
    const engine = world.engine();
    const running = rowsOf(engine, ENDLESS);
    const failure = running.catch((error: unknown) => error);
    await rowsOf(engine, "select 1");
    await engine.close();
    expect(await failure).toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(rowsOf(engine, "select 1")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  });

  it("close() leaves nothing behind, and an engine removes what a killed one left", async () => {
    await using world = new World();
    const left = join(world.folder, "tmp/query-99999999");
    mkdirSync(left, { recursive: true });
    const engine = world.engine();
    await rowsOf(engine, "select 1");
    expect(readdirSync(join(world.folder, "tmp"))).toEqual([`query-${process.pid}`]);
    await engine.close();
    expect(readdirSync(join(world.folder, "tmp"))).toEqual([]);
  });
});

describe("DuckDbQueryEngine refusing", () => {
  const attempts: readonly (readonly [why: string, sql: string])[] = [
    ["text without a statement", ""],
    ["a comment", "-- nothing"],
    ["two statements", "select 1; select 2"],
    ["a second statement behind a comment", "select 1 /* ; */; drop table x"],
    ["CREATE", "create table x (a int)"],
    ["CREATE VIEW", "create or replace temp view predictions as select 1"],
    ["INSERT", "insert into unshipped.predictions_1 values (1)"],
    ["DELETE", "delete from unshipped.predictions_1"],
    ["DROP", "drop view predictions"],
    ["ATTACH", "attach '/tmp/other.db'"],
    ["DETACH", "detach memory"],
    ["INSTALL", "install httpfs"],
    ["LOAD", "load httpfs"],
    ["SET", "set memory_limit = '100GB'"],
    ["RESET", "reset memory_limit"],
    ["SET VARIABLE", "set variable a = 1"],
    ["PRAGMA that reads", "pragma table_info('predictions')"],
    ["PRAGMA", "pragma memory_limit = '100GB'"],
    ["CALL", "call force_checkpoint()"],
    ["PREPARE", "prepare p as select 1"],
    ["BEGIN", "begin transaction"],
    ["COMMIT", "commit"],
    ["VACUUM", "vacuum"],
    ["EXPORT", "export database 'FOLDER/predictions/all'"],
    ["IMPORT", "import database '/etc'"],
    ["COPY to a table's folder", "copy (select 1) to 'FOLDER/predictions/x.parquet'"],
    ["COPY elsewhere", "copy (select 1) to 'FOLDER/x.parquet'"],
    ["COPY that is explained", "explain analyze copy (select 1) to 'FOLDER/predictions/x.parquet'"],
    ["it in brackets", "explain (analyze) copy (select 1) to 'FOLDER/predictions/x.parquet'"],
    [
      "it behind a comment",
      "explain /* a */ analyze copy (select 1) to 'FOLDER/predictions/x.csv'",
    ],
    [
      "it behind a line comment",
      "-- a\nexplain analyze copy (select 1) to 'FOLDER/predictions/x.csv'",
    ],
    ["read_csv", "from read_csv('/etc/passwd')"],
    ["read_text", "from read_text('/etc/passwd')"],
    ["read_blob", "from read_blob('/etc/passwd')"],
    ["a file as a table", "from '/etc/passwd'"],
    ["a CSV file as a table", "from '/tmp/x.csv'"],
    ["glob", "from glob('/etc/*')"],
    ["sniff_csv", "from sniff_csv('/etc/passwd')"],
    ["the log's key", "from read_text('FOLDER/key')"],
    ["the log's key by a detour", "from read_text('FOLDER/predictions/../key')"],
    ["cursors", "from read_text('FOLDER/cursors/*')"],
    ["segments", "from read_blob('FOLDER/wal/*/*')"],
    ["the log's folder", "from glob('FOLDER/*')"],
    ["http", "from read_parquet('http://127.0.0.1:1/x.parquet')"],
    ["s3", "from read_parquet('s3://bucket/x.parquet')"],
    ["a query in a text", "from query('copy (select 1) to ''FOLDER/predictions/x.csv''')"],
    ["the environment", "select getenv('HOME')"],
    [
      "the database's log",
      "from enable_logging(storage='file', storage_path='FOLDER/predictions')",
    ],
    ["it by its whole name", 'from "system".main.ENABLE_LOGGING()'],
    ["it in another query", "with a as (select (select 1 from enable_logging())) from a"],
    ["it described", "describe from enable_logging()"],
    ["it explained", "explain analyze from enable_logging()"],
    ["it in a text", "from query('from enable_' || 'logging()')"],
    ["SQL in a tree", "from json_execute_serialized_sql(json_serialize_sql('select 1'))"],
    ["a profile of queries", "from enable_profiling(save_location='FOLDER/predictions/x.txt')"],
    ["another parser", "from enable_peg_parser()"],
    ["what is forgotten, by its table", 'from "Unshipped".predictions_1'],
    ["it described", "summarize memory.unshipped.predictions_1"],
    ["results of others", "from glob('FOLDER/tmp/*/*')"],
  ];
  it.each(attempts)("query() refuses %s", async (_why, sql) => {
    await using world = new World();
    world.file("key", "secret");
    world.file("cursors/parquet.json", { segments: {} });
    mkdirSync(join(world.folder, "predictions"));
    await world.writer().append(blockOf({ predictionId: "a" }));
    const engine = world.engine();
    const query = rowsOf(engine, sql.replaceAll("FOLDER", world.folder));
    await expect(query).rejects.toMatchObject({
      code: "INVALID_QUERY",
      message: expect.stringMatching(/^Cannot run the query: ./) as string,
    });
    expect(readdirSync(join(world.folder, "predictions"))).toEqual([]);
    expect(existsSync(join(world.folder, "x.parquet"))).toBe(false);
    expect(await idsOf(engine)).toEqual(["a"]);
  });

  it("query() says where the SQL is wrong and what may be meant", async () => {
    await using world = new World();
    const engine = world.engine();
    await expect(rowsOf(engine, "select modle from predictions")).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Cannot run the query: referenced column "modle" not found.*"model"[^]*LINE 1: select modle[^]*\^/,
      ) as string,
    });
    await expect(rowsOf(engine, "from prediction")).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean "predictions"') as string,
      problems: [{ location: ["body", "sql"] }],
    });
    await expect(rowsOf(engine, "select 'a'::int")).rejects.toMatchObject({
      code: "INVALID_QUERY",
    });
  });

  it.each([
    ["WITH", "with x as (select 1 as a) from x", [[1]]],
    ["VALUES", "values (1), (2)", [[1], [2]]],
    ["FROM", "from range(2)", [[0], [1]]],
    ["PIVOT with its values", "pivot (values ('a', 1)) t(k, v) on k in ('a') using sum(v)", [[1]]],
    ["SHOW", "show tables", [["exposures"], ["feedback"], ["predictions"]]],
    ["functions that are tables", "from json_each('[7]') select value::int", [[7]]],
    ["a list as a table", "select * from unnest([1, 2])", [[1], [2]]],
    [
      "what tells of tables",
      "select count(*) > 40 from pragma_table_info('predictions')",
      [[true]],
    ],
    ["a semicolon at the end", "select 1;", [[1]]],
  ])("query() runs %s", async (_kind, sql, expected) => {
    await using world = new World();
    expect(await rowsOf(world.engine(), sql)).toEqual(expected);
  });

  it.each(["summarize predictions", "explain select 1", "explain analyze from predictions"])(
    "query() runs %s",
    async (sql) => {
      await using world = new World();
      expect((await rowsOf(world.engine(), sql)).length).toBeGreaterThan(0);
    },
  );
});

describe("DuckDbQueryEngine answering", () => {
  it("query() gives values to parameters, whole numbers exactly", async () => {
    await using world = new World();
    await world.writer().append(blockOf({ predictionId: "a" }, { receivedUs: NOON_US + 9 }));
    const engine = world.engine();
    const sql =
      "select prediction_id, $2::varchar, $3, $4 from predictions where ts < make_timestamp($1) and $1 > 0 limit $5";
    const parameters = [NOON_US + 1, "it's", true, null, 10];
    expect(await rowsOf(engine, sql, { parameters })).toEqual([["a", "it's", true, null]]);
    await expect(rowsOf(engine, "select $1", { parameters: [] })).rejects.toMatchObject({
      code: "INVALID_QUERY",
      message: expect.stringContaining("found 0 parameters, expected 1") as string,
    });
    expect(await rowsOf(engine, "select $1 * 2", { parameters: [0.25] })).toEqual([[0.5]]);
  });

  it("query() answers numbers as numbers where JSON has them exactly", async () => {
    await using world = new World();
    const result = await world
      .engine()
      .query(
        orderOf(
          "select 9007199254740991 a, 9007199254740992 b, sum(1) c, 0.1 d, 'nan'::double e, [1::bigint] f, {'g': date '2026-11-21'} g, null h, 1 a",
        ),
      );
    expect(result).toMatchObject({
      rows: [
        [9007199254740991, "9007199254740992", 1, 0.1, null, [1], { g: "2026-11-21" }, null, 1],
      ],
    });
    if (result.kind !== "rows") throw new Error("expected rows");
    expect(result.columns.slice(0, 2)).toEqual([
      { name: "a", type: "BIGINT" },
      { name: "b", type: "BIGINT" },
    ]);
  });

  it("query() gives the same rows as csv, json lines and Parquet", async () => {
    await using world = new World();
    const engine = world.engine();
    const sql =
      'select 1 as "a b", \'x,"y"\' as b, null as c, [1, 2] as d, {\'e\': 0.5} as e, 2 as "a b"';
    const [csv, jsonl, parquet] = await Promise.all(
      (["csv", "jsonl", "parquet"] as const).map(async (format) => {
        const result = await engine.query(orderOf(sql, { format }));
        if (result.kind !== "bytes") throw new Error("expected bytes");
        return Buffer.from(result.bytes);
      }),
    );
    expect(csv?.toString()).toBe('a b,b,c,d,e,a b:1\n1,"x,""y""",,"[1, 2]",{\'e\': 0.5},2\n');
    const row = { "a b": 1, b: 'x,"y"', c: null, d: [1, 2], e: { e: 0.5 }, "a b:1": 2 };
    expect(JSON.parse(jsonl?.toString() ?? "")).toEqual(row);
    const path = join(world.folder, "predictions/dt=2026-11-21/hour=1/model=m/r-1.parquet");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, parquet ?? "");
    const columns = Object.keys(row).map((name) => `"${name}"`);
    expect(await rowsOf(engine, `select ${columns.join(", ")} from predictions`)).toEqual([
      Object.values(row),
    ]);
  });

  it("query() sees rows of several inputs one by one, as they are written", async () => {
    await using world = new World();
    const data = Float32Array.of(1, 2, 3, 4);
    const record = predictionOf({
      predictionId: "a",
      rowCount: 2,
      inputs: [{ name: "x", datatype: "FP32", shape: [2, 2], data }],
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [2, 2], data }],
    });
    await world.writer().append(blockOf(record));
    const sql = "select prediction_id, row_index, row_count, label from predictions order by all";
    expect(await rowsOf(world.engine(), sql)).toEqual([
      ["a#0", 0, 2, "versicolor"],
      ["a#1", 1, 2, "versicolor"],
    ]);
  });
});
