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

/** What seems to stand at a place. */
type Look = { readonly kind: "told"; readonly frame: FoundFrame | undefined } | WrongFrame;

interface WrongFrame {
  readonly kind: "wrong";
  /** What its header says of it; undefined where that is wrong too. */
  readonly block: ReadBlock | undefined;
}

/** Nothing follows, or not yet. */
const NO_FRAME: Look = { kind: "told", frame: undefined };

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
    const first = await this.#look(offset);
    if (first.kind !== "wrong") return first.frame;
    const next = await this.#after(offset, first);
    // A file may be longer already while the bytes of its last frame are still on their way. Frames are written one after
    // the other: where another one follows, this one is all there by now.
    this.#window.forget();
    const again = await this.#look(offset);
    if (again.kind !== "wrong") return again.frame;
    this.#onDamage(describeDamage(offset, again, next));
    return next === undefined ? undefined : { endOffset: next, block: undefined };
  }

  async #look(offset: number): Promise<Look> {
    const header = await this.#header(offset);
    if (header === undefined) {
      const { length } = await this.#window.at(offset, FRAME_HEADER_BYTES);
      // The beginning of a frame that is not complete yet.
      return length < FRAME_HEADER_BYTES ? NO_FRAME : { kind: "wrong", block: undefined };
    }
    if (header.isEnd) return NO_FRAME;
    const { payloadBytes, payloadCrc, recordCount, salt } = header;
    const endOffset = offset + FRAME_HEADER_BYTES + payloadBytes;
    const available = await this.#window.at(offset + FRAME_HEADER_BYTES, payloadBytes);
    if (available.length < payloadBytes) return NO_FRAME;
    const bytes = available.subarray(0, payloadBytes);
    const block = { bytes, recordCount, endOffset };
    if (crc32(bytes) !== payloadCrc) return { kind: "wrong", block };
    this.#salt ??= salt;
    return { kind: "told", frame: { endOffset, block } };
  }

  /** @returns where the first frame begins behind what is wrong; undefined when there is none. */
  async #after(offset: number, { block }: WrongFrame): Promise<number | undefined> {
    if (block === undefined) return this.#find(offset + 1);
    const isFrame = (await this.#header(block.endOffset)) !== undefined;
    return isFrame ? block.endOffset : this.#find(offset + FRAME_HEADER_BYTES);
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

  async #header(offset: number): Promise<FrameHeader | undefined> {
    const bytes = await this.#window.at(offset, FRAME_HEADER_BYTES);
    const header = readFrameHeader(bytes, 0);
    return this.#salt === undefined || header?.salt === this.#salt ? header : undefined;
  }
}

/** @param next where the first frame behind it begins. */
function describeDamage(offset: number, { block }: WrongFrame, next: number | undefined): string {
  if (block !== undefined && (next === undefined || next === block.endOffset)) {
    return `a block of ${block.recordCount} records at bytes ${offset} to ${block.endOffset}`;
  }
  const end = next === undefined ? "the end" : `byte ${next}`;
  return `no block can be told from byte ${offset} to ${end}`;
}
