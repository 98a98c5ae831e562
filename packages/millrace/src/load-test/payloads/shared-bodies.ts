/** Bodies lie side by side in pieces of memory of this size, or as long as one body. */
const PIECE_BYTES = 1024 * 1024;

/** Keeps bodies in memory that threads share: a plan with many of them is not copied for each thread. */
export class SharedBodies {
  readonly #bytesMax: number;
  #bytes = 0;
  #piece = new Uint8Array(new SharedArrayBuffer(0));
  #at = 0;

  /** @param bytesMax of all bodies together. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns a copy of the body; undefined when there is no room for it. */
  keep(body: Uint8Array): Uint8Array | undefined {
    if (this.#bytes + body.length > this.#bytesMax) return undefined;
    this.#bytes += body.length;
    if (this.#at + body.length > this.#piece.length) {
      this.#piece = new Uint8Array(new SharedArrayBuffer(Math.max(PIECE_BYTES, body.length)));
      this.#at = 0;
    }
    const kept = this.#piece.subarray(this.#at, this.#at + body.length);
    kept.set(body);
    this.#at += body.length;
    return kept;
  }
}
