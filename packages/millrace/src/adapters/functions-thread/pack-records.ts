import type { JsonValue } from "../../core/json.ts";
import { typeText } from "../../core/graph/spec-text.ts";
import { allocate } from "../../core/tensor/datatype.ts";
import { fitsShape, type Tensor, type TensorSpec } from "../../core/tensor/tensor.ts";
import { joinRows } from "../../core/tensor/rows.ts";
import { CallProblem, wrongOutput } from "./call-problem.ts";
import { packOutput } from "./pack-outputs.ts";

type LoadedRecord = Readonly<Record<string, unknown>>;

/**
 * Makes tensors of the records that a load function returned: an array in the order of the keys, or a map by key. Their
 * rows are in the order of the keys.
 * @throws CallProblem `missing` with every row whose key has no record, else with the first thing that is not as declared.
 */
export function packRecords(
  returned: unknown,
  keys: readonly string[],
  outputs: readonly TensorSpec[],
): Tensor[] {
  const records = recordsOf(returned, keys);
  const rows = [...records.keys()].filter((row) => records[row] === undefined);
  if (rows.length > 0) throw new CallProblem({ kind: "missing", rows });
  return outputs.map((spec) => packColumn(records as readonly LoadedRecord[], spec));
}

function recordsOf(
  returned: unknown,
  keys: readonly string[],
): readonly (LoadedRecord | undefined)[] {
  if (returned instanceof Map) return keys.map((key) => recordOf(returned.get(key)));
  if (!Array.isArray(returned)) {
    throw wrongOutput("gave no list, expected one record per key in their order, or a Map by key");
  }
  if (returned.length !== keys.length) {
    throw wrongOutput(`gave ${returned.length} records for ${keys.length} keys, expected as many`);
  }
  return returned.map(recordOf);
}

function recordOf(record: unknown): LoadedRecord | undefined {
  if (record === undefined || record === null) return undefined;
  if (typeof record === "object" && !Array.isArray(record)) return record as LoadedRecord;
  throw wrongOutput(`gave a ${typeof record} for a key, expected a record with the outputs`);
}

/** The values of all records under one name. */
function packColumn(records: readonly LoadedRecord[], spec: TensorSpec): Tensor {
  const values = records.map((record, row) => {
    const value = record[spec.name];
    if (value !== undefined && value !== null) return value;
    throw wrongOutput(`gave no "${spec.name}" for row ${row}, expected ${typeText(spec)}`);
  });
  if (values.length === 0) return emptyTensor(spec);
  if (!values.some((value) => ArrayBuffer.isView(value))) return packOutput(values, spec);
  const rows = values.map((value) => packRow(value, spec));
  const [first] = rows as [Tensor];
  const other = rows.find((row) => !fitsShape(row.shape, first.shape));
  if (other === undefined) return joinRows(rows);
  const shapes = `[${first.shape.join(", ")}] and [${other.shape.join(", ")}]`;
  throw wrongOutput(`gave rows of "${spec.name}" with shapes ${shapes}, expected equal ones`);
}

/** A request of no rows has no keys. */
function emptyTensor(spec: TensorSpec): Tensor {
  const shape = [0, ...spec.shape.slice(1).map((extent) => Math.max(0, extent))];
  return { ...spec, shape, data: allocate(spec.datatype, 0) };
}

/** One row; a typed array has its elements one after the other, in the shape that is declared. */
function packRow(value: unknown, spec: TensorSpec): Tensor {
  if (!ArrayBuffer.isView(value)) return packOutput([value as JsonValue], spec);
  const { length } = value as Uint8Array;
  const known = spec.shape.slice(1).reduce((a, b) => (b === -1 ? a : a * b), 1);
  const shape = [
    1,
    ...spec.shape.slice(1).map((extent) => (extent === -1 ? length / known : extent)),
  ];
  return packOutput({ shape, data: value }, spec);
}
