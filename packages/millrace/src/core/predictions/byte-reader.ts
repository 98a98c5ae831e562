const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longer texts are faster decoded whole than looked through first. */
const SHORT_TEXT_BYTES = 128;

/** Reads values from bytes, in their order; nothing beyond the end, whatever the bytes say. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  /** @param end first byte that is none of its. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const { buffer, byteOffset, length } = bytes;
    if (start > end || end > length) throw malformed(`it ends at ${length}, before ${end}`);
    this.#bytes = Buffer.from(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
    this.#at = start;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** @throws when it is no whole number below 2^53. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
      if (scale > Number.MAX_SAFE_INTEGER) throw malformed("a number has too many bytes");
    }
    if (!Number.isSafeInteger(value)) throw malformed("a number is too large");
    return value;
  }

  /** A varint that counts things of at least so many bytes each, which are there. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.left) throw malformed(`${count} elements are not there`);
    return count;
  }

  /** @throws also when it is no UTF-8. */
  text(): string {
    const length = this.count(1);
    const start = this.#take(length);
    const bytes = this.#bytes;
    if (length <= SHORT_TEXT_BYTES && isAscii(bytes, start, start + length)) {
      return bytes.toString("latin1", start, start + length);
    }
    return UTF8.decode(bytes.subarray(start, start + length));
  }

  /** In memory of its own, so that it can be read as numbers of any size. */
  raw(byteCount: number): Uint8Array {
    const start = this.#take(byteCount);
    return new Uint8Array(this.#bytes.subarray(start, start + byteCount));
  }

  f32s(count: number): Float32Array {
    const start = this.#take(4 * count);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat32(start + 4 * i, true);
    return values;
  }

  #take(byteCount: number): number {
    const start = this.#at;
    if (byteCount > this.#end - start) throw malformed(`${byteCount} bytes are not there`);
    this.#at = start + byteCount;
    return start;
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}

export function malformed(why: string): Error {
  return new Error(`Cannot read the block: ${why}`);
}
