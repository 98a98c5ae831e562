import { describe, expect, test } from "vitest";
import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";
import { JsonReader } from "../json-reader.ts";
import type { Datatype, TensorData } from "./datatype.ts";
import { readJsonArray, readJsonScalar } from "./read-json-array.ts";
import { flatJson } from "./write-json.ts";

const LOCATION = ["body", "data"];

interface Read {
  readonly data: TensorData;
  readonly shape: number[];
  readonly problems: Problem[];
}

function read(text: string, datatype: Datatype): Read {
  const problems: Problem[] = [];
  const reader = new JsonReader(new TextEncoder().encode(text));
  const { data, shape } = readJsonArray(reader, datatype, LOCATION, problems);
  reader.end();
  return { data, shape, problems };
}

function errorOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The only problem of a text with one element. */
function problemOf(text: string, datatype: Datatype): Problem {
  const { problems } = read(text, datatype);
  expect(problems).toHaveLength(1);
  return problems[0] as Problem;
}

describe("readJsonArray() shapes", () => {
  test.each([
    ["[]", [0]],
    ["[7]", [1]],
    ["[[1,2,3],[4,5,6]]", [2, 3]],
    ["[[[1],[2]],[[3],[4]],[[5],[6]]]", [3, 2, 1]],
    ["[[],[]]", [2, 0]],
    ["[[[]]]", [1, 1, 0]],
    ["[ [ 1 , 2 ] , [ 3 , 4 ] ]", [2, 2]],
  ])("readJsonArray() of %s finds its extents", (text, shape) => {
    const found = read(text, "FP32");
    expect(found.shape).toEqual(shape);
    expect(found.data).toHaveLength(shape.reduce((product, extent) => product * extent, 1));
  });

  test("readJsonArray() packs row-major when arrays are nested", () => {
    expect(read("[[[1,2],[3,4]],[[5,6],[7,8]]]", "INT8").data).toEqual(
      Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
  });

  test.each([
    [
      "[1,[2]]",
      ["body", "data", 1],
      "found an array, expected a value as in the elements before it",
    ],
    [
      "[[1],2]",
      ["body", "data", 1],
      "found a value, expected an array as in the elements before it",
    ],
    [
      "[[],1]",
      ["body", "data", 1],
      "found a value, expected an array as in the elements before it",
    ],
    [
      "[[[1]],[2]]",
      ["body", "data", 1, 0],
      "found a value, expected an array as in the elements before it",
    ],
    [
      "[[1],[[2]]]",
      ["body", "data", 1, 0],
      "found an array, expected a value as in the elements before it",
    ],
    [
      "[[1,2],[3]]",
      ["body", "data", 1],
      "found 1 values, expected 2 as in the first array of this axis",
    ],
    [
      "[[1],[2,3]]",
      ["body", "data", 1],
      "found 2 values, expected 1 as in the first array of this axis",
    ],
    [
      "[[1],[]]",
      ["body", "data", 1],
      "found 0 values, expected 1 as in the first array of this axis",
    ],
    [
      "[[],[1]]",
      ["body", "data", 1],
      "found 1 values, expected 0 as in the first array of this axis",
    ],
    [
      "[[],[[]]]",
      ["body", "data", 1],
      "found 1 values, expected 0 as in the first array of this axis",
    ],
    [
      "[[[]],[]]",
      ["body", "data", 1],
      "found 0 values, expected 1 as in the first array of this axis",
    ],
    [
      "[[[1]],[]]",
      ["body", "data", 1],
      "found 0 values, expected 1 as in the first array of this axis",
    ],
    [
      "[[[1,2],[3,4]],[[5,6],[7]]]",
      ["body", "data", 1, 1],
      "found 1 values, expected 2 as in the first array of this axis",
    ],
    [
      "[[[1],[2]],[[3]]]",
      ["body", "data", 1],
      "found 1 values, expected 2 as in the first array of this axis",
    ],
  ])("readJsonArray() refuses %s and says where it is ragged", (text, location, message) => {
    for (const datatype of ["FP32", "INT64"] as const) {
      const error = errorOf(() => read(text, datatype));
      expect(error.code).toBe("INVALID_TENSOR");
      expect(error.message).toBe(`Cannot read ${location.join(".")}: ${message}`);
      expect(error.problems).toEqual([{ location, message, type: "shape" }]);
    }
  });

  test("readJsonArray() refuses 250,000 open brackets without a crash", () => {
    const error = errorOf(() => read("[".repeat(250_000), "FP32"));
    expect(error.code).toBe("INVALID_TENSOR");
    expect(error.message).toBe("Cannot read body.data: arrays are nested deeper than 32");
  });

  test("readJsonArray() takes 32 levels of arrays and refuses 33", () => {
    const nest = (depth: number): string => "[".repeat(depth) + "1" + "]".repeat(depth);
    expect(read(nest(32), "FP32").shape).toHaveLength(32);
    expect(() => read(nest(33), "FP32")).toThrow("deeper than 32");
  });

  test.each(["INT64", "FP32", "INT16", "BYTES", "BOOL"] as const)(
    "readJsonArray() keeps every %s element when storage has to grow many times",
    (datatype) => {
      const write: (i: number) => string =
        datatype === "BYTES"
          ? (i) => `"t${i}"`
          : datatype === "BOOL"
            ? (i) => String(i % 3 === 0)
            : String;
      const texts = Array.from({ length: 1000 }, (_, i) => write(i));
      const { data, problems } = read(`[${texts.join(",")}]`, datatype);
      expect(problems).toEqual([]);
      expect(flatJson({ name: "x", datatype, shape: [1000], data })).toBe(`[${texts.join(",")}]`);
    },
  );
});

describe("readJsonArray() elements", () => {
  test.each([
    ["BOOL", "[true,false]", Uint8Array.of(1, 0)],
    ["UINT8", "[0,255]", Uint8Array.of(0, 255)],
    ["UINT16", "[0,65535]", Uint16Array.of(0, 65535)],
    ["UINT32", "[0,4294967295]", Uint32Array.of(0, 4294967295)],
    ["UINT64", "[0,18446744073709551615]", BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ["INT8", "[-128,127]", Int8Array.of(-128, 127)],
    ["INT16", "[-32768,32767]", Int16Array.of(-32768, 32767)],
    ["INT32", "[-2147483648,2147483647]", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    [
      "INT64",
      "[-9223372036854775808,-1,0,9007199254740993,9223372036854775807]",
      BigInt64Array.of(-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n),
    ],
    [
      "FP32",
      "[0.1,-0,16777217,3.4028234663852886e38]",
      Float32Array.of(0.1, -0, 16777216, 3.4028234663852886e38),
    ],
    ["FP64", "[0.1,-0,1.7976931348623157e308]", Float64Array.of(0.1, -0, Number.MAX_VALUE)],
    ["BYTES", '["","é\\n"]', ["", "é\n"]],
  ] as const)("readJsonArray() reads the extremes of %s", (datatype, text, expected) => {
    expect(read(text, datatype)).toMatchObject({ problems: [] });
    expect(read(text, datatype).data).toEqual(expected);
  });

  test.each([
    ["UINT8", "-1", "found -1, expected 0 to 255 (UINT8)"],
    ["UINT8", "256", "found 256, expected 0 to 255 (UINT8)"],
    ["UINT32", "4294967296", "found 4294967296, expected 0 to 4294967295 (UINT32)"],
    ["INT32", "2147483648", "found 2147483648, expected -2147483648 to 2147483647 (INT32)"],
    ["UINT64", "-1", "found -1, expected 0 to 18446744073709551615 (UINT64)"],
    [
      "UINT64",
      "18446744073709551616",
      "found 18446744073709551616, expected 0 to 18446744073709551615 (UINT64)",
    ],
    [
      "INT64",
      "9223372036854775808",
      "found 9223372036854775808, expected -9223372036854775808 to 9223372036854775807 (INT64)",
    ],
    [
      "INT64",
      "-9223372036854775809",
      "found -9223372036854775809, expected -9223372036854775808 to 9223372036854775807 (INT64)",
    ],
    ["FP32", "3.5e38", "found 3.5e38, expected a finite FP32 number"],
    ["FP32", "-1e400", "found -1e400, expected a finite FP32 number"],
    // Half-way between the largest FP32 number and 2^128: it rounds to infinity.
    ["FP32", "3.4028235677973366e38", "found 3.4028235677973366e38, expected a finite FP32 number"],
    ["FP64", "1e309", "found 1e309, expected a finite FP64 number"],
  ] as const)("readJsonArray() refuses %s %s as out of range", (datatype, text, message) => {
    expect(problemOf(`[${text}]`, datatype)).toEqual({
      location: ["body", "data", 0],
      message,
      type: "range",
    });
  });

  test.each([
    ["INT8", "1.5", "found 1.5, expected a whole number (INT8)"],
    ["INT64", "1.5", "found 1.5, expected a whole number (INT64)"],
    ["INT64", '"1"', 'found "1", expected a whole number (INT64)'],
    ["FP32", '"1"', 'found "1", expected a number (FP32)'],
    ["FP32", "null", "found null, expected a number (FP32)"],
    ["FP32", "true", "found true, expected a number (FP32)"],
    ["FP32", '{"a":[1]}', 'found {"a":[1]}, expected a number (FP32)'],
    ["BOOL", "1", "found 1, expected true or false (BOOL)"],
    ["BOOL", '"true"', 'found "true", expected true or false (BOOL)'],
    ["BOOL", "null", "found null, expected true or false (BOOL)"],
    ["BYTES", "1", "found 1, expected a string (BYTES)"],
    ["BYTES", "null", "found null, expected a string (BYTES)"],
    ["FP16", "1", "found 1, expected binary data: this type has no JSON form (FP16)"],
    ["BF16", "1", "found 1, expected binary data: this type has no JSON form (BF16)"],
  ] as const)("readJsonArray() refuses %s %s as of the wrong type", (datatype, text, message) => {
    expect(problemOf(`[${text}]`, datatype)).toEqual({
      location: ["body", "data", 0],
      message,
      type: "type",
    });
  });

  test.each(["INT8", "INT32", "INT64", "UINT64"] as const)(
    "readJsonArray() takes 1.0 and 1e1 in %s when they are whole",
    (datatype) => {
      const { data, problems } = read("[1.0,1e1]", datatype);
      expect(problems).toEqual([]);
      expect(Array.from<unknown, number>(data, Number)).toEqual([1, 10]);
    },
  );

  test("readJsonArray() says where each wrong element is when data is nested, and reads on", () => {
    const { problems, shape } = read('[[1,2,"x"],[4,null,6],[7,8,9]]', "FP32");
    expect(problems.map((problem) => problem.location)).toEqual([
      ["body", "data", 0, 2],
      ["body", "data", 1, 1],
    ]);
    expect(shape).toEqual([3, 3]);
  });

  test("readJsonArray() says where when a wrong element stands behind a run of good ones", () => {
    const { problems } = read("[[1,2,3,4],[5,6,7,300]]", "UINT8");
    expect(problems.map((problem) => problem.location)).toEqual([["body", "data", 1, 3]]);
  });

  test("readJsonArray() lists at most PROBLEMS_MAX problems when everything is wrong", () => {
    for (const datatype of ["BYTES", "FP16", "BOOL", "INT64"] as const) {
      expect(read(`[${"0.5,".repeat(999)}0.5]`, datatype).problems).toHaveLength(PROBLEMS_MAX);
    }
  });

  test("readJsonArray() shortens what it found when that is long", () => {
    const { message } = problemOf(`["${"x".repeat(1000)}"]`, "FP32");
    expect(message).toBe(`found "${"x".repeat(39)}…, expected a number (FP32)`);
  });

  test("readJsonArray() throws INVALID_JSON when the text is not JSON", () => {
    expect(errorOf(() => read("[1,]", "FP32")).code).toBe("INVALID_JSON");
    expect(errorOf(() => read("[1,2", "FP32")).code).toBe("INVALID_JSON");
    expect(errorOf(() => read("[01]", "FP32")).code).toBe("INVALID_JSON");
    expect(errorOf(() => read("[1.e1]", "INT8")).code).toBe("INVALID_JSON");
  });
});

test("readJsonScalar() reads one value and reports a wrong one at its own place", () => {
  const problems: Problem[] = [];
  const reader = new JsonReader(new TextEncoder().encode("5 null"));
  expect(readJsonScalar(reader, "INT64", LOCATION, problems)).toEqual(BigInt64Array.of(5n));
  readJsonScalar(reader, "INT64", LOCATION, problems);
  expect(problems).toEqual([
    { location: LOCATION, message: "found null, expected a whole number (INT64)", type: "type" },
  ]);
});

test("readJsonArray() refuses half of a surrogate pair in BYTES", () => {
  const problems: Problem[] = [];
  const bytes = new TextEncoder().encode(String.raw`["a", "\ud800"]`);
  readJsonArray(new JsonReader(bytes), "BYTES", ["body"], problems);
  expect(problems).toEqual([
    { location: ["body", 1], message: expect.stringContaining("surrogate"), type: "type" },
  ]);
});
