import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetTables } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-tables.ts";
import { readFiles } from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import type { ForgetChange, TableFile } from "../../packages/millrace/src/ports/log-tables.ts";
import { LogWorld } from "../query/log-world.ts";

const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 256 * 2 ** 20 });
afterAll(() => duckDb.close());

const HOUR = "predictions/dt=2026-11-21/hour=16/model=iris";

class TablesWorld extends LogWorld {
  readonly tables = new ParquetTables({ folder: this.folder, duckDb });

  /** Files of the hour, each with the rows of these numbers. */
  async hour(...files: (readonly number[])[]): Promise<readonly TableFile[]> {
    for (const [index, numbers] of files.entries()) {
      const rows = numbers.map((number) => rowSql(number)).join(" UNION ALL ");
      await this.parquet(`${HOUR}/p0-0-0000000${index}.parquet`, "predictions", rows);
    }
    return this.tables.list();
  }

  async rows(columns: string, table: LogTable = "predictions"): Promise<unknown[]> {
    const files = (await this.tables.list()).filter((file) => file.table === table);
    if (files.length === 0) return [];
    const from = readFiles(files.map(({ path }) => join(this.folder, path)));
    return duckDb.with(async (connection) => {
      const sql = `SELECT ${columns} FROM ${from} ORDER BY 1`;
      return (await connection.runAndReadAll(sql)).getRowsJson();
    });
  }
}

/** Ids of 2025-11-21 21:30 UTC. */
function idOf(number: number): string {
  const time = Date.UTC(2025, 10, 21, 21, 30).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
}

function rowSql(number: number): string {
  return `SELECT '${idOf(number)}' AS prediction_id, make_timestamp(1795277${number % 10}00000000) AS ts,
    'unit${number % 3}' AS unit_hash, '{"x":${number}}' AS features, '[1]' AS prediction, 'setosa' AS label,
    0.5 AS score, 'full' AS payload, 'header' AS attributes`;
}

function forgetting(...unitHashes: readonly string[]): ForgetChange {
  return { kind: "forget", unitHashes, predictionIds: [] };
}

describe("ParquetTables", () => {
  it("list() tells what the paths say, and sees nothing else", async () => {
    await using world = new TablesWorld();
    const [file] = await world.hour([1]);
    await world.parquet(
      "feedback/dt=2026-11-20/r-1-np.parquet",
      "feedback",
      "SELECT 'f' AS feedback_id",
    );
    await writeFile(join(world.folder, HOUR, "p0-0-00000009.parquet.tmp"), "half");
    await writeFile(join(world.folder, "predictions/notes.txt"), "mine");
    expect(await world.tables.list()).toEqual([
      expect.objectContaining({ table: "feedback", date: "2026-11-20", hour: undefined }),
      {
        path: `${HOUR}/p0-0-00000000.parquet`,
        table: "predictions",
        partition: HOUR,
        date: "2026-11-21",
        hour: 16,
        isWithoutPayload: false,
        byteLength: file?.byteLength,
      },
    ]);
  });

  it("rewrite() makes one file of several, with every row", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1, 2], [3], [4, 5, 6]);
    expect(await world.tables.rewrite(files, { kind: "compact" })).toBe(0);
    expect(await world.tables.list()).toHaveLength(1);
    expect(await world.rows("prediction_id")).toEqual([1, 2, 3, 4, 5, 6].map((n) => [idOf(n)]));
    expect(readdirSync(join(world.folder, "rewrites"))).toEqual([]);
  });

  it("rewrite() takes out inputs and predictions, and says so in the name", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1, 2]);
    await world.tables.rewrite(files, { kind: "drop_payload" });
    const [file] = await world.tables.list();
    expect(file?.isWithoutPayload).toBe(true);
    const columns = "label, score, payload, features, prediction, attributes";
    const row = ["setosa", 0.5, "dropped", null, null, null];
    expect(await world.rows(columns)).toEqual([row, row]);
    // Compacted, it still says so.
    await world.tables.rewrite(await world.tables.list(), { kind: "compact" });
    expect((await world.tables.list())[0]?.isWithoutPayload).toBe(true);
  });

  it("rewrite() leaves out the rows of units", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1, 2, 3, 4]);
    const change = forgetting("unit1", "it's nobody");
    expect(await world.tables.rewrite(files, change)).toBe(2);
    expect(await world.rows("prediction_id")).toEqual([[idOf(2)], [idOf(3)]]);
  });

  it("rewrite() of which no row is left leaves no file and no folder", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1, 4]);
    await world.tables.rewrite(files, forgetting("unit1"));
    expect(await world.tables.list()).toEqual([]);
    expect(existsSync(join(world.folder, HOUR))).toBe(false);
    expect(existsSync(join(world.folder, "predictions"))).toBe(true);
  });

  it("rewrite() that fails changes nothing", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1], [2]);
    await writeFile(join(world.folder, HOUR, "p0-0-00000001.parquet"), "no Parquet");
    await expect(world.tables.rewrite(files, { kind: "compact" })).rejects.toThrow(
      "p0-0-00000001.parquet",
    );
    expect(await world.tables.list()).toHaveLength(2);
    expect(readdirSync(join(world.folder, HOUR))).toHaveLength(2);
    expect(existsSync(join(world.folder, "rewrites"))).toBe(false);
  });

  it("recover() undoes a rewrite whose file has no name yet", async () => {
    await using world = new TablesWorld();
    const [first, second] = await world.hour([1], [2]);
    const add = `${HOUR}/r-x.parquet`;
    await copyFile(join(world.folder, first?.path ?? ""), join(world.folder, `${add}.tmp`));
    world.file("rewrites/x.json", { add: [add], remove: [first?.path, second?.path] });
    await world.tables.recover();
    expect((await world.tables.list()).map(({ path }) => path)).toEqual([
      first?.path,
      second?.path,
    ]);
    expect(readdirSync(join(world.folder, HOUR))).toHaveLength(2);
    expect(readdirSync(join(world.folder, "rewrites"))).toEqual([]);
  });

  it.each([0, 1, 2])(
    "recover() finishes one that was killed after %i deletions",
    async (deleted) => {
      await using world = new TablesWorld();
      const files = await world.hour([1], [2]);
      const originals = await Promise.all(
        files.map(({ path }) => readFile(join(world.folder, path))),
      );
      await world.tables.rewrite(files, { kind: "compact" });
      const [made] = await world.tables.list();
      world.file("rewrites/x.json", { add: [made?.path], remove: files.map(({ path }) => path) });
      for (const [index, { path }] of files.entries()) {
        if (index >= deleted) await writeFile(join(world.folder, path), originals[index] as Buffer);
      }
      await world.tables.recover();
      expect(await world.rows("prediction_id")).toEqual([[idOf(1)], [idOf(2)]]);
      expect(readdirSync(join(world.folder, "rewrites"))).toEqual([]);
    },
  );

  it("a file that could not be deleted when it was replaced is not taken again", async () => {
    await using world = new TablesWorld();
    const files = await world.hour([1], [2]);
    const second = join(world.folder, files[1]?.path ?? "");
    const original = await readFile(second);
    await world.tables.rewrite(files, { kind: "compact" });
    const [made] = await world.tables.list();
    await writeFile(second, original);
    world.file("rewrites/x.json", { add: [made?.path], remove: files.map(({ path }) => path) });
    expect(await world.tables.list()).toEqual([made]);
    const held = await world.tables.holding("predictions", forgetting("unit2"));
    expect(held).toMatchObject([{ file: made, rowCount: 1 }]);
    expect(existsSync(second)).toBe(false);
    expect(readdirSync(join(world.folder, "rewrites"))).toEqual([]);
  });

  it("rewrite() refuses while what was replaced before cannot be deleted", async () => {
    await using world = new TablesWorld();
    const [file] = await world.hour([1]);
    // A folder is no file that can be deleted.
    const stuck = `${HOUR}/p0-0-00000007.parquet`;
    await mkdir(join(world.folder, stuck, "x"), { recursive: true });
    world.file("rewrites/x.json", { add: [file?.path], remove: [stuck] });
    await expect(
      world.tables.rewrite([file as TableFile], { kind: "drop_payload" }),
    ).rejects.toThrow("p0-0-00000007.parquet");
    expect(await world.tables.list()).toEqual([file]);
  });

  it("recover() finishes one that leaves no row, and looks past what is no note", async () => {
    await using world = new TablesWorld();
    const [file] = await world.hour([1]);
    world.file("rewrites/x.json", { add: [], remove: [file?.path] });
    await writeFile(join(world.folder, "rewrites/y.json"), "{");
    await writeFile(join(world.folder, "rewrites/z.json.12ab.tmp"), "{}");
    await world.tables.recover();
    expect(await world.tables.list()).toEqual([]);
  });

  it("remove() deletes files with the folders that are empty then", async () => {
    await using world = new TablesWorld();
    const [first, second] = await world.hour([1], [2]);
    await world.tables.remove([first as TableFile]);
    expect(await world.tables.list()).toHaveLength(1);
    await world.tables.remove([second as TableFile, first as TableFile]);
    expect(existsSync(join(world.folder, "predictions/dt=2026-11-21"))).toBe(false);
  });

  it("holding() tells which files have rows of units, and how many", async () => {
    await using world = new TablesWorld();
    await world.hour([1, 4, 2], [3], [7]);
    await world.parquet(
      "feedback/dt=2026-11-21/a.parquet",
      "feedback",
      "SELECT 'unit1' AS unit_hash",
    );
    const change = forgetting("unit1", "unit9");
    const found = [
      ...(await world.tables.holding("predictions", change)),
      ...(await world.tables.holding("feedback", change)),
    ];
    const names = found.map(
      ({ file, rowCount }) => `${file.path.split("/").at(-1) ?? ""} ${rowCount}`,
    );
    expect(new Set(names)).toEqual(
      new Set(["a.parquet 1", "p0-0-00000000.parquet 2", "p0-0-00000002.parquet 1"]),
    );
    expect(await world.tables.holding("predictions", forgetting())).toEqual([]);
  });

  it("rewrite() leaves out feedback that names predictions of units", async () => {
    await using world = new TablesWorld();
    await world.hour([1, 2], [4]);
    const named = [idOf(1), `${idOf(4)}#3`, idOf(2), idOf(9), idOf(8), null].map(
      (id, index) =>
        `SELECT 'f${index}' AS feedback_id, ${id === null ? "NULL" : `'${id}'`} AS prediction_id`,
    );
    const path = "feedback/dt=2026-11-21/a.parquet";
    await world.parquet(path, "feedback", named.join(" UNION ALL "));
    await world.parquet("feedback/dt=2026-11-21/b.parquet", "feedback", named[2] as string);
    const change = { ...forgetting("unit1"), predictionIds: [idOf(9)] };
    const held = await world.tables.holding("feedback", change);
    expect(held).toMatchObject([{ file: { path }, rowCount: 3 }]);
    expect(await world.tables.rewrite([held[0]?.file as TableFile], change)).toBe(3);
    expect(await world.tables.holding("feedback", change)).toEqual([]);
    expect(await world.rows("feedback_id", "feedback")).toEqual([["f2"], ["f2"], ["f4"], ["f5"]]);
  });

  it("predictionsOf() tells which of some predictions are of a unit", async () => {
    await using world = new TablesWorld();
    const asked = [idOf(1), idOf(2), idOf(4), idOf(7)];
    expect(await world.tables.predictionsOf("unit1", asked)).toEqual([]);
    await world.hour([1, 2], [4]);
    const found = await world.tables.predictionsOf("unit1", asked);
    expect(new Set(found)).toEqual(new Set([idOf(1), idOf(4)]));
    expect(await world.tables.predictionsOf("unit1", [])).toEqual([]);
  });

  it("find() gives the rows of a request, in the hours around the time in its id", async () => {
    await using world = new TablesWorld();
    const id = idOf(7);
    for (const hour of ["20", "21", "22", "23"]) {
      const path = `predictions/dt=2025-11-21/hour=${hour}/model=my-model/a.parquet`;
      const rows = [0, 1, 10, 2].map(
        (row) => `SELECT '${idOf(7)}#${row}' AS prediction_id, ${row} AS row_index,
          make_timestamp(1763758123456789) AS ts, 12 AS total_us, '{"x":1}' AS features`,
      );
      await world.parquet(
        path,
        "predictions",
        hour === "22" ? rows.join(" UNION ALL ") : rowSql(8),
      );
    }
    const rows = (await world.tables.find(id)) as readonly Record<string, unknown>[];
    expect(rows.map((row) => row["row_index"])).toEqual([0, 1, 2, 10]);
    expect(rows[0]).toMatchObject({
      prediction_id: `${id}#0`,
      ts: 1_763_758_123_456_789,
      model: "my-model",
      total_us: 12,
      features: '{"x":1}',
      service: null,
    });
    expect(rows[0]).not.toHaveProperty("filename");
    expect(await world.tables.find(`${id}#1`)).toEqual([rows[1]]);
    expect(await world.tables.find(idOf(9))).toBeUndefined();
    expect(await world.tables.find("no id")).toBeUndefined();
    await rename(
      join(world.folder, "predictions/dt=2025-11-21/hour=22"),
      join(world.folder, "predictions/dt=2025-11-21/hour=23x"),
    );
    expect(await world.tables.find(id)).toBeUndefined();
  });

  it("find() gives the first row of each shadow behind those of the answer, however many these are", async () => {
    await using world = new TablesWorld();
    const rowsOf = (count: number, role: string, shadow: string): string[] =>
      Array.from(
        { length: count },
        (_, row) => `SELECT '${idOf(7)}#${row}' AS prediction_id, ${row} AS row_index,
          '${role}' AS role, NULLIF('${shadow}', '') AS shadow`,
      );
    const folder = "predictions/dt=2025-11-21/hour=21";
    const answers = rowsOf(60, "primary", "").join(" UNION ALL ");
    await world.parquet(`${folder}/model=iris/a.parquet`, "predictions", answers);
    const copies = [...rowsOf(60, "shadow", "rf"), ...rowsOf(60, "shadow", "linear")];
    await world.parquet(`${folder}/model=rf/a.parquet`, "predictions", copies.join(" UNION ALL "));
    const rows = (await world.tables.find(idOf(7))) as readonly Record<string, unknown>[];
    expect(rows.slice(0, 16).map((row) => row["row_index"])).toEqual([...Array(16).keys()]);
    expect(rows.slice(0, 16).every((row) => row["role"] === "primary")).toBe(true);
    const shadows = rows.slice(16).map((row) => [row["shadow"], row["row_index"], row["model"]]);
    expect(shadows).toHaveLength(2);
    expect(shadows).toContainEqual(["linear", 0, "rf"]);
    expect(shadows).toContainEqual(["rf", 0, "rf"]);
  });

  it("find() sees a prediction once while its file is being replaced", async () => {
    await using world = new TablesWorld();
    const folder = "predictions/dt=2025-11-21/hour=21/model=iris";
    await world.parquet(`${folder}/a.parquet`, "predictions", rowSql(7));
    await world.parquet(`${folder}/r-b.parquet`, "predictions", rowSql(7));
    expect(await world.tables.find(idOf(7))).toHaveLength(1);
    await rm(join(world.folder, "predictions"), { recursive: true });
    expect(await world.tables.find(idOf(7))).toBeUndefined();
  });
});
