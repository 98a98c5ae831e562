const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const DIGIT_ZERO = 0x30;

/** Shares are told apart in steps of 0.01 %. */
export const HASH_STEPS = 10_000;

/**
 * Where a unit falls: a number in [0, 1), the same for the same salt and unit in every process and for good, evenly
 * spread over units, and independent between salts. Steps are 1/10,000.
 *
 * It is GrowthBook's hash version 2, FNV-1a 32 of the decimal digits of FNV-1a 32 of `salt + unit`, over UTF-16 code
 * units, so an assignment made there can be repeated here. The second round mixes what the first one leaves of the
 * likeness of similar units. Makes no text.
 */
export function hashUnit(salt: string, unit: string): number {
  const first = fnv1a(fnv1a(FNV_OFFSET, salt), unit) >>> 0;
  return (fnv1aOfDigits(first) % HASH_STEPS) / HASH_STEPS;
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

const HALF = 100_000;

/** FNV-1a of the number as decimal text, without making the text. @param value whole, below 2^32. */
function fnv1aOfDigits(value: number): number {
  const high = Math.floor(value / HALF);
  const low = (value - high * HALF) | 0;
  const start = high > 0 ? fnv1aOfHalf(FNV_OFFSET, high | 0, false) : FNV_OFFSET;
  return fnv1aOfHalf(start, low, high > 0) >>> 0;
}

/**
 * Takes five digits. Of whole numbers of 31 bits, because divisions of larger ones are those of doubles, which take
 * twice as long (118 ns a unit instead of 250).
 * @param value below 100,000.
 * @param isPadded are zeros in front digits too?
 */
function fnv1aOfHalf(start: number, value: number, isPadded: boolean): number {
  let unit = HALF / 10;
  if (!isPadded) while (unit > value && unit > 1) unit = (unit / 10) | 0;
  let hash = start;
  for (let rest = value; unit >= 1; unit = (unit / 10) | 0) {
    const digit = (rest / unit) | 0;
    rest = (rest - digit * unit) | 0;
    hash = Math.imul(hash ^ (DIGIT_ZERO + digit), FNV_PRIME);
  }
  return hash;
}
