import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { DuckDb, quoted, quotedList } from "./open-duckdb.ts";

const OPTIONS = { spillFolder: "", memoryBytesMax: 64 * 2 ** 20 };

it("connect() says what to install when DuckDB cannot be loaded", async () => {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier.startsWith("@duckdb/")) throw new Error("there is none here");
      return next(specifier, context);
    } });
    const { DuckDb } = await import(${JSON.stringify(new URL("open-duckdb.ts", import.meta.url))});
    const duckDb = new DuckDb(${JSON.stringify(OPTIONS)});
    for (let times = 0; times < 2; times++) await duckDb.connect().catch((error) => console.log(error.message));
    await duckDb.close();`;
  const words = ["--input-type=module", "--conditions=@millrace/source", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const line = `Cannot open the prediction log's tables: DuckDB cannot be loaded (there is none here); install "@duckdb/node-api" with its part for ${process.platform}-${process.arch}, or set log.sink to off`;
  expect(stdout).toBe(`${line}\n${line}\n`);
});

it("with() is interrupted by its signal, and works afterwards", async () => {
  const duckDb = new DuckDb(OPTIONS);
  const abort = new AbortController();
  const long = duckDb.with(
    (connection) => connection.run("select count(*) from range(100000000) a, range(100000) b"),
    abort.signal,
  );
  setTimeout(() => abort.abort(new Error("enough")), 50);
  await expect(long).rejects.toThrow("enough");
  const read = await duckDb.with((connection) => connection.runAndReadAll("select 7"));
  expect(read.getRowsJson()).toEqual([[7]]);
  await duckDb.close();
});

it("connect() opens what neither fetches extensions nor leaves anything behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-duckdb-"));
  const duckDb = new DuckDb({ ...OPTIONS, spillFolder: join(folder, "spill") });
  const install = duckDb.with((connection) =>
    connection.run("select * from 'https://127.0.0.1:9/x.parquet'"),
  );
  await expect(install).rejects.toThrow(/httpfs|extension/);
  await duckDb.close();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

it("quoted() is one text of SQL, whatever is in it", async () => {
  const duckDb = new DuckDb(OPTIONS);
  const texts = ["", "'", "a'; drop table x; --", "\\'", "ä\n"];
  const sql = `select unnest(${quotedList(texts)}), ${quoted("it's")}`;
  const read = await duckDb.with((connection) => connection.runAndReadAll(sql));
  expect(read.getRowsJson()).toEqual(texts.map((text) => [text, "it's"]));
  await duckDb.close();
});
