/**
 * Random numbers that only a seed, a purpose and a number decide: request 5,000 of a run gets the same row and the same
 * UUID in whichever thread it is made, and again when the run is repeated.
 */
export class SeededDraws {
  readonly #key: number;
  #high = 0;
  #low = 0;
  #step = 0;

  /**
   * @param seed a whole number.
   * @param purpose draws for different purposes have nothing to do with each other.
   */
  constructor(seed: number, purpose: DrawPurpose) {
    this.#key = mixed(mixed(lowBits(seed)) + highBits(seed)) ^ mixed(PURPOSES[purpose]);
    this.startAt(0);
  }

  /** Begins the numbers of another request. @param counter a whole number, at least 0. */
  startAt(counter: number): void {
    this.#high = mixed(this.#key + Math.imul(lowBits(counter), GOLDEN_RATIO));
    this.#low = mixed(this.#high ^ this.#key ^ highBits(counter));
    this.#step = 0;
  }

  /** 32 bits, as a whole number from 0. */
  nextBits(): number {
    this.#step = (this.#step + GOLDEN_RATIO) | 0;
    return mixed(mixed(this.#step + this.#low) ^ this.#high);
  }

  /** A number in [0, 1), of 53 bits. */
  next(): number {
    return ((this.nextBits() >>> 5) * 2 ** 26 + (this.nextBits() >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

export type DrawPurpose = keyof typeof PURPOSES;

const PURPOSES = { gap: 1, target: 2, row: 3, size: 4, uuid: 5 } as const;

/** 2 ** 32 divided by the golden ratio, odd: its multiples are far apart. */
const GOLDEN_RATIO = 0x9e3779b9;

function lowBits(number: number): number {
  return number >>> 0;
}

function highBits(number: number): number {
  return Math.floor(number / 2 ** 32) >>> 0;
}

/** Every bit of a 32-bit number decides about every bit of what it becomes: the end of MurmurHash3. */
function mixed(number: number): number {
  let bits = number | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
