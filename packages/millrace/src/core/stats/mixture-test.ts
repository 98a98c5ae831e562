import { mixtureRatio, type MixtureSample } from "./mixture-ratio.ts";

/**
 * The mixture sequential probability ratio test of one difference: a p-value that is valid at every look, and never rises
 * again: what was once found stays found.
 */
export class MixtureTest {
  readonly #effectVariance: number;
  #pValue = 1;

  /** @param effectVariance the square of a usual effect, in the unit of the metric squared */
  constructor(effectVariance: number) {
    this.#effectVariance = effectVariance;
  }

  /** The least of 1/ratio over all looks, at most 1. */
  get pValue(): number {
    return this.#pValue;
  }

  /** @returns the p-value after this look. */
  look(sample: Omit<MixtureSample, "effectVariance">): number {
    const ratio = mixtureRatio({ ...sample, effectVariance: this.#effectVariance });
    this.#pValue = Math.min(this.#pValue, 1 / ratio);
    return this.#pValue;
  }
}
