import type { TensorData } from "../tensor/datatype.ts";

/** SHA-256 of bytes as 64 lower-case hex digits. The core has no hash of its own. */
export type Sha256 = (bytes: Uint8Array) => string;

/** What is written is kept here until it is full. */
const SCRATCH_BYTES = 8 * 1024;

/** Longer ones are hashed where they lie, and only their digest is kept. */
const COPIED_BYTES_MAX = 2 * 1024;

const NUMBER_BYTES = 8;
const DIGEST_BYTES = 64;

/** Below this length a text is written character by character, which is faster than a call. */
const SHORT_TEXT_LENGTH = 32;

/** Before a part: what it is. Without it two lists of parts could be written alike. */
const WHOLE = 0;
const DIGESTED = 1;
const ASCII = 2;
const UTF16 = 3;
const SHORT = 4;

/**
 * Digests a list of numbers, texts and elements, so that two lists have the same digest only when they are the same,
 * element for element and bit for bit: every part says what it is and how long. It is used again and again, one list
 * after the other, and copies nothing that is large.
 */
export class KeyWriter {
  readonly #sha256: Sha256;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  readonly #view = new DataView(this.#scratch.buffer, this.#scratch.byteOffset, SCRATCH_BYTES);
  #length = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
    this.#begin(WHOLE);
  }

  /** Writes a number, bit for bit. */
  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += NUMBER_BYTES;
  }

  /** Writes a digest made by another writer, without its length: they are all as long. */
  digest(hex: string): void {
    this.#reserve(DIGEST_BYTES);
    this.#length += this.#scratch.write(hex, this.#length, "latin1");
  }

  /** Writes a text; one that is not well-formed Unicode as well as any other. */
  text(text: string): void {
    if (text.length <= SHORT_TEXT_LENGTH && this.#shortAscii(text)) return;
    const isAscii = Buffer.byteLength(text) === text.length;
    this.#byte(isAscii ? ASCII : UTF16);
    this.#bytes(Buffer.from(text, isAscii ? "latin1" : "utf16le"));
  }

  /** Writes texts, with how many there are. */
  texts(texts: readonly string[]): void {
    this.number(texts.length);
    for (const text of texts) this.text(text);
  }

  /** Writes `count` elements from `from` on. −0 differs from 0, and NaNs by their bits: a model may tell them apart. */
  elements(data: TensorData, from: number, count: number): void {
    if (Array.isArray(data)) {
      for (let i = from; i < from + count; i++) this.text(data[i] as string);
      return;
    }
    const { BYTES_PER_ELEMENT: size, buffer, byteOffset } = data;
    this.#bytes(new Uint8Array(buffer, byteOffset + from * size, count * size));
  }

  /** @returns the digest of all that was written, 64 lower-case hex digits, and begins another list. */
  finish(): string {
    const digest = this.#sha256(this.#scratch.subarray(0, this.#length));
    this.#begin(WHOLE);
    return digest;
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length > COPIED_BYTES_MAX) {
      this.#byte(DIGESTED);
      this.digest(this.#sha256(bytes));
      return;
    }
    this.#byte(WHOLE);
    this.number(bytes.length);
    this.#reserve(bytes.length);
    this.#scratch.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** @returns false, having written nothing, when the text has other characters. */
  #shortAscii(text: string): boolean {
    this.#reserve(2 + SHORT_TEXT_LENGTH);
    const scratch = this.#scratch;
    const at = this.#length + 2;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      scratch[at + i] = code;
    }
    scratch[at - 2] = SHORT;
    scratch[at - 1] = text.length;
    this.#length = at + text.length;
    return true;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#scratch[this.#length++] = value;
  }

  /** Makes room: what is full is digested, and its digest is the beginning of what follows. */
  #reserve(bytes: number): void {
    if (this.#length + bytes <= SCRATCH_BYTES) return;
    const digest = this.finish();
    this.#begin(DIGESTED);
    this.digest(digest);
  }

  #begin(kind: typeof WHOLE | typeof DIGESTED): void {
    this.#scratch[0] = kind;
    this.#length = 1;
  }
}
