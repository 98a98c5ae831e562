/** Predicts how long a run takes from the runs before it. */
export interface LatencyEstimate {
  /** Milliseconds a run of `rows` rows takes, with room: 95 of 100 runs end sooner. */
  predictMs(rows: number): number;
}

/** How fast old runs are forgotten by the line: a run counts 0.98 of the one after it. */
const FORGETTING = 0.98;

/**
 * Weight of the slope as it is, in rows²: runs of one size say nothing about it, and of nearly one size almost
 * nothing but noise.
 */
const SLOPE_WEIGHT = 1;

/** Runs of one size after which their own mean is better than the line; real curves have steps. */
const SAMPLES_OF_SIZE = 8;

/** Weight of the newest run in the mean of its size. */
const NEWEST_WEIGHT = 0.1;

/** The room that `predictMs` leaves, as a factor: where it starts and what it may become. */
const ROOM_FIRST = 1.1;
const ROOM_MAX = 4;
const ROOM_STEP = 0.05;
const ROOM_QUANTILE = 0.95;

/**
 * Time of a run as `perRow * rows + fixed`, learnt by least squares with exponential forgetting. It is kept as
 * weighted sums and not in the recursive form, because both parts stay above zero: cutting the recursive one there
 * lets it diverge. Sizes that occurred often have their own mean. The room on top follows the 95th percentile of
 * measured to expected.
 */
export class LatencyModel implements LatencyEstimate {
  #perRowMs = 0;
  #fixedMs = 0;
  #room = ROOM_FIRST;
  #sampleCount = 0;
  /** Sums over the runs, the newest with weight 1: of 1, rows, rows², time and rows · time. */
  #count = 0;
  #sumRows = 0;
  #sumRows2 = 0;
  #sumMs = 0;
  #sumRowsMs = 0;
  readonly #meanMs: Float64Array;
  readonly #countOf: Uint32Array;

  /** @param rowsMax sizes above it are taken for `rowsMax` where sizes are kept apart. */
  constructor(rowsMax: number) {
    this.#meanMs = new Float64Array(rowsMax + 1);
    this.#countOf = new Uint32Array(rowsMax + 1);
  }

  get perRowMs(): number {
    return this.#perRowMs;
  }

  get fixedMs(): number {
    return this.#fixedMs;
  }

  /** Runs it has learnt from. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Takes over what another model has learnt, for a shape that has not run yet. */
  startFrom(other: LatencyModel): void {
    this.#perRowMs = other.#perRowMs;
    this.#fixedMs = other.#fixedMs;
    this.#room = other.#room;
    this.#sampleCount = other.#sampleCount;
  }

  /**
   * Takes a time that was measured with care, such as the shortest of several runs: the size counts as known.
   * @param tookMs time of one run of `rows` rows, above zero.
   */
  teach(rows: number, tookMs: number): void {
    for (let i = 0; i < SAMPLES_OF_SIZE; i++) {
      this.#learnLine(rows, tookMs);
      this.#learnSize(rows, tookMs);
    }
    this.#sampleCount += SAMPLES_OF_SIZE;
  }

  /** @param tookMs time of one run of `rows` rows, above zero. */
  observe(rows: number, tookMs: number): void {
    const expectedMs = this.expectMs(rows);
    if (this.#sampleCount > 0 && expectedMs > 0) this.#learnRoom(tookMs / expectedMs);
    this.#learnLine(rows, tookMs);
    this.#learnSize(rows, tookMs);
    this.#sampleCount++;
  }

  /** Milliseconds a run takes on average; 0 before the first observation. */
  expectMs(rows: number): number {
    const size = Math.min(rows, this.#countOf.length - 1);
    if (size === rows && (this.#countOf[size] as number) >= SAMPLES_OF_SIZE) {
      return this.#meanMs[size] as number;
    }
    return this.#perRowMs * rows + this.#fixedMs;
  }

  predictMs(rows: number): number {
    return this.expectMs(rows) * this.#room;
  }

  /** Stochastic approximation of the quantile: up by 95 parts where it was too low, down by 5 where not. */
  #learnRoom(ratio: number): void {
    const change = ratio > this.#room ? ROOM_QUANTILE : ROOM_QUANTILE - 1;
    this.#room = Math.min(ROOM_MAX, Math.max(1, this.#room + ROOM_STEP * change));
  }

  #learnSize(rows: number, tookMs: number): void {
    if (rows >= this.#countOf.length) return;
    const count = (this.#countOf[rows] as number) + 1;
    this.#countOf[rows] = Math.min(count, SAMPLES_OF_SIZE);
    const weight = count <= SAMPLES_OF_SIZE ? 1 / count : NEWEST_WEIGHT;
    this.#meanMs[rows] =
      (this.#meanMs[rows] as number) + weight * (tookMs - (this.#meanMs[rows] as number));
  }

  #learnLine(rows: number, tookMs: number): void {
    this.#count = this.#count * FORGETTING + 1;
    this.#sumRows = this.#sumRows * FORGETTING + rows;
    this.#sumRows2 = this.#sumRows2 * FORGETTING + rows * rows;
    this.#sumMs = this.#sumMs * FORGETTING + tookMs;
    this.#sumRowsMs = this.#sumRowsMs * FORGETTING + rows * tookMs;
    const meanRows = this.#sumRows / this.#count;
    const meanMs = this.#sumMs / this.#count;
    const spread = Math.max(0, this.#sumRows2 - meanRows * this.#sumRows);
    const joint = this.#sumRowsMs - meanRows * this.#sumMs;
    const perRowMs = (joint + SLOPE_WEIGHT * this.#perRowMs) / (spread + SLOPE_WEIGHT);
    const fixedMs = meanMs - perRowMs * meanRows;
    // Neither part can be below zero: then the best line with that part at zero is it.
    this.#perRowMs = fixedMs < 0 ? this.#sumRowsMs / this.#sumRows2 : Math.max(0, perRowMs);
    this.#fixedMs = perRowMs < 0 ? meanMs : Math.max(0, fixedMs);
  }
}
