import { PROBLEMS_MAX, type Problem } from "../errors.ts";
import { isStorageOf } from "./datatype.ts";
import { invalidTensors } from "./read-rows.ts";
import { elementCountOf, fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/**
 * Checks tensors that a caller in the same process made.
 * @returns them in the order of `specs`. @throws INVALID_BODY, INVALID_TENSOR with every problem.
 */
export function checkTensors(tensors: readonly Tensor[], specs: readonly TensorSpec[]): Tensor[] {
  const problems: Problem[] = [];
  const add = (name: string, message: string, type: string): void =>
    void problems.push({ location: ["inputs", name], message, type });
  tensors.forEach(({ name }, i) => {
    if (!specs.some((spec) => spec.name === name)) add(name, "unknown input", "unknown");
    else if (tensors.findIndex((other) => other.name === name) !== i) {
      add(name, "stands twice", "duplicate");
    }
  });
  const found: Tensor[] = [];
  for (const spec of specs) {
    const tensor = tensors.find((candidate) => candidate.name === spec.name);
    if (tensor === undefined) add(spec.name, "missing", "missing");
    else if (tensor.datatype !== spec.datatype) {
      add(spec.name, `found ${tensor.datatype}, expected ${spec.datatype}`, "datatype");
    } else if (!isStorageOf(tensor.datatype, tensor.data)) {
      add(
        spec.name,
        `found data in ${tensor.data.constructor.name}, not that of ${spec.datatype}`,
        "datatype",
      );
    } else if (!fitsShape(tensor.shape, spec.shape)) {
      const expected = `[${spec.shape.join(", ")}]`;
      add(spec.name, `found shape [${tensor.shape.join(", ")}], expected ${expected}`, "shape");
    } else if (tensor.data.length !== elementCountOf(tensor.shape)) {
      const message = `found ${tensor.data.length} elements, which is not the product of its shape`;
      add(spec.name, message, "shape");
    } else found.push(tensor);
  }
  const batched = found.filter(({ name }) =>
    specs.some((s) => s.name === name && s.shape[0] === -1),
  );
  for (const { name, shape } of batched) {
    const [expected] = batched[0]?.shape ?? [];
    if (shape[0] !== expected) {
      add(name, `found ${shape[0] ?? 0} rows, expected ${expected ?? 0}`, "shape");
    }
  }
  if (problems.length > 0) throw invalidTensors(problems.slice(0, PROBLEMS_MAX));
  return found;
}
