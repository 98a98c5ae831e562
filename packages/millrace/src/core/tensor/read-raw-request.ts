import { MillraceError } from "../errors.ts";
import { DATATYPES } from "./datatype.ts";
import { readRaw, readText } from "./raw-tensor.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

/**
 * Reads a raw binary request: the whole body is the only input of the model, one row of it. An extent that may
 * vary follows from the number of bytes; of BYTES the body is the one element, without a length.
 *
 * @param body becomes the tensor where it is aligned, so it must not change afterwards.
 * @throws INVALID_BODY when the model does not allow this form, INVALID_TENSOR when the bytes do not fit it.
 */
export function readRawRequest(body: Uint8Array, specs: readonly TensorSpec[]): Tensor {
  const [spec, second] = specs;
  if (spec === undefined || second !== undefined) {
    throw refuse(`the model has ${specs.length} inputs, a raw body takes exactly one`);
  }
  const { name, datatype } = spec;
  // The batch is one row; a vector without a batch may have any length.
  const isOneRow = spec.shape[0] === -1 && spec.shape.length > 1;
  const extents = isOneRow ? [1, ...spec.shape.slice(1)] : spec.shape;
  const variableCount = extents.filter((extent) => extent === -1).length;
  if (variableCount > 1) {
    const shape = `[${spec.shape.join(", ")}]`;
    throw refuse(`the input "${name}" is ${shape}, a raw body takes one extent that may vary`);
  }
  const fixedCount = extents.reduce(
    (product, extent) => (extent === -1 ? product : product * extent),
    1,
  );
  if (datatype === "BYTES") {
    if (fixedCount !== 1) {
      throw refuse(`the input "${name}" has ${fixedCount} elements, a raw body of BYTES is one`);
    }
    return { name, datatype, shape: extents.map(() => 1), data: [readText(body, ["body"])] };
  }
  const rowBytes = fixedCount * DATATYPES[datatype].bytes;
  const variable = variableCount === 0 || rowBytes === 0 ? 1 : Math.floor(body.length / rowBytes);
  if (spec.shape[0] === -1 && !isOneRow && variable === 0) {
    throw refuse(`the body has ${body.length} bytes, one row takes ${rowBytes}`);
  }
  const shape = extents.map((extent) => (extent === -1 ? variable : extent));
  return { name, datatype, shape, data: readRaw(body, datatype, fixedCount * variable, ["body"]) };
}

function refuse(message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read a raw body: ${message}`, {
    problems: [{ location: ["body"], message, type: "raw" }],
  });
}
