import { isJsonObject, writeJson } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { decodeRaw } from "./raw-tensor.ts";
import { elementCountOf, isIntegerOf } from "./tensor.ts";
import type { Datatype, DatatypeArrays, Tensor } from "./tensor.ts";

type Elements = readonly JsonValue[];

const DECODERS: { readonly [D in Datatype]: (data: Elements) => DatatypeArrays[D] } = {
  BOOL: (data) => Uint8Array.from(data.map(decodeBoolean)),
  UINT8: (data) => Uint8Array.from(data.map(integerDecoder("UINT8"))),
  UINT16: (data) => Uint16Array.from(data.map(integerDecoder("UINT16"))),
  UINT32: (data) => Uint32Array.from(data.map(integerDecoder("UINT32"))),
  UINT64: (data) => BigUint64Array.from(data.map(bigintDecoder("UINT64"))),
  INT8: (data) => Int8Array.from(data.map(integerDecoder("INT8"))),
  INT16: (data) => Int16Array.from(data.map(integerDecoder("INT16"))),
  INT32: (data) => Int32Array.from(data.map(integerDecoder("INT32"))),
  INT64: (data) => BigInt64Array.from(data.map(bigintDecoder("INT64"))),
  FP16: () => refuseJson("FP16"),
  BF16: () => refuseJson("BF16"),
  FP32: (data) => Float32Array.from(data.map(decodeFloat)),
  FP64: (data) => Float64Array.from(data.map(decodeFloat)),
  BYTES: (data) => data.map(decodeText),
};

/**
 * Reads one output of a reply into a typed array; null in FP32 and FP64 becomes NaN.
 * @param takeBytes gives the next bytes behind the JSON, for an output that has no `data` but a size.
 * @throws RangeError when it is not what the protocol says.
 */
export function decodeTensor(
  output: JsonValue,
  takeBytes: (size: number) => Uint8Array<ArrayBuffer> = noBytes,
): Tensor {
  if (!isJsonObject(output)) throw new RangeError("an output is not an object");
  const { name, shape, datatype, data, parameters } = output;
  if (typeof name !== "string") throw new RangeError("an output has no name");
  if (!isDatatype(datatype)) throw new RangeError(`output "${name}" has no known datatype`);
  if (!isShape(shape)) throw new RangeError(`output "${name}" has no shape`);
  const size = isJsonObject(parameters) ? parameters["binary_data_size"] : undefined;
  if (data === undefined && typeof size === "number") {
    const count = elementCountOf(shape) ?? NaN;
    const elements = decodeRaw(datatype, takeBytes(size), count);
    return { name, datatype, shape, data: elements } as Tensor;
  }
  if (!Array.isArray(data)) throw new RangeError(`output "${name}" has no data`);
  // A server may nest by shape; flat() is too slow to be called without need.
  const elements = (Array.isArray(data[0]) ? data.flat(Infinity) : data) as Elements;
  if (elements.length !== elementCountOf(shape)) {
    const extents = shape.join(", ");
    throw new RangeError(`output "${name}" has ${elements.length} elements for [${extents}]`);
  }
  // The table's row for `datatype` makes the array of `datatype`; TypeScript cannot follow that through a union.
  return { name, datatype, shape, data: DECODERS[datatype](elements) } as Tensor;
}

function noBytes(): never {
  throw new RangeError("there are no bytes behind the JSON");
}

function isDatatype(value: JsonValue | undefined): value is Datatype {
  return typeof value === "string" && Object.hasOwn(DECODERS, value);
}

function isShape(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent));
}

function decodeBoolean(element: JsonValue, index: number): number {
  if (typeof element !== "boolean") throw wrongElement("BOOL", element, index);
  return element ? 1 : 0;
}

function decodeFloat(element: JsonValue, index: number): number {
  if (element === null) return NaN;
  if (typeof element === "number") return element;
  if (typeof element === "bigint") return Number(element); // 1e20 is written as 21 digits
  throw wrongElement("a float", element, index);
}

function decodeText(element: JsonValue, index: number): string {
  if (typeof element !== "string") throw wrongElement("BYTES", element, index);
  return element;
}

function integerDecoder(datatype: Datatype): (element: JsonValue, index: number) => number {
  return (element, index) => {
    if (!isIntegerOf(datatype, element)) throw wrongElement(datatype, element, index);
    return Number(element); // at most 32 bits
  };
}

function bigintDecoder(datatype: Datatype): (element: JsonValue, index: number) => bigint {
  return (element, index) => {
    if (!isIntegerOf(datatype, element)) throw wrongElement(datatype, element, index);
    return BigInt(element);
  };
}

function wrongElement(expected: string, element: JsonValue, index: number): RangeError {
  return new RangeError(`element ${index} is ${writeJson(element)}, not exactly ${expected}`);
}

function refuseJson(datatype: Datatype): never {
  throw new RangeError(`${datatype} has no JSON form`);
}
