/** Powers of ten by which most numbers that people write become whole. */
const SCALES = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Between these, fewer decimals are fewer digits, and a scaled number is still exact. */
const SCALED_MIN = 1e-3;
const SCALED_MAX = 1e6;

/** The number with the fewest digits that is this FP32 number: 5.1 for 5.099999904632568. */
export function shortNumber(value: number): number {
  const size = Math.abs(value);
  if (size >= SCALED_MIN && size < SCALED_MAX) {
    for (let i = 0; i < SCALES.length; i++) {
      const scale = SCALES[i] as number;
      const rounded = Math.round(value * scale) / scale;
      if (Math.fround(rounded) === value) return rounded;
    }
  }
  return byDigits(value);
}

function byDigits(value: number): number {
  if (value === 0) return value; // digits know no sign of zero
  for (let digits = 6; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
