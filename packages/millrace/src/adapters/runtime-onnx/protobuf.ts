/**
 * The protobuf wire format, as little of it as ONNX files need: a cursor over the fields of one message and
 * an encoder for fields that changed. A full decoder would turn every weight into an object; the cursor only
 * remembers where fields lie, so that reading a model costs about one pass over its bytes and no copy.
 * https://protobuf.dev/programming-guides/encoding
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;

/** The bytes are not a protobuf message, or only the start of one. */
export class ProtobufError extends Error {}

/** Walks over the fields of one message: `while (cursor.next())`. It is a window on the caller's bytes. */
export class FieldCursor {
  /** Number of the current field, ≥ 1. */
  number = 0;
  #wireType = 0;
  #fieldStart = 0;
  #valueStart = 0;
  #nextField = 0;
  readonly #message: Uint8Array;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  /**
   * Moves to the next field.
   * @returns false at the end of the message.
   * @throws ProtobufError when the bytes end inside a field or are no field at all.
   */
  next(): boolean {
    if (this.#nextField === this.#message.length) return false;
    this.#fieldStart = this.#nextField;
    const tag = this.#readLength(this.#fieldStart);
    this.number = tag >>> 3;
    this.#wireType = tag & 7;
    if (this.number === 0) throw new ProtobufError("field number 0");
    this.#valueStart = this.#nextField;
    this.#nextField = this.#endOfValue();
    if (this.#nextField > this.#message.length) {
      const missing = this.#nextField - this.#message.length;
      throw new ProtobufError(`field ${this.number} lacks its last ${missing} bytes`);
    }
    return true;
  }

  /** The current value as the bytes of a string, a nested message or packed numbers: a view, not a copy. */
  bytes(): Uint8Array {
    if (this.#wireType !== LENGTH_DELIMITED) {
      throw new ProtobufError(`field ${this.number} has wire type ${this.#wireType}, not bytes`);
    }
    return this.#message.subarray(this.#valueStart, this.#nextField);
  }

  text(): string {
    return textDecoder.decode(this.bytes());
  }

  /** The current value as a signed 64-bit integer. */
  int64(): bigint {
    if (this.#wireType !== VARINT) {
      throw new ProtobufError(`field ${this.number} has wire type ${this.#wireType}, not varint`);
    }
    return decodeVarint(this.#message, this.#valueStart, this.#nextField);
  }

  /** The current value as signed 64-bit integers, for repeated fields: one of them, or all when packed. */
  int64s(): bigint[] {
    return this.#wireType === LENGTH_DELIMITED ? decodePacked(this.bytes()) : [this.int64()];
  }

  /** The current field as it is encoded, tag included: what a rewrite copies unchanged. */
  encoded(): Uint8Array {
    return this.#message.subarray(this.#fieldStart, this.#nextField);
  }

  #endOfValue(): number {
    switch (this.#wireType) {
      case VARINT:
        return endOfVarint(this.#message, this.#valueStart);
      case FIXED64:
        return this.#valueStart + 8;
      case LENGTH_DELIMITED: {
        const length = this.#readLength(this.#valueStart);
        this.#valueStart = this.#nextField;
        return this.#valueStart + length;
      }
      case FIXED32:
        return this.#valueStart + 4;
      default: // groups (3, 4) are not used by ONNX; 6 and 7 do not exist
        throw new ProtobufError(`field ${this.number} has wire type ${this.#wireType}`);
    }
  }

  /** Reads a tag or a length, both below 2^32, and leaves `#nextField` behind it. */
  #readLength(start: number): number {
    let value = 0;
    for (let index = 0; index < 5; index++) {
      const byte = this.#message[start + index];
      if (byte === undefined) throw new ProtobufError("the bytes end inside a field header");
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) {
        this.#nextField = start + index + 1;
        return value;
      }
    }
    throw new ProtobufError("a field header is longer than 32 bits");
  }
}

/** @returns one encoded field of wire type 2: `value` is text, packed numbers or a nested message. */
export function encodeBytesField(number: number, value: Uint8Array): Uint8Array {
  return concatBytes([
    encodeVarint(number * 8 + LENGTH_DELIMITED),
    encodeVarint(value.length),
    value,
  ]);
}

export function encodeTextField(number: number, value: string): Uint8Array {
  return encodeBytesField(number, new TextEncoder().encode(value));
}

/** @param value a whole number, 0 to 2^53 − 1. */
export function encodeIntegerField(number: number, value: number): Uint8Array {
  return concatBytes([encodeVarint(number * 8 + VARINT), encodeVarint(value)]);
}

/** @returns a new array that holds all parts in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const textDecoder = new TextDecoder();

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function endOfVarint(bytes: Uint8Array, start: number): number {
  for (let at = start; at < start + VARINT_BYTES_MAX; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new ProtobufError("the bytes end inside a number");
    if (byte < 0x80) return at + 1;
  }
  throw new ProtobufError("a number is longer than 64 bits");
}

function decodeVarint(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 7n) | BigInt(bytes[at]! & 0x7f);
  return BigInt.asIntN(64, value);
}

function decodePacked(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = endOfVarint(bytes, at);
    values.push(decodeVarint(bytes, at, end));
    at = end;
  }
  return values;
}
