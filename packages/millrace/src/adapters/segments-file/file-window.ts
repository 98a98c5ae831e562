import type { FileHandle } from "node:fs/promises";

/**
 * Bytes read at a time: few at first, for who only looks at a place, then twice as many each time. What is held in memory is
 * that and what is asked for.
 */
const CHUNK_BYTES_MIN = 32 * 2 ** 10;
const CHUNK_BYTES_MAX = 2 ** 20;

/** A part of a file in memory, which moves towards its end. */
export class FileWindow {
  readonly #file: FileHandle;
  #bytes: Buffer = Buffer.alloc(0);
  #chunkBytes = CHUNK_BYTES_MIN;
  /** Where it begins in the file. */
  #start = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * @param offset in the file.
   * @returns bytes from there on: at least `count`, fewer only where the file ends. They stay as they are.
   */
  async at(offset: number, count: number): Promise<Buffer> {
    if (!this.#has(offset, count)) await this.#move(offset, count);
    return this.#bytes.subarray(offset - this.#start);
  }

  /** Reads everything again that is asked for from now on. */
  forget(): void {
    this.#bytes = Buffer.alloc(0);
  }

  #has(offset: number, count: number): boolean {
    return offset >= this.#start && offset + count <= this.#start + this.#bytes.length;
  }

  /** Into new memory: what was given away is still in use. */
  async #move(offset: number, count: number): Promise<void> {
    const kept = this.#has(offset, 0) ? this.#bytes.subarray(offset - this.#start) : undefined;
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, count));
    this.#chunkBytes = Math.min(CHUNK_BYTES_MAX, 2 * this.#chunkBytes);
    let length = kept?.copy(bytes) ?? 0;
    while (length < count) {
      const left = bytes.length - length;
      const { bytesRead } = await this.#file.read(bytes, length, left, offset + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    this.#bytes = bytes.subarray(0, length);
    this.#start = offset;
  }
}
