import { expect, test } from "vitest";
import { readCsv } from "./read-csv.ts";

test.each([
  ["numbers", "a,b\n1,-2.5e3\n", ["a", "b"], [[1, -2500]]],
  ["no line end at the end", "a\n1", ["a"], [[1]]],
  ["carriage returns", "a,b\r\n1,2\r\n", ["a", "b"], [[1, 2]]],
  ["missing values", "a,b,c\n,2,\n", ["a", "b", "c"], [[null, 2, null]]],
  ["a missing value at the very end", "a,b\n1,", ["a", "b"], [[1, null]]],
  [
    "booleans, as pandas writes them too",
    "a,b,c,d\ntrue,false,True,False",
    ["a", "b", "c", "d"],
    [[true, false, true, false]],
  ],
  ["text", "a,b\nx y, z ", ["a", "b"], [["x y", " z "]]],
  ["quoted text with everything in it", 'a,b\n"x, ""y""\n",2', ["a", "b"], [['x, "y"\n', 2]]],
  ["a quoted number as text", 'a\n"1"', ["a"], [["1"]]],
  ["whole numbers beyond 2^53", "a\n9007199254740993", ["a"], [[9007199254740993n]]],
  ["names that look like numbers", '1.0,007,"2.50",true', ["1.0", "007", "2.50", "true"], []],
  ["a column without a name", ",a\n0,1", ["", "a"], [[0, 1]]],
  ["other forms of numbers", "a,b,c,d\n+1,.5,5.,1E+2", ["a", "b", "c", "d"], [[1, 0.5, 5, 100]]],
])("readCsv() reads %s", (_name, text, columns, rows) => {
  const frame = readCsv(text);
  expect(frame.columns).toEqual(columns);
  expect(frame.rows).toEqual(rows);
});

test.each([
  ["", "the body is empty, expected a header line and rows"],
  ['a\n"x', "the quotes at character 2 do not close"],
  ['a\n"x"y', "the quotes at character 2 do not close"],
  ['a\nx"y', "the quotes at character 2 do not close"],
])("readCsv() refuses %j", (text, message) => {
  expect(() => readCsv(text)).toThrow(
    expect.objectContaining({ code: "INVALID_BODY", message: `Cannot read body: ${message}` }),
  );
});

test("readCsv() reads a quoted field of 20 MB without a crash", () => {
  const long = "x".repeat(20_000_000);
  expect(readCsv(`a\n"${long}"`).rows).toEqual([[long]]);
});

test("readCsv() makes no number of a million digits", () => {
  expect(readCsv(`a\n${"9".repeat(1_000_000)}`).rows).toEqual([[Infinity]]);
});

test("readCsv() locates a value by its line behind the header", () => {
  expect(readCsv("a\n1").locate(0, 0)).toEqual(["body", 1, 0]);
});
