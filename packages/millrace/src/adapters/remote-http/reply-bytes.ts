/** First memory of a body whose length nobody knows. */
const FIRST_BYTES = 16 * 1024;

/** A length that was announced is believed up to this; memory for more comes with the bytes. */
const TRUSTED_BYTES = 1024 * 1024;

/**
 * The body of a reply while it arrives, in one piece of memory. Chunks are copied: each is a view of a buffer of 64 KiB,
 * and a server that sends a byte at a time would else fill memory with a short reply.
 */
export class ReplyBytes {
  readonly #bytesMax: number;
  #memory: Buffer;
  #length = 0;

  /** @param announced by `content-length`; undefined when it is not there. */
  constructor(bytesMax: number, announced: number | undefined) {
    this.#bytesMax = bytesMax;
    const wanted = Math.min(announced ?? FIRST_BYTES, TRUSTED_BYTES, bytesMax);
    this.#memory = Buffer.allocUnsafeSlow(wanted);
  }

  /** @returns false, having kept nothing of the chunk, when the body is larger than allowed. */
  add(chunk: Uint8Array): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#bytesMax) return false;
    if (length > this.#memory.length) this.#grow(length);
    this.#memory.set(chunk, this.#length);
    this.#length = length;
    return true;
  }

  #grow(length: number): void {
    const capacity = Math.min(this.#bytesMax, Math.max(length, 2 * this.#memory.length));
    const grown = Buffer.allocUnsafeSlow(capacity);
    grown.set(this.#memory.subarray(0, this.#length));
    this.#memory = grown;
  }

  finish(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }
}
