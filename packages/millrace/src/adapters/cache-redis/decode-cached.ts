import { isDatatype } from "../../core/tensor/datatype.ts";
import { readRaw } from "../../core/tensor/raw-tensor.ts";
import { elementCountOf, type Tensor } from "../../core/tensor/tensor.ts";
import type { CachedTensors } from "../../ports/tensor-cache.ts";
import { aligned, checksumOf, MAGIC } from "./encode-cached.ts";

/** The magic, the checksum, the time and the number of tensors. */
const HEADER_BYTES = 20;

const RANK_MAX = 64;

/** Who made it stands in a header of the answer: a line break there would begin another one. */
const MADE_BY = /^[\x20-\x7e]*$/;

/**
 * @param stored as `encodeCached` wrote it. Nothing is believed: others write to the same server, and bytes get lost.
 * @returns undefined for anything else.
 */
export function decodeCached(key: string, stored: Buffer): CachedTensors | undefined {
  if (stored.length < HEADER_BYTES || stored.readUInt32LE(0) !== MAGIC) return undefined;
  if (stored.readUInt32LE(4) !== checksumOf(key, stored)) return undefined;
  // Memory of its own: a reply is a window of all that the connection has received.
  const bytes = new Uint8Array(stored);
  try {
    return new Reader(Buffer.from(bytes.buffer)).read();
  } catch {
    return undefined; // a length that points beyond the end, elements that are none
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): CachedTensors | undefined {
    const storedWallMs = this.#bytes.readDoubleLE(8);
    const count = this.#bytes.readUInt32LE(16);
    this.#at = HEADER_BYTES;
    const madeBy = this.#text();
    if (!MADE_BY.test(madeBy)) return undefined;
    const outputs: Tensor[] = [];
    while (outputs.length < count) {
      const tensor = this.#tensor();
      if (tensor === undefined) return undefined;
      outputs.push(tensor);
    }
    const isWhole = this.#at === this.#bytes.length && Number.isFinite(storedWallMs);
    return isWhole
      ? { outputs, storedWallMs, madeBy: madeBy === "" ? undefined : madeBy }
      : undefined;
  }

  #tensor(): Tensor | undefined {
    const name = this.#text();
    const datatype = this.#text();
    const rank = this.#uint32();
    if (!isDatatype(datatype) || rank > RANK_MAX) return undefined;
    const shape = Array.from({ length: rank }, () => this.#uint32());
    const elementCount = elementCountOf(shape);
    const length = this.#uint32();
    const from = aligned(this.#at);
    this.#at = from + length;
    if (elementCount === undefined || this.#at > this.#bytes.length) return undefined;
    const raw = this.#bytes.subarray(from, this.#at);
    return { name, datatype, shape, data: readRaw(raw, datatype, elementCount, [name]) };
  }

  #text(): string {
    const length = this.#uint32();
    const from = this.#at;
    this.#at += length;
    return this.#bytes.toString("utf8", from, this.#at);
  }

  #uint32(): number {
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }
}
