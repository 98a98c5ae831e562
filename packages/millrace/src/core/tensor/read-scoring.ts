import { MillraceError } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { JsonReader } from "../json-reader.ts";
import { frameToTensors, type Frame } from "./frame.ts";
import { packRows } from "./pack-rows.ts";
import { readRowsAt } from "./read-rows.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

export type ScoringMember = "instances" | "inputs" | "dataframe_split" | "dataframe_records";
type ColumnNames = (input: string) => readonly string[] | undefined;
type JsonObject = { readonly [key: string]: JsonValue };

/**
 * Reads the bodies other servers' clients send: `{"instances": …}` of TensorFlow Serving and KServe V1, and
 * MLflow's `dataframe_split`, `dataframe_records`, `instances` and `inputs`.
 *
 * @param members the forms this route takes; exactly one of them must be there.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR.
 */
export function readScoring(
  body: Uint8Array,
  specs: readonly TensorSpec[],
  members: readonly ScoringMember[],
  columnNames: ColumnNames,
): Tensor[] {
  const { member, start, end } = findMember(body, members);
  const value = body.subarray(start, end);
  if (member === "dataframe_split" || member === "dataframe_records") {
    const table = new JsonReader(value).readValue();
    const frame = member === "dataframe_split" ? splitFrame(table) : recordsFrame(table, member);
    return frameToTensors(frame, specs, columnNames);
  }
  if (isListOfObjects(value)) {
    const records = new JsonReader(value).readValue() as readonly JsonValue[];
    if (isByInput(records[0], specs)) {
      return packRows(byInput(records, specs, member), specs, ["body", member]);
    }
    return frameToTensors(recordsFrame(records, member), specs, columnNames);
  }
  if (specs.length === 1 || new JsonReader(value).peek() === "object") {
    return readRowsAt(value, specs, ["body", member]);
  }
  throw bad([member], `the model has ${specs.length} inputs, expected a list of {name: value}`);
}

/** Finds the one member that carries the data, without reading it. */
function findMember(
  body: Uint8Array,
  members: readonly ScoringMember[],
): { member: ScoringMember; start: number; end: number } {
  const reader = new JsonReader(body);
  const expected = members.map((member) => `"${member}"`).join(", ");
  if (body.length === 0 || reader.peek() !== "object") {
    throw bad([], `expected an object with ${expected}`);
  }
  let found: { member: ScoringMember; start: number; end: number } | undefined;
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    const member = members.find((candidate) => candidate === key);
    const start = reader.offset;
    reader.skipValue();
    // Clients add members of their own (signature_name, params); only the data decides.
    if (member === undefined) continue;
    if (found !== undefined) throw bad([member], `found it beside "${found.member}"`);
    found = { member, start, end: reader.offset };
  }
  reader.end();
  if (found === undefined) throw bad([], `expected one of ${expected}`);
  return found;
}

function isListOfObjects(value: Uint8Array): boolean {
  const reader = new JsonReader(value);
  if (reader.peek() !== "array") return false;
  reader.enterArray();
  return reader.nextElement(true) && reader.peek() === "object";
}

/** Does a record name the model's inputs, with the tensor of one row for each? */
function isByInput(record: JsonValue | undefined, specs: readonly TensorSpec[]): boolean {
  return isObject(record) && specs.every((spec) => Object.hasOwn(record, spec.name));
}

/** `[{a: row, b: row}, …]` → `{a: rows, b: rows}`; a bare value stands for a row of one. */
function byInput(
  records: readonly JsonValue[],
  specs: readonly TensorSpec[],
  member: ScoringMember,
): JsonObject {
  const rowOf = (record: JsonValue, i: number, { name, shape }: TensorSpec): JsonValue => {
    const row = isObject(record) ? record[name] : undefined;
    if (row === undefined) throw bad([member, i, name], "missing");
    return shape.length === 2 && !isList(row) ? [row] : row;
  };
  return Object.fromEntries(
    specs.map((spec) => [spec.name, records.map((record, i) => rowOf(record, i, spec))]),
  );
}

/** `{"columns": […], "data": [[…], …]}`; `index` and other members are ignored. */
function splitFrame(table: JsonValue): Frame {
  const { columns, data } = isObject(table) ? table : {};
  if (!isList(columns) || !isList(data)) {
    throw bad(["dataframe_split"], 'expected {"columns": [names], "data": [rows]}');
  }
  return {
    columns: columns.map((name, i) => {
      if (typeof name === "string" || typeof name === "number") return String(name);
      throw bad(["dataframe_split", "columns", i], "expected the name of a column");
    }),
    rows: data.map((row, i) => {
      if (isList(row)) return row;
      throw bad(["dataframe_split", "data", i], "expected a list of values");
    }),
    locate: (row, column) => ["body", "dataframe_split", "data", row, column],
  };
}

/** `[{"name": value, …}, …]`: the first record names the columns. */
function recordsFrame(table: JsonValue, member: string): Frame {
  if (!isList(table)) throw bad([member], "expected a list of {name: value}");
  const [first = {}] = table;
  const columns = isObject(first) ? Object.keys(first) : [];
  return {
    columns,
    rows: table.map((record, i) => {
      if (!isObject(record)) throw bad([member, i], "expected {name: value}");
      const keys = Object.keys(record);
      if (keys.length !== columns.length) {
        throw bad([member, i], `found ${keys.length} members, expected ${columns.length}`);
      }
      return columns.map((column) => {
        const value = record[column];
        if (value === undefined) throw bad([member, i, column], "missing");
        return value;
      });
    }),
    locate: (row, column) => ["body", member, row, columns[column] ?? column],
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function bad(path: readonly (string | number)[], message: string): MillraceError {
  const location = ["body", ...path];
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "body" }],
  });
}
