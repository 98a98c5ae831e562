/** Counts of a histogram as JSON: the index of each bucket that is not empty, and its count. */
export interface HistogramCounts {
  /** Of the values: `us`. */
  readonly unit: "us";
  /** Significant digits that values keep. */
  readonly digits: 3;
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/** Values above count as this one: an hour. */
export const HIGHEST_US = 3_600_000_000;

/**
 * Counts of times in whole µs, each kept to 2 or 3 significant digits, in the buckets of HdrHistogram (G. Tene): within
 * each power of two equally wide ones, so that the error is relative. Memory grows with the highest value only:
 * with 3 digits 90 KiB for an hour, with 2 digits 5 KiB for 100 ms. A bucket counts to 4,294,967,295 and stays there.
 */
export class HdrHistogram {
  readonly digits: 2 | 3;
  readonly #layout: BucketLayout;
  #counts: Uint32Array;
  #count = 0;
  #min = Infinity;
  #max = 0;

  constructor(digits: 2 | 3 = 3) {
    this.digits = digits;
    this.#layout = digits === 3 ? THREE_DIGITS : TWO_DIGITS;
    this.#counts = new Uint32Array(2 * this.#layout.half);
  }

  /** Values recorded. */
  get count(): number {
    return this.#count;
  }

  /** Exact; 0 where nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** Exact, also above `HIGHEST_US`. */
  get max(): number {
    return this.#max;
  }

  /** Of the middles of the buckets. */
  get mean(): number {
    if (this.#count === 0) return 0;
    let sum = 0;
    for (const [index, count] of this.#counts.entries()) {
      if (count > 0) sum += count * middleOf(this.#layout, index);
    }
    return sum / this.#count;
  }

  /** @param valueUs rounded to whole µs; below 0 it counts as 0. */
  record(valueUs: number, count = 1): void {
    // Not `< 0`: NaN counts as 0 too, and spoils no index.
    const value = valueUs > 0 ? Math.round(valueUs) : 0;
    this.#add(indexOf(this.#layout, Math.min(value, HIGHEST_US)), count);
    this.#count += count;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /**
   * Records a value of a closed loop, and those that were not measured because this one held them up: one each expected
   * interval, `value − interval`, `value − 2 · interval`, … down to the interval.
   */
  recordCorrected(valueUs: number, intervalUs: number): void {
    this.record(valueUs);
    if (!(intervalUs > 0)) return;
    for (let missed = valueUs - intervalUs; missed >= intervalUs; missed -= intervalUs)
      this.record(missed);
  }

  /** Adds the counts of another one of the same digits. */
  merge(other: HdrHistogram): void {
    if (other.digits !== this.digits) {
      throw new RangeError(
        `Cannot merge histograms: they have ${this.digits} and ${other.digits} digits`,
      );
    }
    for (const [index, count] of other.#counts.entries()) if (count > 0) this.#add(index, count);
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * @param share 0 to 1.
   * @returns the highest value of the bucket below which, or in which, this share of the values lies; 0 where nothing
   *   was recorded.
   */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count - 1e-9 * this.#count));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] as number;
      if (seen >= rank) return Math.min(highestOf(this.#layout, index), this.#max);
    }
    return this.#max;
  }

  /** @throws RangeError of one with 2 digits, which no report has. */
  toJSON(): HistogramCounts {
    if (this.digits !== 3)
      throw new RangeError(`Cannot write a histogram: it has ${this.digits} digits, 3 are needed`);
    const indexes: number[] = [];
    const counts: number[] = [];
    for (const [index, count] of this.#counts.entries()) {
      if (count === 0) continue;
      indexes.push(index);
      counts.push(count);
    }
    return { unit: "us", digits: 3, indexes, counts };
  }

  /** One with these counts; its least and highest value are those of the outermost buckets. */
  static from(json: HistogramCounts): HdrHistogram {
    const histogram = new HdrHistogram();
    for (const [at, index] of json.indexes.entries()) {
      const count = json.counts[at] ?? 0;
      if (!(index >= 0 && index <= LAST_INDEX && count > 0)) continue;
      histogram.#add(index, count);
      histogram.#count += count;
      histogram.#min = Math.min(histogram.#min, lowestOf(THREE_DIGITS, index));
      histogram.#max = Math.max(histogram.#max, highestOf(THREE_DIGITS, index));
    }
    return histogram;
  }

  #add(index: number, count: number): void {
    if (index >= this.#counts.length) this.#grow(index);
    const counts = this.#counts;
    counts[index] = Math.min((counts[index] as number) + count, COUNT_MAX);
  }

  /** To the end of the power of two the index lies in. */
  #grow(index: number): void {
    const { half } = this.#layout;
    const grown = new Uint32Array((Math.floor(index / half) + 1) * half);
    grown.set(this.#counts);
    this.#counts = grown;
  }
}

/** The first 2 · half buckets are 1 µs wide; from there on, half buckets for each power of two. */
interface BucketLayout {
  readonly half: number;
  /** Bits of `half`. */
  readonly bits: number;
}

const THREE_DIGITS: BucketLayout = { half: 1024, bits: 10 };
const TWO_DIGITS: BucketLayout = { half: 128, bits: 7 };
const COUNT_MAX = 2 ** 32 - 1;
const LAST_INDEX = indexOf(THREE_DIGITS, HIGHEST_US);

/** @param value whole, 0 to HIGHEST_US, which is below 2³². */
function indexOf({ bits }: BucketLayout, value: number): number {
  const exponent = Math.max(0, 31 - bits - Math.clz32(value));
  return (exponent << bits) + (value >>> exponent);
}

/** Bits that the values of a bucket are shifted by. */
function exponentOf({ half, bits }: BucketLayout, index: number): number {
  return index < 2 * half ? 0 : (index >>> bits) - 1;
}

function lowestOf(layout: BucketLayout, index: number): number {
  const exponent = exponentOf(layout, index);
  return (index - (exponent << layout.bits)) * 2 ** exponent;
}

function highestOf(layout: BucketLayout, index: number): number {
  return lowestOf(layout, index) + 2 ** exponentOf(layout, index) - 1;
}

function middleOf(layout: BucketLayout, index: number): number {
  return lowestOf(layout, index) + Math.floor(2 ** exponentOf(layout, index) / 2);
}
