/** Kinds of encoding a field can have; groups (3, 4) are long gone and refused. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The bytes are not a protobuf message, or not one of the expected type. */
export class ProtobufError extends Error {}

const VARINT_BYTES_MAX = 10;

/**
 * Reads protobuf fields one after another, straight from the bytes of a message: nothing is copied, no object
 * is made. `tag()` moves to the next field; then exactly one of the others must take its value.
 *
 * @example
 * const outerEnd = reader.enter(); // a message inside, or `reader.end` for the whole
 * while (reader.offset < reader.end) {
 *   const tag = reader.tag();
 *   if (tag === 10) name = reader.text(); else reader.skip(tag);
 * }
 * reader.leave(outerEnd);
 *
 * https://protobuf.dev/programming-guides/encoding
 */
export class WireReader {
  readonly bytes: Buffer;
  offset: number;
  /** Where the message that is being read ends; nothing is read beyond it. */
  end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = start;
    this.end = end;
  }

  /** @returns field number × 8 + wire type. */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new ProtobufError("a field has number 0");
    return tag;
  }

  /** A varint below 2^32: tags, lengths, uint32, bool and enum. Higher bits are cut off, as protobuf asks. */
  uint32(): number {
    const { bytes, offset, end } = this;
    if (offset < end) {
      const first = bytes[offset] as number;
      if (first < 0x80) {
        this.offset = offset + 1;
        return first;
      }
    }
    return this.#longVarint();
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    const { offset } = this;
    const low = this.uint32();
    return low !== 0 || (this.offset - offset > 4 && this.#bigVarint(offset) !== 0n);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  uint64(): bigint {
    const start = this.offset;
    const low = this.uint32();
    return this.offset - start <= 4 ? BigInt(low) : this.#bigVarint(start);
  }

  /** An int64 as a number. @throws ProtobufError beyond ±(2^53 − 1): it is never rounded. */
  safeInteger(): number {
    const start = this.offset;
    const low = this.uint32();
    if (this.offset - start <= 4) return low;
    const value = Number(BigInt.asIntN(64, this.#bigVarint(start)));
    if (Number.isSafeInteger(value)) return value;
    throw new ProtobufError("a whole number is beyond 2^53 - 1");
  }

  double(): number {
    const start = this.#take(8);
    return this.bytes.readDoubleLE(start);
  }

  float(): number {
    const start = this.#take(4);
    return this.bytes.readFloatLE(start);
  }

  /** Moves over a length-delimited value. @returns where it starts; `offset` is its end. */
  span(): number {
    const length = this.uint32();
    return this.#take(length);
  }

  /** A view, not a copy. */
  view(): Buffer {
    const start = this.span();
    return this.bytes.subarray(start, this.offset);
  }

  /** @throws ProtobufError when the text is not UTF-8. */
  text(): string {
    const start = this.span();
    return utf8(this.bytes, start, this.offset);
  }

  /** Goes into the message that is the value of this field. @returns what `leave` needs. */
  enter(): number {
    const start = this.span();
    const outerEnd = this.end;
    this.end = this.offset;
    this.offset = start;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.offset = this.end;
    this.end = outerEnd;
  }

  /** Moves over the value of an unknown field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WIRE.varint:
        this.uint32();
        return;
      case WIRE.fixed64:
        this.#take(8);
        return;
      case WIRE.bytes:
        this.span();
        return;
      case WIRE.fixed32:
        this.#take(4);
        return;
      default:
        throw new ProtobufError(`field ${tag >>> 3} has wire type ${tag & 7}`);
    }
  }

  #take(length: number): number {
    const { offset } = this;
    if (length > this.end - offset) {
      throw new ProtobufError(`a value of ${length} bytes goes beyond the end of its message`);
    }
    this.offset = offset + length;
    return offset;
  }

  #longVarint(): number {
    const { bytes, offset, end } = this;
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (offset + i >= end) throw new ProtobufError("the message ends inside a number");
      const byte = bytes[offset + i] as number;
      if (i < 5) value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.offset = offset + i + 1;
        return value >>> 0;
      }
    }
    throw new ProtobufError("a number is longer than 64 bits");
  }

  /** The varint from `start` to `offset`, which was checked already. */
  #bigVarint(start: number): bigint {
    let value = 0n;
    for (let at = this.offset - 1; at >= start; at--) {
      value = (value << 7n) | BigInt((this.bytes[at] as number) & 0x7f);
    }
    return BigInt.asUintN(64, value);
  }
}

/** Text shorter than this is looked at byte by byte, which costs less than calling the decoder. */
const SHORT_TEXT_BYTES = 24;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws ProtobufError when the bytes are not UTF-8. */
export function utf8(bytes: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_TEXT_BYTES) {
    let at = start;
    while (at < end && (bytes[at] as number) < 0x80) at++;
    if (at === end) return bytes.toString("latin1", start, end);
  }
  try {
    return strictUtf8.decode(bytes.subarray(start, end));
  } catch {
    throw new ProtobufError("a text is not UTF-8");
  }
}
