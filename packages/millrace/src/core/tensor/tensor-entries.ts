import type { Problem } from "../errors.ts";
import type { JsonReader } from "../json-reader.ts";
import { bodyError, expectKind } from "./body-error.ts";
import { DATATYPES, isDatatype, type Datatype } from "./datatype.ts";
import { parametersOf, refuseSharedMemory, wholeParameter } from "./infer-parameters.ts";
import type { InputEntry } from "./match-inputs.ts";
import { RANK_MAX, readJsonArray } from "./read-json-array.ts";
import { elementCountOf } from "./tensor.ts";

type Location = readonly (string | number)[];

/** More tensors than any model has: a body of a million empty ones is refused early. */
const ENTRIES_MAX = 1_000;

/** One entry of `inputs` of a request, or of `outputs` of a reply, as it stands in the body. */
export interface TensorEntry extends InputEntry {
  /** Where `data` stands when it came before `datatype`. */
  dataOffset?: number;
  /** Bytes of this tensor behind the JSON. */
  binaryBytes?: number;
}

/**
 * Reads a list of tensors of the Open Inference Protocol; `finishEntries` reads what could not be read in passing.
 * @param location of the list. @param problems wrong elements are added here.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR; NOT_IMPLEMENTED for shared memory.
 */
export function readEntries(
  reader: JsonReader,
  location: Location,
  problems: Problem[],
): TensorEntry[] {
  const what = location.at(-1) ?? "tensors"; // inputs or outputs
  expectKind(reader, "array", location, `a list of ${what}`);
  const entries: TensorEntry[] = [];
  reader.enterArray();
  while (reader.nextElement(entries.length === 0)) {
    if (entries.length === ENTRIES_MAX) {
      throw bodyError(location, `found more than ${ENTRIES_MAX} ${what}`);
    }
    entries.push(readEntry(reader, [...location, entries.length], problems));
  }
  return entries;
}

/**
 * Reads the data that stood before its datatype, and hands out the bytes behind the JSON.
 * @param binary raw tensors of those entries that say so, in their order; undefined without the extension.
 * @throws as `readEntries`; INVALID_BODY when sizes and bytes do not go together.
 */
export function finishEntries(
  reader: JsonReader,
  entries: readonly TensorEntry[],
  binary: Uint8Array | undefined,
  problems: Problem[],
): void {
  for (const entry of entries) {
    if (entry.dataOffset === undefined || entry.datatype === undefined) continue;
    reader.seek(entry.dataOffset);
    readData(reader, entry, problems);
  }
  assignBinary(entries, binary);
}

function readEntry(
  reader: JsonReader,
  location: readonly (string | number)[],
  problems: Problem[],
): TensorEntry {
  const entry: TensorEntry = { location };
  expectKind(reader, "object", location, "an object with name, shape, datatype and data");
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) return entry;
    switch (key) {
      case "name":
        expectKind(reader, "string", [...location, key], "a string");
        entry.name = reader.readString();
        break;
      case "shape":
        entry.shape = readShape(reader, [...location, key]);
        break;
      case "datatype":
        entry.datatype = readDatatype(reader, [...location, key]);
        break;
      case "data":
        readData(reader, entry, problems);
        break;
      case "parameters":
        readParameters(reader, entry);
        break;
      default:
        reader.skipValue();
    }
  }
}

function readShape(reader: JsonReader, location: readonly (string | number)[]): number[] {
  expectKind(reader, "array", location, "a list of extents");
  const shape = reader.readValue() as number[]; // elementCountOf refuses what is no whole number
  if (shape.length > RANK_MAX) {
    throw bodyError(
      location,
      `found ${shape.length} extents, at most ${RANK_MAX} are taken`,
      "shape",
    );
  }
  if (elementCountOf(shape) !== undefined) return shape;
  throw bodyError(
    location,
    "expected whole numbers of at least 0, whose product is at most 2^53 - 1",
    "shape",
  );
}

function readDatatype(reader: JsonReader, location: readonly (string | number)[]): Datatype {
  expectKind(reader, "string", location, "a datatype");
  const datatype = reader.readString();
  if (isDatatype(datatype)) return datatype;
  const known = Object.keys(DATATYPES).join(", ");
  throw bodyError(
    location,
    `found ${JSON.stringify(datatype)}, expected one of ${known}`,
    "datatype",
  );
}

function readData(reader: JsonReader, entry: TensorEntry, problems: Problem[]): void {
  const location = [...entry.location, "data"];
  expectKind(reader, "array", location, "an array");
  if (entry.datatype === undefined) {
    entry.dataOffset = reader.offset;
    reader.skipValue();
    return;
  }
  entry.data = readJsonArray(reader, entry.datatype, location, problems).data;
}

function readParameters(reader: JsonReader, entry: TensorEntry): void {
  const location = [...entry.location, "parameters"];
  const parameters = parametersOf(reader.readValue(), location);
  refuseSharedMemory(parameters, location);
  const binaryBytes = wholeParameter(parameters, "binary_data_size", location);
  if (binaryBytes !== undefined) entry.binaryBytes = binaryBytes;
}

/** Gives each tensor that has no `data` but a size its part of the bytes behind the JSON. */
function assignBinary(entries: readonly TensorEntry[], binary: Uint8Array | undefined): void {
  let end = 0;
  for (const entry of entries) {
    const { binaryBytes, location } = entry;
    if (binaryBytes === undefined || entry.data !== undefined || entry.dataOffset !== undefined) {
      continue;
    }
    const path = [...location, "parameters", "binary_data_size"];
    if (binary === undefined) {
      throw bodyError(path, "the header inference-header-content-length is missing", "missing");
    }
    const left = binary.length - end;
    if (binaryBytes > left) {
      throw bodyError(path, `found ${binaryBytes}, ${left} bytes are left in the body`, "shape");
    }
    entry.raw = binary.subarray(end, end + binaryBytes);
    end += binaryBytes;
  }
  if (binary === undefined || end === binary.length) return;
  const what = entries[0]?.location.at(-2) ?? "tensors";
  const message = `found ${binary.length} bytes behind the JSON, its ${what} have ${end} (binary_data_size)`;
  throw bodyError(["body"], message, "shape");
}
