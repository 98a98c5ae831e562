import type { RandomBytes } from "../prediction-id.ts";

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

/** Random bytes drawn at a time. */
const POOL_BYTES = 6_144;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Draws ids of traces and of spans; one draw of randomness serves many of them. */
export class TraceIds {
  readonly #random: RandomBytes;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** @returns 32 hexadecimal digits. */
  traceId(): string {
    return this.#draw(TRACE_BYTES);
  }

  /** @returns 16 hexadecimal digits. */
  spanId(): string {
    return this.#draw(SPAN_BYTES);
  }

  #draw(byteCount: number): string {
    if (this.#used + byteCount > this.#pool.length) {
      this.#pool = this.#random(POOL_BYTES);
      this.#used = 0;
    }
    let id = "";
    let any = 0;
    const end = this.#used + byteCount;
    while (this.#used < end) {
      const byte = this.#pool[this.#used++] as number;
      any |= byte;
      id += HEX[byte] as string;
    }
    return any === 0 ? this.#draw(byteCount) : id; // zero means that there is none
  }
}
