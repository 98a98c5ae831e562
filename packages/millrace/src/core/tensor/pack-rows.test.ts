import { describe, expect, test } from "vitest";
import { MillraceError, PROBLEMS_MAX } from "../errors.ts";
import type { Datatype, TensorData } from "./datatype.ts";
import { packRows, type Rows } from "./pack-rows.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";
import { unpack, unpackRow } from "./unpack.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
const Y: TensorSpec = { name: "y", datatype: "INT64", shape: [-1] };

function errorOf(rows: Rows, specs: readonly TensorSpec[]): MillraceError {
  try {
    packRows(rows, specs);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test.each<[Datatype, number[], number[], TensorData]>([
  ["FP32", [-1, 2], [2, 2], Float32Array.of(0.5, NaN, -0, 4)],
  ["FP64", [-1], [3], Float64Array.of(0.1, NaN, 5e-324)],
  ["INT64", [-1, 1, 2], [1, 1, 2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
  ["UINT64", [2], [2], BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ["BOOL", [-1], [2], Uint8Array.of(1, 0)],
  ["BYTES", [-1, 1], [2, 1], ["a", ""]],
  ["INT8", [], [], Int8Array.of(5)],
  ["INT8", [-1, -1], [2, 0], new Int8Array(0)],
])(
  "packRows() gives back what unpack() made of %s, spec %j",
  (datatype, specShape, shape, data) => {
    const spec: TensorSpec = { name: "x", datatype, shape: specShape };
    const tensor: Tensor = { name: "x", datatype, shape, data };
    expect(packRows(unpack(tensor), [spec])).toEqual([tensor]);
  },
);

test("unpackRow() gives the part at one index of the first axis", () => {
  const tensor: Tensor = {
    name: "x",
    datatype: "INT8",
    shape: [2, 2],
    data: Int8Array.of(1, 2, 3, 4),
  };
  expect(unpackRow(tensor, 1)).toEqual([3, 4]);
  expect(unpackRow({ ...tensor, shape: [4] }, 1)).toBe(2);
});

describe("packRows()", () => {
  test("packRows() takes a bare value as one row where a row is one value", () => {
    const id: TensorSpec = { name: "id", datatype: "BYTES", shape: [-1] };
    expect(packRows({ id: "0000" }, [id])).toEqual([{ ...id, shape: [1], data: ["0000"] }]);
    expect(packRows(7, [Y])[0]).toMatchObject({ shape: [1], data: BigInt64Array.of(7n) });
    expect(errorOf({ x: 7 }, [X]).problems[0]?.message).toContain("found shape []");
  });

  test("packRows() takes inputs by name when the model has several", () => {
    const tensors = packRows({ y: [1n], x: [[1, 2]] }, [X, Y]);
    expect(tensors.map((tensor) => tensor.name)).toEqual(["x", "y"]);
  });

  test.each<[string, Rows, readonly TensorSpec[], string[]]>([
    [
      "one row without its brackets",
      [1, 2],
      [X],
      ["rows: found shape [2], expected [-1, 2] (FP32), with at least one row"],
    ],
    ["no rows", [], [X], ["rows: found shape [0], expected [-1, 2] (FP32), with at least one row"]],
    [
      "rows of different lengths",
      [[1, 2], [3]],
      [X],
      ["rows: found rows of different lengths, expected [-1, 2] (FP32), with at least one row"],
    ],
    [
      "a value beside rows",
      [[1, 2], 3],
      [X],
      ["rows: found rows of different lengths, expected [-1, 2] (FP32), with at least one row"],
    ],
    [
      "rows deeper than the first",
      [
        [1, 2],
        [3, [4]],
      ],
      [X],
      ["rows: found rows of different lengths, expected [-1, 2] (FP32), with at least one row"],
    ],
    [
      "a wrong value",
      [
        [1, 2],
        [3, "4"],
      ],
      [X],
      ['rows.1.1: found "4", expected FP32'],
    ],
    ["an unknown input", { x: [[1, 2]], z: [1] }, [X], ['rows.z: unknown input, expected "x"']],
    ["a missing input", { x: [[1, 2]] }, [X, Y], ["rows.y: missing"]],
    ["a bare array for two inputs", [[1, 2]], [X, Y], ["rows.x: missing", "rows.y: missing"]],
    [
      "different numbers of rows",
      { x: [[1, 2]], y: [1, 2] },
      [X, Y],
      ["rows: inputs have different numbers of rows: 1, 2"],
    ],
    [
      "a wrong shape, without a word on row counts",
      { x: [[1]], y: [1, 2] },
      [X, Y],
      ["rows.x: found shape [1, 1], expected [-1, 2] (FP32), with at least one row"],
    ],
  ])("packRows() refuses %s", (_name, rows, specs, expected) => {
    const { problems } = errorOf(rows, specs);
    expect(problems.map(({ location, message }) => `${location.join(".")}: ${message}`)).toEqual(
      expected,
    );
  });

  test("packRows() lists at most PROBLEMS_MAX problems when everything is wrong", () => {
    const rows = Array.from({ length: 100 }, () => ["a", "b"]);
    expect(errorOf(rows, [X]).problems).toHaveLength(PROBLEMS_MAX);
  });
});
