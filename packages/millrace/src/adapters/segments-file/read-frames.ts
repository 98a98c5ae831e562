import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { ReadBlock } from "../../ports/segments.ts";
import { FileWindow } from "./file-window.ts";
import { FRAME_HEADER_BYTES, FRAME_MAGIC, readFrameHeader, type FrameHeader } from "./frame.ts";

/**
 * The blocks of a segment, from the beginning of a frame on. Ends at the end frame, or quietly before a frame that is
 * not complete: it is being written, or its writer died meanwhile. A block with wrong bytes is left out. Where no frame
 * begins where one should, it goes on with the next that does.
 */
export async function* readFrames(
  file: FileHandle,
  fromOffset: number,
  onDamage: (text: string) => void,
): AsyncGenerator<ReadBlock> {
  const reader = new FrameReader(file, onDamage);
  await reader.begin();
  let offset: number | undefined = fromOffset;
  while (offset !== undefined) {
    const found: FoundFrame | undefined = await reader.next(offset);
    if (found?.block !== undefined) yield found.block;
    offset = found?.endOffset;
  }
}

interface FoundFrame {
  readonly endOffset: number;
  /** Undefined when it is damaged. */
  readonly block: ReadBlock | undefined;
}

class FrameReader {
  readonly #window: FileWindow;
  readonly #onDamage: (text: string) => void;
  /** Of the segment; undefined until a frame tells. */
  #salt: number | undefined;

  constructor(file: FileHandle, onDamage: (text: string) => void) {
    this.#window = new FileWindow(file);
    this.#onDamage = onDamage;
  }

  async begin(): Promise<void> {
    this.#salt = (await this.#header(0))?.salt;
  }

  /** @returns the frame that begins at `offset`, or the first one after it; undefined when there is none. */
  async next(offset: number): Promise<FoundFrame | undefined> {
    const header = await this.#header(offset);
    if (header === undefined) return this.#resynchronise(offset, offset + 1);
    if (header.isEnd) return undefined;
    const payloadOffset = offset + FRAME_HEADER_BYTES;
    const endOffset = payloadOffset + header.payloadBytes;
    const available = await this.#window.at(payloadOffset, header.payloadBytes);
    if (available.length < header.payloadBytes) return undefined;
    const bytes = available.subarray(0, header.payloadBytes);
    const { recordCount } = header;
    if (crc32(bytes) === header.payloadCrc) {
      this.#salt ??= header.salt;
      return { endOffset, block: { bytes, recordCount, endOffset } };
    }
    if (!(await this.#isFrameOrEnd(endOffset))) return this.#resynchronise(offset, payloadOffset);
    this.#onDamage(`a block of ${recordCount} records at bytes ${offset} to ${endOffset}`);
    return { endOffset, block: undefined };
  }

  /** @param searchOffset before which no frame begins. */
  async #resynchronise(offset: number, searchOffset: number): Promise<FoundFrame | undefined> {
    const rest = await this.#window.at(offset, FRAME_HEADER_BYTES);
    // The beginning of a frame that is not complete yet.
    if (rest.length < FRAME_HEADER_BYTES) return undefined;
    const found = await this.#find(searchOffset);
    const end = found === undefined ? "the end" : `byte ${found}`;
    this.#onDamage(`no block can be told from byte ${offset} to ${end}`);
    return found === undefined ? undefined : { endOffset: found, block: undefined };
  }

  /** @returns where the next frame begins, at `offset` or later. */
  async #find(offset: number): Promise<number | undefined> {
    for (let from = offset; ;) {
      const bytes = await this.#window.at(from, FRAME_HEADER_BYTES);
      if (bytes.length < FRAME_HEADER_BYTES) return undefined;
      const at = bytes.indexOf(FRAME_MAGIC);
      if (at === -1) from += bytes.length - FRAME_MAGIC.length + 1;
      else if ((await this.#header(from + at)) !== undefined) return from + at;
      else from += at + 1;
    }
  }

  async #isFrameOrEnd(offset: number): Promise<boolean> {
    const bytes = await this.#window.at(offset, FRAME_HEADER_BYTES);
    return bytes.length === 0 || (await this.#header(offset)) !== undefined;
  }

  async #header(offset: number): Promise<FrameHeader | undefined> {
    const bytes = await this.#window.at(offset, FRAME_HEADER_BYTES);
    const header = readFrameHeader(bytes, 0);
    return this.#salt === undefined || header?.salt === this.#salt ? header : undefined;
  }
}
