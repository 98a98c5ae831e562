import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetSink } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-sink.ts";
import { ParquetTables } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-tables.ts";
import { readFiles } from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import { acquireFileLock } from "../../packages/millrace/src/adapters/segments-file/file-lock.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { ShippingRole } from "../../packages/millrace/src/shipping/shipping-role.ts";
import { eventually } from "../e2e/millrace-process.ts";
import { blockOf, exposureBlockOf, feedbackBlockOf, LogWorld } from "../query/log-world.ts";
import { RecordingSink } from "./recording-sink.ts";

const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 256 * 2 ** 20 });
afterAll(() => duckDb.close());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Everything the log process has, on a clock the test moves. */
class RoleWorld extends LogWorld {
  readonly clock = new TestClock();
  /** A second sink, which keeps segments from being deleted while it is away. */
  readonly second = new RecordingSink("second", "block");
  readonly retention = { rowsMs: 30 * DAY_MS, payloadMs: 7 * DAY_MS, isHeld: false };
  readonly errors: string[] = [];
  /** Table whose files cannot be made again. */
  failing: LogTable | undefined;
  readonly #roles: ShippingRole[] = [];
  readonly #startMs = this.clock.wallMs();

  role(): ShippingRole {
    const { folder, clock } = this;
    const tables = new ParquetTables({ folder, duckDb });
    const rewrite = tables.rewrite.bind(tables);
    tables.rewrite = (files, change) => {
      if (files[0]?.table === this.failing) throw new Error("the disk is gone");
      return rewrite(files, change);
    };
    const role = new ShippingRole({
      folder,
      config: { rollMs: 300_000, retention: this.retention },
      store: this.segments,
      tables: Object.assign(tables, { close: () => Promise.resolve() }), // DuckDB is the tests' own
      sinks: (forgotten) => {
        const temporaryFolder = join(folder, "tmp/ship");
        return [new ParquetSink({ folder, temporaryFolder, duckDb, forgotten }), this.second];
      },
      acquireLock: () => acquireFileLock(join(folder, "shipper.lock")),
      clock,
      random: () => 0.5,
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (_fields, message) => void this.errors.push(message),
      },
    });
    this.#roles.push(role);
    return role;
  }

  /** One whose first looks are over. */
  async shipping(): Promise<ShippingRole> {
    const role = this.role();
    role.start();
    await eventually(async () => (await role.status()).isShipping, "the lock");
    return role;
  }

  /** Microseconds since 1970, a minute ago. */
  get agoUs(): number {
    return (this.clock.wallMs() - 60_000) * 1_000;
  }

  /** The same at any time. */
  id(number: number): string {
    const time = (this.#startMs - 60_000).toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
  }

  /** A block of one prediction and one of feedback for each number; odd ones are ann's. */
  async write(
    writer: ReturnType<LogWorld["writer"]>,
    ...numbers: readonly number[]
  ): Promise<void> {
    for (const number of numbers) {
      const unit = number % 2 === 1 ? "ann" : "bob";
      await writer.append(
        blockOf({ predictionId: this.id(number), receivedUs: this.agoUs, unitHash: unit }),
      );
      const received = { received_ts: this.agoUs, ts: this.agoUs, unit_hash: unit };
      await writer.append(feedbackBlockOf({ feedback_id: `f${number}`, ...received }));
    }
  }

  /** A block of an exposure for each number; odd ones are ann's. */
  async expose(
    writer: ReturnType<LogWorld["writer"]>,
    ...numbers: readonly number[]
  ): Promise<void> {
    for (const number of numbers) {
      const unit = number % 2 === 1 ? "ann" : "bob";
      const exposed = { ts: this.agoUs, unit_hash: unit, variant: `v${number}` };
      await writer.append(exposureBlockOf(exposed));
    }
  }

  /** Is no segment left? */
  async isEmpty(): Promise<boolean> {
    return (await this.segments.list()).length === 0;
  }

  /** Moves the clock until `look` finds something. */
  until(look: () => boolean | Promise<boolean>, what: string): Promise<boolean> {
    return eventually(async () => {
      this.clock.advanceMs(500);
      return look();
    }, what);
  }

  async rows(table: LogTable): Promise<readonly string[]> {
    const files = (await new ParquetTables({ folder: this.folder, duckDb }).list()).filter(
      (file) => file.table === table,
    );
    if (files.length === 0) return [];
    const column = {
      predictions: "right(prediction_id, 3)",
      feedback: "feedback_id",
      exposures: "variant",
    }[table];
    const from = readFiles(files.map(({ path }) => join(this.folder, path)));
    return duckDb.with(async (connection) => {
      const read = await connection.runAndReadAll(`SELECT ${column} FROM ${from} ORDER BY 1`);
      return read.getRowsJson().map(([value]) => value as string);
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const role of this.#roles) await role.stop();
    await super[Symbol.asyncDispose]();
  }
}

describe("ShippingRole", () => {
  it("start() waits while another one ships, and takes over at its end", async () => {
    await using world = new RoleWorld();
    const first = await world.shipping();
    const second = world.role();
    second.start();
    await expect(second.forget("ann")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(await second.status()).toMatchObject({ isShipping: false });
    await first.stop();
    await world.until(async () => (await second.status()).isShipping, "the second one");
    expect(world.errors).toEqual([]);
  });

  it("find() gives a prediction from its segment first, then from its file", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    const writer = world.writer();
    await world.write(writer, 1);
    const id = world.id(1);
    expect(await role.find(id)).toMatchObject({ source: "segment", rows: [{ prediction_id: id }] });
    await writer.close();
    await world.until(() => world.isEmpty(), "shipping");
    expect(await role.find(id)).toMatchObject({ source: "parquet", rows: [{ prediction_id: id }] });
    expect(await role.find(world.id(2))).toBeUndefined();
    expect(await role.find("x")).toBeUndefined();
  });

  it("forget() takes the rows of a unit out of files and out of what is in segments yet", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    // Shipped to all: a file without a segment.
    const first = world.writer("p0-0000000000000001");
    await world.write(first, 1, 2, 3);
    await world.expose(first, 1, 2, 3);
    await first.close();
    await world.until(() => world.isEmpty(), "the first");
    // Shipped to one: a file beside its segment. Before what is written now is found again.
    world.second.before = () => {
      throw new Error("away");
    };
    const second = world.writer("p0-0000000000000002");
    await world.write(second, 4, 5);
    await world.expose(second, 4, 5);
    await second.close();
    await world.until(async () => (await world.rows("feedback")).length === 5, "the second");
    await world.until(async () => (await world.rows("exposures")).length === 5, "its exposures");
    // Not shipped.
    const third = world.writer("p0-0000000000000003");
    await world.write(third, 6, 7);
    await world.expose(third, 6, 7);
    const known = world.id(7);
    expect(await role.find(known)).toBeDefined();

    const result = await role.forget("ann");
    expect(result).toEqual({ unitHash: "ann", rows: 9, files: 6, segments: 6 });
    expect(await world.rows("predictions")).toEqual(["002", "004"]);
    expect(await world.rows("feedback")).toEqual(["f2", "f4"]);
    expect(await world.rows("exposures")).toEqual(["v2", "v4"]);
    expect(await role.find(known)).toBeUndefined();

    // What comes later is new.
    world.clock.advanceMs(120_000);
    await world.write(third, 8, 9);
    await world.expose(third, 8, 9);
    await third.close();
    world.second.before = () => undefined;
    await world.until(() => world.isEmpty(), "the rest");
    expect(await world.rows("predictions")).toEqual(["002", "004", "006", "008", "009"]);
    expect(await world.rows("feedback")).toEqual(["f2", "f4", "f6", "f8", "f9"]);
    expect(await world.rows("exposures")).toEqual(["v2", "v4", "v6", "v8", "v9"]);
    const noted = (): unknown =>
      JSON.parse(readFileSync(join(world.folder, "forgotten.json"), "utf8"));
    await world.until(() => JSON.stringify(noted()) === '{"units":[]}', "the note's end");
    expect(await role.forget("ann")).toMatchObject({ rows: 3, files: 3, segments: 0 });
    expect(world.errors.filter((text) => !text.includes("away"))).toEqual([]);
  });

  it("forget() goes on knowing after a new start what it is to leave out", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    const writer = world.writer();
    await world.write(writer, 1, 2);
    await role.forget("ann");
    await role.stop();
    await writer.close();
    await world.shipping();
    await world.until(() => world.isEmpty(), "shipping");
    expect(await world.rows("predictions")).toEqual(["002"]);
  });

  it("forget() leaves out what was in memory or being predicted when it was asked", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    await role.forget("ann");
    // Housekeeping looks, and there is no segment yet.
    for (let look = 0; look < 3; look++) {
      world.clock.advanceMs(60_000);
      await role.status();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const writer = world.writer();
    const [block, ts] = [world.id(1), (world.clock.wallMs() - 240_000) * 1_000];
    await writer.append(blockOf({ predictionId: block, receivedUs: ts, unitHash: "ann" }));
    await writer.append(blockOf({ predictionId: world.id(2), receivedUs: ts, unitHash: "bob" }));
    await writer.close();
    await world.until(() => world.isEmpty(), "shipping");
    expect(await world.rows("predictions")).toEqual(["002"]);
  });

  it("forget() takes out feedback that names predictions of the unit, wherever both are", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    const about = (writer: ReturnType<LogWorld["writer"]>, name: string, predictionId: string) =>
      writer.append(
        feedbackBlockOf({
          feedback_id: name,
          prediction_id: predictionId,
          ts: 0,
          received_ts: world.agoUs,
          label: "hers",
        }),
      );
    // Files without segments; 5 is in a segment later than what is said of it.
    const first = world.writer("p0-0000000000000001");
    await world.write(first, 1, 2);
    await about(first, "a1", world.id(1));
    await about(first, "a1#0", `${world.id(1)}#0`);
    await about(first, "a2", world.id(2));
    await about(first, "a5", world.id(5));
    await first.close();
    await world.until(() => world.isEmpty(), "the first");
    // Files beside their segments.
    world.second.before = () => {
      throw new Error("away");
    };
    const second = world.writer("p0-0000000000000002");
    await world.write(second, 3);
    await about(second, "b1", world.id(1));
    await about(second, "b2", world.id(2));
    await about(second, "b3", world.id(3));
    await second.close();
    await world.until(async () => (await world.rows("feedback")).length === 10, "the second");
    // Segments alone.
    const third = world.writer("p0-0000000000000003");
    await world.write(third, 5);
    await about(third, "c1", world.id(1));
    await about(third, "c2", world.id(2));
    await about(third, "c3#7", `${world.id(3)}#7`);
    await about(third, "c5", world.id(5));

    expect(await role.forget("ann")).toMatchObject({ rows: 9, files: 4 });
    expect(await world.rows("feedback")).toEqual(["a2", "b2", "f2"]);
    // Again, while the predictions are gone from the files: what is noted stays so.
    expect(await role.forget("ann")).toMatchObject({ rows: 0 });
    // What comes later is new.
    world.clock.advanceMs(120_000);
    await about(third, "late", world.id(1));
    await third.close();
    world.second.before = () => undefined;
    await world.until(() => world.isEmpty(), "the rest");
    expect(await world.rows("feedback")).toEqual(["a2", "b2", "c2", "f2", "late"]);
    expect(await world.rows("predictions")).toEqual(["002"]);
    expect(world.errors.filter((text) => !text.includes("away"))).toEqual([]);
  });

  it("forget() that fails half way finds the feedback of a unit when it is repeated", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    const first = world.writer("p0-0000000000000001");
    const named = { feedback_id: "a", ts: 0, received_ts: world.agoUs };
    await first.append(feedbackBlockOf({ ...named, prediction_id: world.id(1) }));
    await first.append(feedbackBlockOf({ ...named, prediction_id: world.id(3) }));
    await world.write(first, 1);
    await first.close();
    await world.until(() => world.isEmpty(), "the first");
    const second = world.writer("p0-0000000000000002");
    await world.write(second, 3);
    world.failing = "feedback";
    await expect(role.forget("ann")).rejects.toThrow("the disk is gone");
    // The segment becomes a file meanwhile, with the row that tells whose the feedback is.
    await second.close();
    await world.until(() => world.isEmpty(), "the second");
    world.failing = "predictions";
    await expect(role.forget("ann")).rejects.toThrow("the disk is gone");
    expect(await world.rows("feedback")).toEqual([]);
    world.failing = undefined;
    await role.forget("ann");
    expect(await world.rows("predictions")).toEqual([]);
    expect(world.errors).toEqual([]);
  });

  it("forget() refuses while nothing may be deleted", async () => {
    await using world = new RoleWorld();
    world.retention.isHeld = true;
    const role = await world.shipping();
    await expect(role.forget("ann")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(existsSync(join(world.folder, "forgotten.json"))).toBe(false);
  });

  it("a damaged forgotten.json stops shipping, and says why", async () => {
    await using world = new RoleWorld();
    await mkdir(world.folder, { recursive: true });
    await writeFile(join(world.folder, "forgotten.json"), "{");
    const role = world.role();
    role.start();
    await eventually(() => world.errors.length > 0, "the problem");
    expect(await role.status()).toMatchObject({
      isShipping: false,
      problem: expect.stringContaining("forgotten.json") as string,
    });
    await writeFile(join(world.folder, "forgotten.json"), '{"units":[]}');
    await world.until(async () => (await role.status()).isShipping, "the way out");
  });

  it("keeps files few, takes payloads out and deletes what is old", async () => {
    await using world = new RoleWorld();
    const role = await world.shipping();
    for (const number of [1, 2, 3]) {
      const writer = world.writer(`p0-000000000000000${number}`);
      await world.write(writer, number);
      await world.expose(writer, number);
      await writer.close();
    }
    await world.until(() => world.isEmpty(), "shipping");
    const files = async (): Promise<readonly number[]> =>
      (await role.status()).tables.map((table) => table.files);
    await world.until(async () => String(await files()) === "3,3,3", "a file of each");
    const after = (ms: number, what: string, look: () => Promise<boolean>): Promise<boolean> => {
      world.clock.advanceMs(ms);
      return eventually(() => {
        world.clock.advanceMs(2_000);
        return look();
      }, what);
    };
    await after(2 * HOUR_MS, "one file an hour", async () => (await files())[0] === 1);
    await after(DAY_MS, "one file a day", async () => (await files())[1] === 1);
    await after(0, "one file of exposures", async () => (await files())[2] === 1);
    const hasPayload = (): boolean =>
      readdirSync(join(world.folder, "predictions"), { recursive: true }).every(
        (name) => !String(name).endsWith("-np.parquet"),
      );
    expect(hasPayload()).toBe(true);
    for (let day = 0; day < 7; day++) world.clock.advanceMs(DAY_MS);
    await after(0, "files without payload", () => Promise.resolve(!hasPayload()));
    expect(await world.rows("predictions")).toEqual(["001", "002", "003"]);
    for (let day = 0; day < 24; day++) world.clock.advanceMs(DAY_MS);
    await after(0, "nothing", async () => (await files()).every((count) => count === 0));
    expect(world.errors).toEqual([]);
  });

  it("atRest() gives the log to one who ships nothing", async () => {
    await using world = new RoleWorld();
    const writer = world.writer();
    await world.write(writer, 1);
    await writer.close();
    const role = world.role();
    const status = await role.atRest(() => role.status());
    expect(status).toMatchObject({ isShipping: true, segments: { count: 2 } });
    await world.shipping();
    const late = world.role();
    await expect(late.atRest(() => late.status())).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
    });
  });

  it("metrics() say what waits, what failed and what is there", async () => {
    await using world = new RoleWorld();
    world.second.before = () => {
      throw new Error("away");
    };
    const role = await world.shipping();
    const writer = world.writer();
    await world.write(writer, 1);
    await writer.close();
    const isShipped = async (): Promise<boolean> => {
      const [parquet] = (await role.status()).sinks;
      return parquet?.rows === 2 && parquet.segments === 0; // written, and its cursor is saved
    };
    await world.until(isShipped, "shipping");
    world.clock.advanceMs(60_000);
    await world.until(
      async () => ((await role.status()).sinks[1]?.lagSeconds ?? 0) > 60,
      "the lag",
    );
    const values = Object.fromEntries(
      (await role.metrics()).flatMap(({ name, series }) =>
        series.map(({ labels, value }) => [[name, ...labels].join(" "), value]),
      ),
    );
    expect(values).toMatchObject({
      "predlog_sink_lag_seconds parquet": 0,
      "predlog_sink_lag_seconds second": expect.any(Number) as number,
      "predlog_sink_errors_total parquet": 0,
      "predlog_shipped_rows_total parquet": 2,
      predlog_unclean_writers_total: 0,
      predlog_damaged_blocks_total: 0,
      "predlog_table_files predictions": 1,
      "predlog_table_files feedback": 1,
    });
    expect(values["predlog_sink_errors_total second"]).toBeGreaterThan(0);
    expect(values["predlog_oldest_unshipped_seconds"]).toBeGreaterThan(60);
    expect(values["predlog_table_bytes predictions"]).toBeGreaterThan(100);
  });
});
