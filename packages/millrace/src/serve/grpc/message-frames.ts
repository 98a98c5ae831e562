import { MillraceError } from "../../core/errors.ts";

/** In front of each message: one byte that says whether it is compressed, four for its length. */
export const FRAME_HEAD_BYTES = 5;

/** Writes the head of an uncompressed message that fills the rest of `frame`. @returns the frame. */
export function closeFrame(frame: Buffer): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(frame.length - FRAME_HEAD_BYTES, 1);
  return frame;
}

/** @returns a message with its head. */
export function frameOf(message: Buffer): Buffer {
  return closeFrame(Buffer.concat([Buffer.alloc(FRAME_HEAD_BYTES), message]));
}

export type TakeMessage = (message: Buffer, isCompressed: boolean) => void;

/** What is set aside at once for a message that comes in pieces; a longer one gets more when that is full. */
const FIRST_BYTES_MAX = 1024 * 1024;

/**
 * Cuts a stream of bytes into messages. A message that lies in one chunk is a view of it; others are put
 * together, in memory that follows what has come and not what was announced.
 */
export class MessageFrames {
  readonly #messageBytesMax: number;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headFilled = 0;
  #isCompressed = false;
  #length = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** Is a message on its way, and not whole? */
  get isPartial(): boolean {
    return this.#headFilled > 0;
  }

  /** @throws BODY_TOO_LARGE as soon as a message announces more than the limit; MALFORMED_REQUEST. */
  push(chunk: Buffer, take: TakeMessage): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headFilled < FRAME_HEAD_BYTES) {
        at += this.#fillHead(chunk, at);
        if (this.#headFilled < FRAME_HEAD_BYTES) return;
      }
      const end = Math.min(chunk.length, at + this.#length - this.#bodyFilled);
      if (this.#body === undefined && end - at === this.#length) {
        this.#headFilled = 0;
        take(chunk.subarray(at, end), this.#isCompressed);
      } else this.#append(chunk, at, end, take);
      at = end;
    }
    this.#takeEmpty(take);
  }

  #append(chunk: Buffer, start: number, end: number, take: TakeMessage): void {
    const filled = this.#bodyFilled + end - start;
    let body = this.#body ?? Buffer.allocUnsafeSlow(Math.min(this.#length, FIRST_BYTES_MAX));
    if (filled > body.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(this.#length, Math.max(filled, 2 * body.length)),
      );
      body.copy(grown, 0, 0, this.#bodyFilled);
      body = grown;
    }
    chunk.copy(body, this.#bodyFilled, start, end);
    this.#body = body;
    this.#bodyFilled = filled;
    if (filled < this.#length) return;
    this.#body = undefined;
    this.#bodyFilled = 0;
    this.#headFilled = 0;
    take(body, this.#isCompressed);
  }

  /** A message of no bytes is whole with its head. */
  #takeEmpty(take: TakeMessage): void {
    if (this.#headFilled < FRAME_HEAD_BYTES || this.#length > 0) return;
    this.#headFilled = 0;
    take(Buffer.alloc(0), this.#isCompressed);
  }

  #fillHead(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + FRAME_HEAD_BYTES - this.#headFilled);
    for (let i = at; i < end; i++) this.#head[this.#headFilled++] = chunk[i] as number;
    if (this.#headFilled === FRAME_HEAD_BYTES) this.#readHead();
    return end - at;
  }

  #readHead(): void {
    const [flag = 0, a = 0, b = 0, c = 0, d = 0] = this.#head;
    if (flag > 1) {
      throw new MillraceError(
        "MALFORMED_REQUEST",
        `Cannot read the call: a message starts with byte ${flag}, expected 0 or 1 (compressed)`,
      );
    }
    this.#isCompressed = flag === 1;
    this.#length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (this.#length > this.#messageBytesMax) throw messageTooLarge(this.#messageBytesMax);
  }
}

export function messageTooLarge(limit: number): MillraceError {
  const message = `the message is larger than ${limit} bytes, the limit of server.bodyMax`;
  return new MillraceError("BODY_TOO_LARGE", `Cannot read the message: ${message}`, {
    problems: [{ location: ["message"], message, type: "size" }],
  });
}
