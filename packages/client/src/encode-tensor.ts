import { MillraceClientError } from "./client-error.ts";
import type { JsonInput, NumericArray } from "./json.ts";
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

/** A tensor as it travels: its members in the JSON, and behind that its bytes, if it has any. */
export interface EncodedTensor {
  readonly members: JsonInput;
  readonly bytes: Uint8Array | undefined;
}

/**
 * Checks a tensor as the server would and gives it the smallest form: a typed array goes as its bytes, anything
 * else as JSON.
 * @param index its place among the request's inputs.
 * @throws INVALID_TENSOR with the location of the first element, or member, that is wrong.
 */
export function encodeBinaryTensor(input: TensorInput, index: number): EncodedTensor {
  const { name, shape, data } = input;
  const datatype = checkDatatype(input, index);
  if (Array.isArray(data) || !isRawOf(datatype, data as NumericArray)) {
    return { members: encodeTensor(input, index), bytes: undefined };
  }
  checkShape(input, index);
  const { buffer, byteOffset, byteLength } = data as NumericArray;
  const parameters = { binary_data_size: byteLength };
  return {
    members: { name, shape, datatype, parameters },
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

/** Are the bytes of the array those of the datatype? */
function isRawOf(datatype: Datatype, data: NumericArray): boolean {
  const own = inferDatatype(data);
  if (datatype === "FP16" || datatype === "BF16") return own === "UINT16";
  if (datatype === "BOOL") return own === "UINT8" && (data as Uint8Array).every((byte) => byte < 2);
  return own === datatype;
}

/**
 * Checks a tensor as the server would and gives its JSON members.
 * @param index its place among the request's inputs.
 * @throws INVALID_TENSOR with the location of the first element, or member, that is wrong.
 */
export function encodeTensor(input: TensorInput, index: number): JsonInput {
  const { name, shape, data } = input;
  const location = ["body", "inputs", index];
  const datatype = checkDatatype(input, index);
  if (datatype === "FP16" || datatype === "BF16") {
    throw refusal(name, [...location, "datatype"], "type", `${datatype} has no JSON form`);
  }
  checkShape(input, index);
  const wrong = findWrongElement(datatype, data);
  if (wrong !== undefined) {
    const state = `element ${wrong} is ${String(data[wrong])}, ${datatype} takes ${allowedOf(datatype)}`;
    throw refusal(name, [...location, "data", wrong], "range", state);
  }
  return { name, shape, datatype, data: datatype === "BOOL" ? Array.from(data, Boolean) : data };
}

function checkDatatype(input: TensorInput, index: number): Datatype {
  const datatype = input.datatype ?? inferDatatype(input.data);
  if (datatype !== undefined) return datatype;
  const location = ["body", "inputs", index, "datatype"];
  throw refusal(input.name, location, "missing", "give a datatype for plain numbers");
}

function checkShape({ name, shape, data }: TensorInput, index: number): void {
  if (elementCountOf(shape) === data.length) return;
  const state = `shape [${shape.join(", ")}] does not hold ${data.length} elements`;
  throw refusal(name, ["body", "inputs", index, "shape"], "shape", state);
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
