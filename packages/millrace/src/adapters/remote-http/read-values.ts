import { MillraceError, type Problem } from "../../core/errors.ts";
import type { JsonReader } from "../../core/json-reader.ts";
import { bodyError } from "../../core/tensor/body-error.ts";
import { readJsonArray, readJsonScalar } from "../../core/tensor/read-json-array.ts";
import { invalidTensors } from "../../core/tensor/read-rows.ts";
import { joinRows } from "../../core/tensor/rows.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { readTexts } from "./read-texts.ts";

type Location = readonly (string | number)[];

/**
 * Reads predictions as JSON APIs write them: the rows of the only output, `{"name": rows}` for each of several, or a
 * list with `{"name": row}` for each row. What nobody asked for is ignored.
 *
 * @returns one tensor per spec, in that order, with the shape it was found in.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR with every problem.
 */
export function readValues(
  reader: JsonReader,
  specs: readonly TensorSpec[],
  location: Location,
): Tensor[] {
  const problems: Problem[] = [];
  const tensors = readTensors({ reader, specs, problems }, location);
  if (problems.length > 0) throw invalidTensors(problems);
  return tensors;
}

interface Reading {
  readonly reader: JsonReader;
  readonly specs: readonly TensorSpec[];
  readonly problems: Problem[];
}

function readTensors(reading: Reading, location: Location): Tensor[] {
  const { reader, specs } = reading;
  const [only, second] = specs;
  if (reader.peek() === "array" && isListOfRecords(reading)) return readRecords(reading, location);
  const isSingle = only !== undefined && second === undefined;
  if (reader.peek() === "object" && !(isSingle && isBase64(reading))) {
    return readMembers(reading, location);
  }
  if (isSingle) return [readTensor(reading, only, location)];
  throw bodyError(location, `found ${reader.peek()}, expected one value per output`);
}

function isListOfRecords(reading: Reading): boolean {
  const { reader } = reading;
  const start = reader.offset;
  reader.enterArray();
  const isRecords = reader.nextElement(true) && reader.peek() === "object" && !isBase64(reading);
  reader.seek(start);
  return isRecords;
}

/** Is the object that stands next the base64 form of a text? */
function isBase64({ reader, specs }: Reading): boolean {
  if (specs.length !== 1 || specs[0]?.datatype !== "BYTES") return false;
  const start = reader.offset;
  reader.enterObject();
  const key = reader.nextKey(true);
  reader.seek(start);
  return key === "b64";
}

function readRecords(reading: Reading, location: Location): Tensor[] {
  const { reader, specs } = reading;
  const columns = specs.map((): Tensor[] => []);
  reader.enterArray();
  for (let row = 0; reader.nextElement(row === 0); row++) {
    if (reader.peek() !== "object") {
      throw bodyError([...location, row], `found ${reader.peek()}, expected an object`);
    }
    for (const [i, tensor] of readMembers(reading, [...location, row]).entries()) {
      columns[i]?.push({ ...tensor, shape: [1, ...tensor.shape] });
    }
  }
  return columns.map((rows) => stack(rows, location));
}

/** @param rows at least one. */
function stack(rows: readonly Tensor[], location: Location): Tensor {
  const [first] = rows as [Tensor];
  const odd = rows.findIndex(({ shape }) => shape.join() !== first.shape.join());
  if (odd === -1) return joinRows(rows);
  const message = "its shape differs from that of the first row";
  const where = [...location, odd, first.name];
  throw new MillraceError("INVALID_TENSOR", `Cannot read ${where.join(".")}: ${message}`, {
    problems: [{ location: where, message, type: "shape" }],
  });
}

function readMembers(reading: Reading, location: Location): Tensor[] {
  const { reader, specs } = reading;
  const found = new Map<string, Tensor>();
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    const spec = specs.find(({ name }) => name === key);
    if (spec === undefined) reader.skipValue();
    else if (found.has(key)) throw bodyError([...location, key], "stands twice", "duplicate");
    else found.set(key, readTensor(reading, spec, [...location, key]));
  }
  return specs.map(({ name }) => {
    const tensor = found.get(name);
    if (tensor === undefined) throw bodyError([...location, name], "missing", "missing");
    return tensor;
  });
}

function readTensor(
  { reader, problems }: Reading,
  { name, datatype }: TensorSpec,
  location: Location,
): Tensor {
  if (datatype === "BYTES") {
    return { name, datatype, ...readTexts(reader.readValue(), location) };
  }
  if (reader.peek() !== "array") {
    const data = readJsonScalar(reader, datatype, location, problems);
    return { name, datatype, shape: [], data };
  }
  return { name, datatype, ...readJsonArray(reader, datatype, location, problems) };
}
