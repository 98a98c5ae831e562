import { MillraceError } from "../../core/errors.ts";
import { ProtobufError, utf8, WIRE, type WireReader } from "../../core/protobuf/wire-reader.ts";
import { allocate, DATATYPES, type Datatype, type TensorData } from "../../core/tensor/datatype.ts";

/** Part of the message's bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface TensorPlace {
  readonly name: string;
  readonly datatype: Datatype;
  readonly elementCount: number;
}

/** Number of the field of `InferTensorContents` that carries a datatype; FP16 and BF16 have none. */
const FIELDS: Readonly<Record<Datatype, number | undefined>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
  FP16: undefined,
  BF16: undefined,
};

/** The array being filled and how far it is. */
interface Filling extends TensorPlace {
  readonly data: TensorData;
  readonly reader: WireReader;
  readonly min: number;
  readonly max: number;
  count: number;
}

/**
 * Reads typed contents into the storage of a tensor.
 * @param spans every `contents` of one input; protobuf means all of them together.
 * @throws ProtobufError, INVALID_TENSOR for a wrong field, a wrong number of elements or one out of range.
 */
export function readContents(
  reader: WireReader,
  spans: readonly Span[],
  tensor: TensorPlace,
): TensorData {
  const { name, datatype, elementCount } = tensor;
  const fieldNumber = FIELDS[datatype];
  if (fieldNumber === undefined) {
    throw invalidTensor(name, `${datatype} has no typed form, send raw_input_contents`);
  }
  // Every element takes a byte at least: nothing is allocated that the message cannot fill.
  let byteCount = 0;
  for (const { start, end } of spans) byteCount += end - start;
  if (elementCount > byteCount) {
    throw invalidTensor(name, `shape asks for ${elementCount} elements, found ${byteCount} bytes`);
  }
  const row = DATATYPES[datatype];
  const filling: Filling = {
    ...tensor,
    reader,
    data: allocate(datatype, elementCount),
    min: "min" in row ? Number(row.min) : 0,
    max: "max" in row ? Number(row.max) : 0,
    count: 0,
  };
  for (const { start, end } of spans) {
    reader.offset = start;
    reader.end = end;
    while (reader.offset < end) readField(filling, fieldNumber);
  }
  if (filling.count === elementCount) return filling.data;
  throw invalidTensor(name, `found ${filling.count} elements, shape asks for ${elementCount}`);
}

function readField(filling: Filling, fieldNumber: number): void {
  const { reader, name, datatype } = filling;
  const tag = reader.tag();
  const number = tag >>> 3;
  if (number !== fieldNumber) {
    const start = reader.offset;
    reader.skip(tag);
    // An empty list of another type says nothing; some clients send one for each type.
    if (number > 8 || reader.offset - start <= 1) return;
    throw invalidTensor(name, `${datatype} is not carried by field ${number} of its contents`);
  }
  if (datatype === "BYTES") {
    expectWire(tag, WIRE.bytes);
    const start = reader.span();
    (room(filling, 1).data as string[])[filling.count++] = utf8(reader.bytes, start, reader.offset);
    return;
  }
  if ((tag & 7) !== WIRE.bytes) {
    expectWire(tag, datatype === "FP32" ? WIRE.fixed32 : datatype === "FP64" ? WIRE.fixed64 : 0);
    if (datatype === "FP32")
      (room(filling, 1).data as Float32Array)[filling.count++] = reader.float();
    else if (datatype === "FP64") {
      (room(filling, 1).data as Float64Array)[filling.count++] = reader.double();
    } else readVarint(filling);
    return;
  }
  const outerEnd = reader.enter();
  if (datatype === "FP32" || datatype === "FP64") copyFloats(filling);
  else while (reader.offset < reader.end) readVarint(filling);
  reader.leave(outerEnd);
}

function expectWire(tag: number, wireType: number): void {
  if ((tag & 7) === wireType) return;
  throw new ProtobufError(`field ${tag >>> 3} has wire type ${tag & 7}, not ${wireType}`);
}

/** Packed floats lie in the message as they lie in memory. */
function copyFloats(filling: Filling): void {
  const { reader, datatype } = filling;
  const { bytes } = DATATYPES[datatype];
  const byteCount = reader.end - reader.offset;
  if (byteCount % bytes !== 0) {
    throw new ProtobufError(`${byteCount} bytes of packed ${datatype} are no whole elements`);
  }
  const data = room(filling, byteCount / bytes).data as Float32Array | Float64Array;
  const target = new Uint8Array(data.buffer, data.byteOffset + filling.count * bytes, byteCount);
  target.set(reader.bytes.subarray(reader.offset, reader.end));
  filling.count += byteCount / bytes;
  reader.offset = reader.end;
}

function readVarint(filling: Filling): void {
  const { reader, datatype } = room(filling, 1);
  const at = filling.count++;
  switch (datatype) {
    case "INT64":
      (filling.data as BigInt64Array)[at] = reader.int64();
      return;
    case "UINT64":
      (filling.data as BigUint64Array)[at] = reader.uint64();
      return;
    case "BOOL":
      (filling.data as Uint8Array)[at] = reader.bool() ? 1 : 0;
      return;
    default: {
      const value = filling.min < 0 ? reader.int32() : reader.uint32();
      if (value < filling.min || value > filling.max) {
        const message = `element ${at} is ${value}, ${datatype} takes ${filling.min} to ${filling.max}`;
        throw invalidTensor(filling.name, message);
      }
      (filling.data as Int32Array)[at] = value;
    }
  }
}

/** @returns the same, when there is room for more elements. */
function room(filling: Filling, more: number): Filling {
  if (filling.count + more <= filling.elementCount) return filling;
  throw invalidTensor(
    filling.name,
    `found more elements than the ${filling.elementCount} that shape asks for`,
  );
}

function invalidTensor(name: string, message: string): MillraceError {
  const location = ["inputs", name, "contents"];
  return new MillraceError("INVALID_TENSOR", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "contents" }],
  });
}
