/** Source of random bytes; a port, because core has no randomness of its own. */
export type RandomBytes = (count: number) => Uint8Array;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Random bytes drawn at a time: one draw serves this many ids. */
const POOL_IDS = 256;

/** Makes UUIDs of version 7 (RFC 9562): they sort by the millisecond in which they were made. */
export class PredictionIds {
  readonly #random: RandomBytes;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  next(wallMs: number): string {
    if (this.#used + 10 > this.#pool.length) {
      this.#pool = this.#random(10 * POOL_IDS);
      this.#used = 0;
    }
    const pool = this.#pool;
    const at = this.#used;
    this.#used += 10;
    const hex = (i: number): string => HEX[pool[at + i] as number] as string;
    const time = wallMs.toString(16).padStart(12, "0");
    const version = HEX[0x70 | ((pool[at] as number) & 0x0f)] as string;
    const variant = HEX[0x80 | ((pool[at + 2] as number) & 0x3f)] as string;
    return (
      `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1)}-${variant}${hex(3)}-` +
      hex(4) +
      hex(5) +
      hex(6) +
      hex(7) +
      hex(8) +
      hex(9)
    );
  }
}
