import { MillraceClientError } from "./client-error.ts";
import type { JsonInput } from "./json.ts";
import { elementCountOf, isIntegerOf, INTEGER_RANGES } from "./tensor.ts";
import type { Datatype, TensorInput } from "./tensor.ts";

// By tag, not instanceof: an array of another realm (iframe, test environment) is one too.
const DATATYPE_OF_TAG: Readonly<Record<string, Datatype>> = {
  Uint8Array: "UINT8",
  Uint8ClampedArray: "UINT8",
  Uint16Array: "UINT16",
  Uint32Array: "UINT32",
  BigUint64Array: "UINT64",
  Int8Array: "INT8",
  Int16Array: "INT16",
  Int32Array: "INT32",
  BigInt64Array: "INT64",
  Float32Array: "FP32",
  Float64Array: "FP64",
};

const DATATYPE_OF_ELEMENT: Readonly<Record<string, Datatype>> = {
  string: "BYTES",
  boolean: "BOOL",
  bigint: "INT64",
};

/**
 * Checks a tensor as the server would and gives its JSON members.
 * @param index its place among the request's inputs.
 * @throws INVALID_TENSOR with the location of the first element, or member, that is wrong.
 */
export function encodeTensor(input: TensorInput, index: number): JsonInput {
  const { name, shape, data } = input;
  const location = ["body", "inputs", index];
  const datatype = input.datatype ?? inferDatatype(data);
  if (datatype === undefined) {
    throw refusal(name, [...location, "datatype"], "missing", "give a datatype for plain numbers");
  }
  if (datatype === "FP16" || datatype === "BF16") {
    throw refusal(name, [...location, "datatype"], "type", `${datatype} has no JSON form`);
  }
  if (elementCountOf(shape) !== data.length) {
    const state = `shape [${shape.join(", ")}] does not hold ${data.length} elements`;
    throw refusal(name, [...location, "shape"], "shape", state);
  }
  const wrong = findWrongElement(datatype, data);
  if (wrong !== undefined) {
    const state = `element ${wrong} is ${String(data[wrong])}, ${datatype} takes ${allowedOf(datatype)}`;
    throw refusal(name, [...location, "data", wrong], "range", state);
  }
  return { name, shape, datatype, data: datatype === "BOOL" ? Array.from(data, Boolean) : data };
}

function inferDatatype(data: TensorInput["data"]): Datatype | undefined {
  return Array.isArray(data)
    ? DATATYPE_OF_ELEMENT[typeof data[0]]
    : DATATYPE_OF_TAG[(data as Uint8Array)[Symbol.toStringTag]];
}

/** @returns the index of the first element that is not of `datatype`. */
function findWrongElement(datatype: Datatype, data: TensorInput["data"]): number | undefined {
  const isChecked = ArrayBuffer.isView(data) && inferDatatype(data) === datatype;
  if (isChecked && datatype in INTEGER_RANGES) return undefined; // by the array itself
  for (let index = 0; index < data.length; index++) {
    if (!isElementOf(datatype, data[index])) return index;
  }
  return undefined;
}

function isElementOf(datatype: Datatype, element: unknown): boolean {
  switch (datatype) {
    case "BYTES":
      return typeof element === "string";
    case "BOOL":
      return typeof element === "boolean" || element === 0 || element === 1;
    case "FP32":
      return typeof element === "number" && Number.isFinite(Math.fround(element));
    case "FP64":
      return Number.isFinite(element);
    default:
      return isIntegerOf(datatype, element);
  }
}

function allowedOf(datatype: Datatype): string {
  if (datatype === "BYTES") return "strings";
  if (datatype === "BOOL") return "booleans";
  const range = INTEGER_RANGES[datatype];
  if (range === undefined) return "finite numbers in JSON";
  return `whole numbers from ${range.min} to ${range.max}, beyond 2^53 as bigint`;
}

function refusal(
  name: string,
  location: readonly (string | number)[],
  type: string,
  state: string,
): MillraceClientError {
  const message = `Cannot send input "${name}": ${state}`;
  return new MillraceClientError("INVALID_TENSOR", message, {
    problems: [{ location, message, type }],
  });
}
