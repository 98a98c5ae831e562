import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRowReader } from "../../load-main.ts";
import { LoadInputError } from "../load-input-error.ts";
import { readRowTable } from "./row-table.ts";
import { RowTableBuilder } from "./row-table-builder.ts";
import { rowTexts, testRows } from "./test-rows.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-rows-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("readRowTable() of csv", () => {
  test("has numbers, booleans, nulls and texts, and every digit of a whole number", async () => {
    const table = await read(
      "a.csv",
      'id,size,ok,"na me",text\r\n9223372036854775807,5.10,true,x,"a ""quoted"", one"\n-7,1e-3,False,,"5"\n\n0,.5,true,ü,"two\nlines"\n',
    );
    expect(table.columns).toEqual(["id", "size", "ok", "na me", "text"]);
    expect(rowTexts(table)).toEqual([
      ["9223372036854775807", "5.1", "true", '"x"', '"a \\"quoted\\", one"'],
      ["-7", "0.001", "false", "null", '"5"'],
      ["0", "0.5", "true", '"ü"', '"two\\nlines"'],
    ]);
  });

  test("reads a file of many pieces as if it were one", async () => {
    const count = 60_000;
    let text = '\ufeffid,"te""xt"\n';
    for (let id = 0; id < count; id++)
      text += `${id},"line\n${id}, and more of it, so that it gets long"\n`;
    expect(text.length).toBeGreaterThan(2.5 * 2 ** 20);
    const table = await read("long.csv", text);
    expect(table.columns).toEqual(["id", 'te"xt']);
    const rows = rowTexts(table);
    expect(rows).toHaveLength(count);
    expect(rows.findIndex(([id], index) => id !== String(index))).toBe(-1);
    expect(rows.at(-1)?.[1]).toContain("line\\n59999,");
  });

  test.each<{ text: string; message: string; encoding?: "latin1" }>([
    { text: "", message: "there are no columns" },
    { text: "a,b\n", message: "there are no rows" },
    { text: "a,b\n1,2\n3\n", message: "row 2 has 1 values, expected 2" },
    { text: "a;b\n1;2\n", message: 'columns are separated by commas, found "a;b"' },
    { text: 'a,b\n"1,2\n', message: "the quotes at character" },
    { text: "a\n\xff\n", message: "the text is not UTF-8", encoding: "latin1" },
  ])("refuses $text: $message", async ({ text, message, encoding }) => {
    const failed = await failureOf("bad.csv", Buffer.from(text, encoding));
    expect(failed).toBeInstanceOf(LoadInputError);
    expect((failed as Error).message).toContain(message);
    expect((failed as Error).message).toContain("bad.csv: ");
  });
});

describe("readRowTable() of json lines", () => {
  test("keeps values as they are written, and has null where a line has no such key", async () => {
    const table = await read(
      "a.jsonl",
      '{"a": 1.0, "b":"é\\u0041"}\n\n{"b":[1, {"c":2}],"d":123456789012345678901234567890 , "a":null}\r\n{}',
    );
    expect(table.columns).toEqual(["a", "b", "d"]);
    expect(rowTexts(table)).toEqual([
      ["1.0", '"é\\u0041"', "null"],
      ["null", '[1, {"c":2}]', "123456789012345678901234567890"],
      ["null", "null", "null"],
    ]);
  });

  test("reads lists, whose columns have numbers", async () => {
    const table = await read("lists.ndjson", "[5.1,3.5]\n[ 4.9 , null ]\n");
    expect(table.columns).toEqual(["0", "1"]);
    expect(rowTexts(table)).toEqual([
      ["5.1", "3.5"],
      ["4.9", "null"],
    ]);
  });

  test.each<{ text: string; message: string; encoding?: "latin1" }>([
    { text: "", message: "bad.jsonl: there are no columns" },
    { text: "{}\n", message: "bad.jsonl: there are no columns" },
    { text: '{"a":1}\n{"a":\n', message: "bad.jsonl:2: Cannot parse JSON" },
    { text: '{"a":1} x', message: "bad.jsonl:1: Cannot parse JSON" },
    { text: '{"a":1,"a":2}', message: 'bad.jsonl:1: the key "a" stands twice' },
    { text: "5", message: "bad.jsonl:1: expected an object or a list, found a number" },
    { text: '{"a":1}\n[1]', message: "bad.jsonl:2: lists and objects, expected one or the other" },
    { text: "[1,2]\n[1]", message: "bad.jsonl:2: a list of 1 values, expected 2 as in others" },
    { text: '[1]\n{"0":1}', message: "bad.jsonl:2: lists and objects" },
    { text: '{"a":"\x80"}', message: "bad.jsonl:1: ", encoding: "latin1" },
  ])("refuses $text: $message", async ({ text, message, encoding }) => {
    const failed = await failureOf("bad.jsonl", Buffer.from(text, encoding));
    expect(failed).toBeInstanceOf(LoadInputError);
    expect((failed as Error).message).toContain(message);
  });
});

describe("readRowTable() of Parquet", () => {
  test("has rows in their order, and every digit of a whole number", async () => {
    const path = await parquet(
      "a.parquet",
      `SELECT * FROM (VALUES
         (9223372036854775807, 5.25::DOUBLE, true, 'a "b"', 12.50::DECIMAL(10, 2), [1, 2], DATE '2026-01-02'),
         (-1, 'nan'::DOUBLE, NULL, NULL, 0.1::DECIMAL(10, 2), [], NULL)
       ) t(id, size, ok, "na me", price, list, day)`,
    );
    const table = await readRowTable(path, { order: "random", openRowReader });
    expect(table.columns).toEqual(["id", "size", "ok", "na me", "price", "list", "day"]);
    expect(table.order).toBe("random");
    expect(rowTexts(table)).toEqual([
      ["9223372036854775807", "5.25", "true", '"a \\"b\\""', "12.5", "[1,2]", '"2026-01-02"'],
      ["-1", "null", "null", "null", "0.1", "[]", "null"],
    ]);
  });

  test("reads more rows than DuckDB gives at once", async () => {
    const path = await parquet("many.parquet", "SELECT range AS id FROM range(300000)");
    const rows = rowTexts(await readRowTable(path, { order: "in-turn", openRowReader }));
    expect(rows).toHaveLength(300_000);
    expect(rows.findIndex(([id], index) => id !== String(index))).toBe(-1);
  });

  test("refuses what is none", async () => {
    const failed = await failureOf("bad.parquet", Buffer.from("no parquet"));
    expect(failed).toBeInstanceOf(LoadInputError);
    expect((failed as Error).message).toMatch(/bad\.parquet: .*(Parquet|parquet)/);
  });
});

test("readRowTable() refuses other kinds of files, absent ones and large ones", async () => {
  const other = await failureOf("rows.xlsx", Buffer.from(""));
  expect((other as Error).message).toContain(
    "rows.xlsx: rows come from a .csv, .jsonl, .ndjson, .parquet or .pq file",
  );
  const options = { order: "in-turn", openRowReader } as const;
  await expect(readRowTable(join(folder, "absent.csv"), options)).rejects.toThrow(
    /absent\.csv: ENOENT/,
  );
  await expect(readRowTable(join(folder, "absent.parquet"), options)).rejects.toThrow(
    LoadInputError,
  );
  const large = join(folder, "large.csv");
  writeFileSync(large, "");
  truncateSync(large, 256 * 2 ** 20 + 1);
  await expect(readRowTable(large, options)).rejects.toThrow(
    "large.csv: larger than 256 MiB, take fewer rows or a .parquet file",
  );
});

test("RowTableBuilder refuses more than 10 million values, and more than 256 MiB", () => {
  const many = new RowTableBuilder("many", ["a"]);
  const cells = [1];
  for (let row = 0; row < 10_000_000; row++) many.addRow(cells);
  expect(() => many.addRow(cells)).toThrow(
    "many: more than 10000000 values or 256 MiB of JSON by row 10000001: take fewer rows or columns",
  );
  const large = new RowTableBuilder("large", ["a"]);
  const text = [new Uint8Array(2 ** 26 - 1)];
  for (let row = 0; row < 4; row++) large.addRow(text);
  expect(() => large.addRow([1])).toThrow("large: more than 10000000 values or 256 MiB");
});

test("RowTableBuilder writes every value as JSON", () => {
  const values = [
    1,
    -0,
    1e21,
    Infinity,
    NaN,
    2n ** 70n,
    "a\n\ud83d\ude00",
    null,
    false,
    [1n],
    { a: [] },
  ];
  const table = testRows(
    values.map((_, index) => String(index)),
    [values],
  );
  expect(rowTexts(table)).toEqual([
    [
      "1",
      "0",
      "1e+21",
      "null",
      "null",
      "1180591620717411303424",
      '"a\\n😀"',
      "null",
      "false",
      "[1]",
      '{"a":[]}',
    ],
  ]);
});

async function read(name: string, text: string): ReturnType<typeof readRowTable> {
  const path = join(folder, name);
  writeFileSync(path, text);
  return readRowTable(path, { order: "in-turn", openRowReader });
}

async function failureOf(name: string, bytes: Buffer): Promise<unknown> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return readRowTable(path, { order: "in-turn", openRowReader }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function parquet(name: string, sql: string): Promise<string> {
  const path = join(folder, name);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return path;
}
