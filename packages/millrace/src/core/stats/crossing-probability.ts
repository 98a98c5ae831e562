import { gaussLegendre } from "./gauss-legendre.ts";
import { normalCdf } from "./normal-cdf.ts";

/** Beyond, a normal variable is not found by double numbers. */
const Z_MAX = 38;
const INVERSE_SQRT_2PI = 0.3989422804014327;

/**
 * Probability that a z-statistic of a difference that is not there leaves ±bounds[k] at one of the looks, which follow
 * each other at equal distances: the false-positive rate of who stops at the first such look. Recursive integration over
 * the part that has not left (P. Armitage, C. K. McPherson, B. C. Rowe, JRSS A 132, 1969), to some 10 digits.
 * @param bounds one for each look, above 0; `[1.96, 1.96]` is looking twice at what is meant for one look
 */
export function crossingProbability(bounds: readonly number[]): number {
  let inside: Inside | undefined;
  let left = 0;
  bounds.forEach((bound, k) => {
    // Sum of k + 1 standard normal steps, so that each look adds the same.
    const limit = Math.min(bound, Z_MAX) * Math.sqrt(k + 1);
    left += inside === undefined ? 2 * normalCdf(-limit) : leaving(inside, limit);
    inside = stepped(inside, limit);
  });
  return left;
}

/** Of those that are still inside: where they are, with density times quadrature weight. */
interface Inside {
  readonly places: Float64Array;
  readonly masses: Float64Array;
}

function leaving({ places, masses }: Inside, limit: number): number {
  return masses.reduce((sum, mass, i) => {
    const place = places[i] as number;
    return sum + mass * (normalCdf(place - limit) + normalCdf(-limit - place));
  }, 0);
}

function stepped(inside: Inside | undefined, limit: number): Inside {
  // The density has the shape of one step, wide 1, however wide the range is.
  const { points, weights } = gaussLegendre(64 + Math.ceil(8 * limit));
  const places = points.map((point) => point * limit);
  const masses = places.map((place, i) => limit * (weights[i] as number) * density(inside, place));
  return { places, masses };
}

function density(inside: Inside | undefined, place: number): number {
  if (inside === undefined) return normalDensity(place);
  const { places, masses } = inside;
  let sum = 0;
  for (let i = 0; i < places.length; i++) {
    sum += (masses[i] as number) * normalDensity(place - (places[i] as number));
  }
  return sum;
}

function normalDensity(x: number): number {
  return INVERSE_SQRT_2PI * Math.exp(-0.5 * x * x);
}
