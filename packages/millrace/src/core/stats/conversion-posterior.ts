import { logBeta } from "./log-beta.ts";
import type { Proportion } from "./two-proportion-test.ts";

export interface ConversionPosterior {
  /** Probability that more units of the arm do it than of the control arm. */
  readonly chance: number;
  /** Proportion that is lost on average by choosing the control arm or the arm. */
  readonly loss: { readonly control: number; readonly arm: number };
}

/**
 * What to believe of two proportions when each was Beta(1, 1) before: any as likely as any other. Exact; it takes as many
 * steps as the arm and the control arm have successes.
 * @param control whole numbers
 * @param arm whole numbers
 */
export function conversionPosterior(control: Proportion, arm: Proportion): ConversionPosterior {
  const a = shapeOf(control);
  const b = shapeOf(arm);
  return {
    chance: chanceOfMore(b, a),
    loss: { control: expectedLead(b, a), arm: expectedLead(a, b) },
  };
}

/** Of a Beta distribution. */
interface Shape {
  readonly alpha: number;
  readonly beta: number;
}

function shapeOf({ successes, count }: Proportion): Shape {
  return { alpha: successes + 1, beta: count - successes + 1 };
}

/**
 * E[max(X − Y, 0)] = E[X]·P(X⁺ > Y) − E[Y]·P(X > Y⁺), where ⁺ has one success more: x times a Beta density is a Beta density
 * again.
 */
function expectedLead(x: Shape, y: Shape): number {
  const lead =
    meanOf(x) * chanceOfMore(withSuccess(x), y) - meanOf(y) * chanceOfMore(x, withSuccess(y));
  return Math.max(0, lead);
}

function meanOf({ alpha, beta }: Shape): number {
  return alpha / (alpha + beta);
}

function withSuccess({ alpha, beta }: Shape): Shape {
  return { alpha: alpha + 1, beta };
}

/**
 * P(X > Y) = Σᵢ B(α_Y + i, β_X + β_Y)/((β_X + i)·B(1 + i, β_X)·B(α_Y, β_Y)) over i from 0 to α_X − 1 (E. Miller, Formulas for
 * Bayesian A/B testing, 2014), each term made of the one before. In logarithms, since the first ones are often below
 * every double.
 */
function chanceOfMore(x: Shape, y: Shape): number {
  const beta = x.beta + y.beta;
  let log = logBeta(y.alpha, beta) - logBeta(y.alpha, y.beta);
  let sum = 0;
  for (let i = 0; i < x.alpha; i++) {
    sum += Math.exp(log);
    log += Math.log(((y.alpha + i) * (x.beta + i)) / ((y.alpha + beta + i) * (1 + i)));
  }
  return Math.min(1, sum);
}
