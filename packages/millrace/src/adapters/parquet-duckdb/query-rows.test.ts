import { expect, it } from "vitest";
import { DuckDb } from "./open-duckdb.ts";
import { readRows, type ReadRows } from "./query-rows.ts";

async function read(sql: string, charactersMax: number): Promise<ReadRows> {
  const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 64 * 2 ** 20 });
  try {
    return await duckDb.with(async (connection) =>
      readRows(await connection.stream(sql), 1_000, charactersMax),
    );
  } finally {
    await duckDb.close();
  }
}

it("readRows() cuts off the row with which it would be too much text", async () => {
  const read10 = read("select repeat('x', 10) from range(9)", 35);
  expect(await read10).toMatchObject({ rows: [1, 2, 3].map(() => ["x".repeat(10)]), isCut: true });
  expect(await read("select 'abcd' from range(3)", 12)).toMatchObject({ isCut: false });
});

it("readRows() refuses a first row that is too much text, be it one list", async () => {
  for (const sql of ["select 'abc', 'def'", "select [1, 2]", "select {'a': {'b': 'cdefg'}}"]) {
    await expect(read(sql, 5)).rejects.toMatchObject({
      code: "QUERY_TOO_LARGE",
      message: expect.stringContaining("one row has more than 5 characters") as string,
    });
  }
});
