import { VARINT_BYTES_MAX } from "./block-format.ts";

/** Longer texts are faster written by the engine than one by one. */
const SHORT_TEXT_LENGTH = 20;

/** A text is at most three bytes a UTF-16 unit, and its length stands before it. */
export function textBytesMax(text: string): number {
  return VARINT_BYTES_MAX + 3 * text.length;
}

/** Appends values to memory that grows; `reserve` makes room, nothing else looks whether there is some. */
export class ByteWriter {
  #bytes: Buffer<ArrayBuffer>;
  #view: DataView;
  /** Bytes written so far. */
  at = 0;

  constructor(capacity: number) {
    this.#bytes = bufferOf(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Makes room for `byteCount` more bytes, by doubling. */
  reserve(byteCount: number): void {
    const needed = this.at + byteCount;
    if (needed <= this.#bytes.length) return;
    let capacity = this.#bytes.length;
    while (capacity < needed) capacity *= 2;
    const grown = bufferOf(capacity);
    grown.set(this.#bytes.subarray(0, this.at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.#bytes[this.at++] = value;
  }

  u16(value: number): void {
    this.#view.setUint16(this.at, value, true);
    this.at += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  u32At(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  f64(value: number): void {
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** @param value a whole number, 0 to 2^53 − 1. */
  varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.at;
    let rest = value;
    // Operators on bits cut off everything above 32 of them.
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  text(text: string): void {
    const { length } = text;
    const start = this.at;
    this.varint(length);
    const written =
      length > SHORT_TEXT_LENGTH ? this.#bytes.write(text, this.at) : this.#ascii(text);
    if (written === length) this.at += length;
    else this.#wideText(text, start);
  }

  /** @returns its length; less when it is not of ASCII alone. */
  #ascii(text: string): number {
    const bytes = this.#bytes;
    const { at } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return i;
      bytes[at + i] = unit;
    }
    return text.length;
  }

  /** Its bytes are more than its UTF-16 units. */
  #wideText(text: string, start: number): void {
    this.at = start;
    this.varint(Buffer.byteLength(text));
    this.at += this.#bytes.write(text, this.at);
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Small ones are written faster one by one than as a piece of memory. */
  f32s(values: Float32Array): void {
    const view = this.#view;
    let at = this.at;
    for (let i = 0; i < values.length; i++) {
      view.setFloat32(at, values[i] as number, true);
      at += 4;
    }
    this.at = at;
  }

  /** What was written, in memory of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.at));
  }
}

/** Not of the pool that small buffers share. */
function bufferOf(byteCount: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(byteCount));
}
