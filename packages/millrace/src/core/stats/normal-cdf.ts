type Coefficients = readonly number[];

/** Of the highest power first. */
const CENTRE: readonly [Coefficients, Coefficients] = [
  [
    0.06568233791820745, 2.2352520354606837, 161.02823106855587, 1067.6894854603709,
    18154.98125334356,
  ],
  [1, 47.202581904688245, 976.0985517377767, 10260.932208618979, 45507.78933502673],
];
const MIDDLE: readonly [Coefficients, Coefficients] = [
  [
    1.0765576773720192e-8, 0.39894151208813466, 8.883149794388377, 93.50665613217785,
    597.2702763948002, 2494.5375852903726, 6848.190450536283, 11602.65143764735, 9842.714838383978,
  ],
  [
    1, 22.266688044328117, 235.387901782625, 1519.3775994075547, 6485.558298266761,
    18615.571640885097, 34900.95272114598, 38912.00328609327, 19685.429676859992,
  ],
];
const TAIL: readonly [Coefficients, Coefficients] = [
  [
    0.023073441764940174, 0.215898534057957, 0.12740116116024736, 0.022235277870649807,
    0.0014216191932278934, 0.000029112874951168793,
  ],
  [
    1, 1.284260096144911, 0.4682382124808651, 0.06598813786892856, 0.0037823963320275824,
    0.00007297515550839662,
  ],
];

/** Where the three approximations meet. */
const CENTRE_MAX = 0.67448975;
const MIDDLE_MAX = Math.sqrt(32);
/** What is beyond is smaller than every double. */
const TAIL_MAX = 40;
const INVERSE_SQRT_2PI = 0.3989422804014327;

/**
 * Probability that a standard normal variable lies below `x`, to about 15 digits of the smaller tail: rational
 * approximations of W. J. Cody (Mathematics of Computation 23, 1969; ACM Algorithm 715, 1993).
 */
export function normalCdf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size <= CENTRE_MAX) return 0.5 + x * ratio(CENTRE, x * x);
  if (size > TAIL_MAX) return x < 0 ? 0 : 1;
  const tail = density(size) * (size <= MIDDLE_MAX ? ratio(MIDDLE, size) : farTail(size));
  return x < 0 ? tail : 1 - tail;
}

/** e^(−x²/2), in two factors so that the square loses no digits. */
function density(size: number): number {
  const coarse = Math.trunc(size * 16) / 16;
  const rest = (size - coarse) * (size + coarse);
  return Math.exp(-0.5 * coarse * coarse) * Math.exp(-0.5 * rest);
}

function farTail(size: number): number {
  const inverse = 1 / (size * size);
  return (INVERSE_SQRT_2PI - inverse * ratio(TAIL, inverse)) / size;
}

function ratio([above, below]: readonly [Coefficients, Coefficients], x: number): number {
  return polynomial(above, x) / polynomial(below, x);
}

function polynomial(coefficients: Coefficients, x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
