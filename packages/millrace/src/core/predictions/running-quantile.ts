/** Factor of the first steps; it shrinks, so that the estimate settles. */
const STEP_FIRST = 0.5;
const STEP_LAST = 0.02;
const STEP_DECAY = 0.99;

/** Values before which nothing is said to be above it. */
const WARM_UP = 100;

/**
 * Estimates a quantile of positive values as they come, in two numbers: a value above it moves it up, one below a little
 * down, so that it rests where the shares balance. It follows what changes, over some hundred values.
 */
export class RunningQuantile {
  readonly #share: number;
  #estimate = 0;
  #step = STEP_FIRST;
  #count = 0;

  /** @param share of the values that are below it: 0.99. */
  constructor(share: number) {
    this.#share = share;
  }

  get estimate(): number {
    return this.#estimate;
  }

  /** @returns whether the value is above what was the quantile until now. */
  observe(value: number): boolean {
    const isAbove = value > this.#estimate;
    if (this.#estimate === 0) this.#estimate = value;
    else if (isAbove) this.#estimate *= 1 + this.#step * this.#share;
    else this.#estimate *= 1 - this.#step * (1 - this.#share);
    this.#step = Math.max(STEP_LAST, this.#step * STEP_DECAY);
    if (this.#count < WARM_UP) {
      this.#count++;
      return false;
    }
    return isAbove;
  }
}
