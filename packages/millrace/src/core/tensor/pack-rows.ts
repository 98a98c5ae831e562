import { PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { extentsOf, flattenInto, indexesOf } from "./nested-array.ts";
import { packValues } from "./pack-values.ts";
import { invalidTensors } from "./read-rows.ts";
import { fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/** Rows as a caller in the same process has them: nested arrays of numbers, text, booleans, bigint. */
export type Rows = JsonValue;

/**
 * Packs nested arrays into the tensors of a model: an array for a model of one input, or input name → array. Where a
 * row is one value, a bare value is one row.
 * @throws INVALID_BODY for missing and unknown inputs, INVALID_TENSOR for wrong shapes and values.
 */
export function packRows(
  rows: Rows,
  specs: readonly TensorSpec[],
  location: readonly (string | number)[] = ["rows"],
): Tensor[] {
  const problems: Problem[] = [];
  const byName = inputsByName(rows, specs, location, problems);
  const tensors = specs.map((spec) => {
    const at = specs.length === 1 && !byName.isNamed ? location : [...location, spec.name];
    const value = byName.values.get(spec.name);
    if (value === undefined) {
      problems.push({ location: at, message: "missing", type: "missing" });
      return { ...spec, data: [] };
    }
    return packTensor(value, spec, at, problems);
  });
  const counts = new Set(
    tensors.filter((_tensor, i) => specs[i]?.shape[0] === -1).map((tensor) => tensor.shape[0]),
  );
  if (problems.length === 0 && counts.size > 1) {
    const message = `inputs have different numbers of rows: ${[...counts].join(", ")}`;
    problems.push({ location, message, type: "shape" });
  }
  if (problems.length > 0) throw invalidTensors(problems.slice(0, PROBLEMS_MAX));
  return tensors;
}

function inputsByName(
  rows: Rows,
  specs: readonly TensorSpec[],
  location: readonly (string | number)[],
  problems: Problem[],
): { values: Map<string, Rows>; isNamed: boolean } {
  if (typeof rows !== "object" || rows === null || Array.isArray(rows)) {
    const [only] = specs;
    const isSingle = specs.length === 1 && only !== undefined;
    return { values: new Map(isSingle ? [[only.name, rows]] : []), isNamed: !isSingle };
  }
  const values = new Map(Object.entries(rows));
  for (const name of values.keys()) {
    if (specs.some((spec) => spec.name === name)) continue;
    const known = specs.map((spec) => `"${spec.name}"`).join(", ");
    problems.push({
      location: [...location, name],
      message: `unknown input, expected ${known}`,
      type: "unknown",
    });
  }
  return { values, isNamed: true };
}

function packTensor(
  given: Rows,
  spec: TensorSpec,
  location: readonly (string | number)[],
  problems: Problem[],
): Tensor {
  // A bare value is one row where a row is one value: `{ id: "0000" }`.
  const isBare = !Array.isArray(given) && spec.shape.length === 1 && spec.shape[0] === -1;
  const value = isBare ? [given] : given;
  const shape = extentsOf(value);
  const flat: JsonValue[] = [];
  const isRectangular = flattenInto(flat, value, shape);
  const hasRows = spec.shape[0] !== -1 || shape[0] !== 0;
  if (!isRectangular || !fitsShape(shape, spec.shape) || !hasRows) {
    const found = isRectangular ? `shape [${shape.join(", ")}]` : "rows of different lengths";
    const message = `found ${found}, expected [${spec.shape.join(", ")}] (${spec.datatype}), with at least one row`;
    problems.push({ location, message, type: "shape" });
    return { ...spec, data: [] };
  }
  const locate = (index: number): Problem["location"] => [...location, ...indexesOf(index, shape)];
  return { ...spec, shape, data: packValues(flat, spec.datatype, locate, problems) };
}
