import { PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { Datatype, TensorData } from "./datatype.ts";
import { readRaw } from "./raw-tensor.ts";
import { invalidTensors, namesOf } from "./read-rows.ts";
import { elementCountOf, fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/** One input of a request as the client wrote it; what is missing is undefined. */
export interface InputEntry {
  /** Of the input in the request. */
  readonly location: readonly (string | number)[];
  name?: string;
  shape?: readonly number[];
  datatype?: Datatype;
  /** Elements, where they came one by one; else `raw` is there. */
  data?: TensorData;
  /** Bytes in raw form; they are read once datatype and shape are known to fit. */
  raw?: Uint8Array;
}

/**
 * Checks the inputs of a request against those of the model.
 * @param problems what was found wrong so far.
 * @returns one tensor per spec, in that order.
 * @throws INVALID_BODY, INVALID_TENSOR with every problem; of raw bytes with the first.
 */
export function matchInputs(
  entries: readonly InputEntry[],
  specs: readonly TensorSpec[],
  problems: Problem[],
): Tensor[] {
  const add: AddProblem = (location, message, type) => {
    if (problems.length < PROBLEMS_MAX) problems.push({ location, message, type });
  };
  checkNames(entries, specs, add);
  const tensors: Tensor[] = [];
  for (const spec of specs) {
    const entry = entries.find((candidate) => candidate.name === spec.name);
    if (entry === undefined) {
      add(["body", "inputs"], `the input "${spec.name}" is missing`, "missing");
      continue;
    }
    const tensor = matchInput(entry, spec, add);
    if (tensor !== undefined) tensors.push(tensor);
  }
  if (problems.length === 0) checkRowCounts(tensors, specs, add);
  if (problems.length > 0) throw invalidTensors(problems);
  return tensors;
}

type AddProblem = (location: Problem["location"], message: string, type: string) => void;

function checkNames(
  entries: readonly InputEntry[],
  specs: readonly TensorSpec[],
  add: AddProblem,
): void {
  const seen = new Set<string>();
  for (const { name, location } of entries) {
    if (name === undefined) {
      add([...location, "name"], `missing, expected one of ${namesOf(specs)}`, "missing");
    } else if (seen.has(name)) {
      add([...location, "name"], `the input "${name}" stands twice`, "duplicate");
    } else if (!specs.some((spec) => spec.name === name)) {
      const message = `unknown input "${name}", expected ${namesOf(specs)}`;
      add([...location, "name"], message, "unknown");
    } else seen.add(name);
  }
}

function matchInput(entry: InputEntry, spec: TensorSpec, add: AddProblem): Tensor | undefined {
  const { location, shape, datatype, raw } = entry;
  const refuse = (member: string, message: string, type: string): undefined => {
    add([...location, member], message, type);
  };
  if (shape === undefined) return refuse("shape", `missing, expected ${extents(spec)}`, "missing");
  if (datatype === undefined) {
    return refuse("datatype", `missing, expected ${spec.datatype}`, "missing");
  }
  if (entry.data === undefined && raw === undefined) {
    return refuse("data", "missing, expected an array", "missing");
  }
  if (datatype !== spec.datatype) {
    return refuse("datatype", `found ${datatype}, expected ${spec.datatype}`, "datatype");
  }
  if (!fitsShape(shape, spec.shape)) {
    const message = `found ${extents({ shape })}, expected ${extents(spec)} (-1 takes any extent)`;
    return refuse("shape", message, "shape");
  }
  if (spec.shape[0] === -1 && shape[0] === 0) {
    return refuse("shape", "found no rows, expected at least one", "shape");
  }
  const count = elementCountOf(shape);
  if (count === undefined)
    return refuse("shape", "the product of its extents is too large", "shape");
  const data = entry.data ?? readRaw(raw as Uint8Array, datatype, count, [...location, "data"]);
  if (data.length !== count) {
    return refuse("data", `found ${data.length} elements, shape asks for ${count}`, "shape");
  }
  return { name: spec.name, datatype, shape, data };
}

function extents({ shape }: { readonly shape: readonly number[] }): string {
  return `[${shape.join(", ")}]`;
}

function checkRowCounts(
  tensors: readonly Tensor[],
  specs: readonly TensorSpec[],
  add: AddProblem,
): void {
  const first = tensors.find((_tensor, i) => specs[i]?.shape[0] === -1);
  if (first === undefined) return;
  for (const [i, other] of tensors.entries()) {
    if (specs[i]?.shape[0] !== -1 || other.shape[0] === first.shape[0]) continue;
    const message = `"${other.name}" has ${other.shape[0] ?? 0} rows, "${first.name}" has ${first.shape[0] ?? 0}`;
    add(["body", "inputs"], message, "shape");
  }
}
