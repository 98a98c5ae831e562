import { expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { frameToTensors, type Frame } from "./frame.ts";
import type { TensorSpec } from "./tensor.ts";

const MATRIX: TensorSpec = { name: "input", datatype: "FP32", shape: [-1, 2] };
const A: TensorSpec = { name: "a", datatype: "FP32", shape: [-1, 1] };
const B: TensorSpec = { name: "b", datatype: "BYTES", shape: [-1] };

function frameOf(columns: string[], rows: Frame["rows"]): Frame {
  return { columns, rows, locate: (row, column) => ["row", row, "column", column] };
}

const unnamed = (): undefined => undefined;

test("frameToTensors() fills a matrix in the table's order when the file names no columns", () => {
  const frame = frameOf(
    ["p", "q"],
    [
      [1, 2],
      [3, 4],
    ],
  );
  expect(frameToTensors(frame, [MATRIX], unnamed)).toEqual([
    { ...MATRIX, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  ]);
});

test("frameToTensors() fills a matrix by name when the table has the file's names among others", () => {
  const frame = frameOf(["q", "other", "p"], [[2, "x", 1]]);
  expect(frameToTensors(frame, [MATRIX], () => ["p", "q"])[0]?.data).toEqual(Float32Array.of(1, 2));
});

test("frameToTensors() gives each input its column when the model has several", () => {
  const tensors = frameToTensors(
    frameOf(
      ["b", "a"],
      [
        ["x", 1],
        ["y", null],
      ],
    ),
    [A, B],
    unnamed,
  );
  expect(tensors).toEqual([
    { ...A, shape: [2, 1], data: Float32Array.of(1, NaN) },
    { ...B, shape: [2], data: ["x", "y"] },
  ]);
});

test("frameToTensors() takes any number of columns when the width may vary", () => {
  const spec: TensorSpec = { ...MATRIX, shape: [-1, -1] };
  expect(frameToTensors(frameOf(["p"], [[1]]), [spec], unnamed)[0]?.shape).toEqual([1, 1]);
});

test.each<[string, Frame, TensorSpec[], string]>([
  [
    "no rows",
    frameOf(["p", "q"], []),
    [MATRIX],
    "Cannot read body: found no rows, expected at least one",
  ],
  [
    "a row of another length",
    frameOf(["p", "q"], [[1, 2], [3]]),
    [MATRIX],
    "Cannot read row.1.column.1: found 1 values, expected 2, one a column",
  ],
  [
    "too many columns",
    frameOf(["p", "q", "r"], [[1, 2, 3]]),
    [MATRIX],
    'Cannot read body: found 3 columns, input "input" takes 2',
  ],
  [
    "a missing column",
    frameOf(["a"], [[1]]),
    [A, B],
    'Cannot read body: input "b" is missing, expected "b" among the columns',
  ],
  [
    "an input that is no table",
    frameOf(["a"], [[1]]),
    [{ ...A, shape: [-1, 1, 1] }],
    'Cannot read body: input "a" has shape [-1, 1, 1], a table fills only [-1] and [-1, width]',
  ],
  [
    "an input without rows",
    frameOf(["a"], [[1]]),
    [{ ...A, shape: [1, 1] }],
    'Cannot read body: input "a" has shape [1, 1], a table fills only [-1] and [-1, width]',
  ],
  [
    "a wrong value",
    frameOf(
      ["p", "q"],
      [
        [1, 2],
        [3, "x"],
      ],
    ),
    [MATRIX],
    'Cannot read row.1.column.1: found "x", expected FP32',
  ],
])("frameToTensors() refuses %s", (_name, frame, specs, message) => {
  expect(() => frameToTensors(frame, specs, unnamed)).toThrow(message);
});

test("frameToTensors() points at the table's own column when columns are taken by name", () => {
  try {
    frameToTensors(frameOf(["q", "p"], [["x", 1]]), [MATRIX], () => ["p", "q"]);
    expect.fail("nothing was thrown");
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    expect(error.problems[0]?.location).toEqual(["row", 0, "column", 0]);
  }
});
