import type { Problem } from "../../core/errors.ts";
import { typeText } from "../../core/graph/spec-text.ts";
import type { JsonValue } from "../../core/json.ts";
import { isStorageOf, type TensorData } from "../../core/tensor/datatype.ts";
import { extentsOf, flattenInto, indexesOf } from "../../core/tensor/nested-array.ts";
import { packValues } from "../../core/tensor/pack-values.ts";
import {
  elementCountOf,
  fitsShape,
  type Tensor,
  type TensorSpec,
} from "../../core/tensor/tensor.ts";
import { wrongOutput } from "./call-problem.ts";

/**
 * Makes tensors of what a function returned: for each output `{ shape, data }` or nested arrays.
 * @returns one tensor per output, in their order. Data that was given as typed arrays is not copied.
 * @throws CallProblem with the first thing that is not as declared.
 */
export function packOutputs(returned: unknown, outputs: readonly TensorSpec[]): Tensor[] {
  const names = outputs.map(({ name }) => `"${name}"`).join(", ");
  if (typeof returned !== "object" || returned === null || Array.isArray(returned)) {
    const noun = returned === undefined || returned === null ? "nothing" : "no object";
    throw wrongOutput(`gave ${noun}, expected an object with ${names}`);
  }
  const byName = returned as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(byName)) {
    if (outputs.some((output) => output.name === name)) continue;
    throw wrongOutput(`gave unknown output "${name}", expected ${names}`);
  }
  return outputs.map((spec) => packOutput(byName[spec.name], spec));
}

/** @throws CallProblem when the value is not as `spec` says. */
export function packOutput(value: unknown, spec: TensorSpec): Tensor {
  if (value === undefined || value === null) {
    throw wrongOutput(`gave no output "${spec.name}", expected ${typeText(spec)}`);
  }
  if (Array.isArray(value)) return packNested(value as JsonValue[], spec);
  if (typeof value === "object" && "shape" in value && "data" in value) {
    return packShaped(value.shape, value.data, spec);
  }
  throw wrongOutput(
    `gave output "${spec.name}" as ${nounOf(value)}, expected { shape, data } or nested arrays for ${typeText(spec)}`,
  );
}

function packNested(value: readonly JsonValue[], spec: TensorSpec): Tensor {
  const shape = extentsOf(value);
  const flat: JsonValue[] = [];
  if (!flattenInto(flat, value, shape)) {
    throw wrongOutput(
      `gave output "${spec.name}" with rows of different lengths, expected ${typeText(spec)}`,
    );
  }
  checkShape(shape, spec);
  return { ...spec, shape, data: packElements(flat, shape, spec) };
}

function packShaped(shape: unknown, data: unknown, spec: TensorSpec): Tensor {
  const count = Array.isArray(shape) ? elementCountOf(shape as number[]) : undefined;
  if (count === undefined) {
    throw wrongOutput(`gave output "${spec.name}" with no shape, expected ${typeText(spec)}`);
  }
  const extents = [...(shape as number[])];
  checkShape(extents, spec);
  const isArray = Array.isArray(data);
  if (!isArray && !isStorageOf(spec.datatype, data as TensorData)) {
    throw wrongOutput(
      `gave output "${spec.name}" with data in ${nounOf(data)}, expected that of ${typeText(spec)}`,
    );
  }
  const { length } = data as TensorData;
  if (length !== count) {
    throw wrongOutput(
      `gave output "${spec.name}" with ${length} elements, expected ${count} for shape [${extents.join(", ")}]`,
    );
  }
  const packed = isArray ? packElements(data as JsonValue[], extents, spec) : (data as TensorData);
  return { ...spec, shape: extents, data: packed };
}

function checkShape(shape: readonly number[], spec: TensorSpec): void {
  if (fitsShape(shape, spec.shape)) return;
  throw wrongOutput(
    `gave output "${spec.name}" with shape [${shape.join(", ")}], expected ${typeText(spec)}`,
  );
}

function packElements(
  flat: readonly JsonValue[],
  shape: readonly number[],
  { name, datatype }: TensorSpec,
): TensorData {
  const problems: Problem[] = [];
  const data = packValues(flat, datatype, (index) => indexesOf(index, shape), problems);
  const [problem] = problems;
  if (problem === undefined) return data;
  const { message, location } = problem;
  throw wrongOutput(`gave output "${name}" that is wrong at [${location.join(", ")}]: ${message}`);
}

function nounOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  return value.constructor?.name ?? "an object";
}
