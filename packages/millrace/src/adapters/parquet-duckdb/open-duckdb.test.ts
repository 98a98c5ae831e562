import { expect, it } from "vitest";
import { DuckDb } from "./open-duckdb.ts";

it("with() gets another database after one that broke", async () => {
  const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 64 * 2 ** 20 });
  const create = () =>
    duckDb.with((connection) => connection.run("create table once as select 1 as x"));
  await create();
  await expect(create()).rejects.toThrow("already exists");
  const broken = new Error("FATAL Error: the database has been invalidated");
  await expect(duckDb.with(() => Promise.reject(broken))).rejects.toBe(broken);
  await create();
  await duckDb.close();
});
