import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { packValues } from "./pack-values.ts";
import { invalidTensors } from "./read-rows.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

type Location = Problem["location"];

/** A table as data frames are sent: named columns and rows of values. */
export interface Frame {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly JsonValue[])[];
  /** Path of one value in the request. */
  readonly locate: (row: number, column: number) => Location;
}

/**
 * Turns a table into the tensors of a model.
 *
 * An input `[batch]` or `[batch, width]` takes the columns that the file names for it, else the column of its
 * own name; the only input of a model takes all columns, in the table's order, when the file names none.
 *
 * @param columnNames names of a matrix input's columns, by input name, as the file has them.
 * @throws INVALID_BODY for missing or extra columns, INVALID_TENSOR for wrong values.
 */
export function frameToTensors(
  frame: Frame,
  specs: readonly TensorSpec[],
  columnNames: (input: string) => readonly string[] | undefined,
): Tensor[] {
  if (frame.rows.length === 0) throw badFrame([], "found no rows, expected at least one");
  frame.rows.forEach((row, i) => {
    if (row.length === frame.columns.length) return;
    const message = `found ${row.length} values, expected ${frame.columns.length}, one a column`;
    throw badFrame(frame.locate(i, row.length), message);
  });
  const problems: Problem[] = [];
  const tensors = specs.map((spec) => {
    const columns = columnsOf(frame, specs, spec, columnNames(spec.name));
    const values = frame.rows.flatMap((row) => columns.map((column) => row[column] as JsonValue));
    const locate = (i: number): Location =>
      frame.locate(Math.floor(i / columns.length), columns[i % columns.length] as number);
    const data = packValues(values, spec.datatype, locate, problems);
    const shape =
      spec.shape.length === 1 ? [frame.rows.length] : [frame.rows.length, columns.length];
    return { name: spec.name, datatype: spec.datatype, shape, data };
  });
  if (problems.length > 0) throw invalidTensors(problems.slice(0, PROBLEMS_MAX));
  return tensors;
}

/** Positions of the table's columns that make up one input. */
function columnsOf(
  frame: Frame,
  specs: readonly TensorSpec[],
  spec: TensorSpec,
  names: readonly string[] | undefined,
): number[] {
  const [rows, width = 1] = spec.shape;
  if (rows !== -1 || spec.shape.length > 2) {
    const message = `input "${spec.name}" has shape [${spec.shape.join(", ")}], a table fills only [-1] and [-1, width]`;
    throw badFrame([], message);
  }
  const named = (names ?? [spec.name]).map((name) => frame.columns.indexOf(name));
  const isNamed = named.every((column) => column >= 0);
  if (!isNamed && (specs.length > 1 || names !== undefined)) {
    const expected = (names ?? [spec.name]).map((name) => `"${name}"`).join(", ");
    throw badFrame([], `input "${spec.name}" is missing, expected ${expected} among the columns`);
  }
  const columns = isNamed ? named : [...frame.columns.keys()];
  if (width !== -1 && columns.length !== width) {
    throw badFrame([], `found ${columns.length} columns, input "${spec.name}" takes ${width}`);
  }
  return columns;
}

function badFrame(location: Location, message: string): MillraceError {
  const where = location.length === 0 ? ["body"] : location;
  return new MillraceError("INVALID_BODY", `Cannot read ${where.join(".")}: ${message}`, {
    problems: [{ location: where, message, type: "shape" }],
  });
}
