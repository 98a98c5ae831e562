/** As whole numbers of 32 bits have it in V8: beyond 31 bits a literal is a double, which costs a third more. */
const FNV_OFFSET = 0x811c9dc5 | 0;
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
  return hashCodes(salt, codesOf(unit));
}

/** As `hashUnit`, for many salts and one unit: @param codes of the unit, as `codesOf` gives them. */
export function hashCodes(salt: string, codes: Uint16Array): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < salt.length; i++) hash = Math.imul(hash ^ salt.charCodeAt(i), FNV_PRIME);
  for (let i = 0; i < codes.length; i++) hash = Math.imul(hash ^ (codes[i] as number), FNV_PRIME);
  return stepOf(fnv1aOfDigits(hash)) / HASH_STEPS;
}

/** The rest of division by the number of steps, of 32 bits without a sign: by halves, as below. */
function stepOf(hash: number): number {
  return (2 * ((hash >>> 1) % (HASH_STEPS / 2)) + (hash & 1)) % HASH_STEPS;
}

/** The UTF-16 code units of a text: reading them from here takes a third of the time that the text takes. */
function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) codes[i] = text.charCodeAt(i);
  return codes;
}

/** The code units of the unit that was asked for last: many rules ask about one. */
export class UnitCodes {
  #unit = "";
  #codes = codesOf("");

  of(unit: string): Uint16Array {
    if (unit !== this.#unit) {
      this.#unit = unit;
      this.#codes = codesOf(unit);
    }
    return this.#codes;
  }
}

/** Digits are taken five at a time. */
const HALF = 100_000;

/**
 * FNV-1a of the number as decimal text, without making the text.
 * @param hash 32 bits, read as a whole number from 0 to 2^32 − 1; so is what it returns.
 */
function fnv1aOfDigits(hash: number): number {
  // Half of it fits 31 bits; beyond them divisions are those of doubles, which take several times as long.
  const half = hash >>> 1;
  const high = (half / (HALF / 2)) | 0;
  const low = 2 * (half - high * (HALF / 2)) + (hash & 1);
  const start = high > 0 ? fnv1aOfHalf(FNV_OFFSET, high, false) : FNV_OFFSET;
  return fnv1aOfHalf(start, low, high > 0);
}

/**
 * Takes five digits, or those from the first that is not zero. Written out, because divisions of small whole numbers by
 * a constant are multiplications, which takes a quarter of the time of a loop.
 * @param value below 100,000.
 * @param isPadded are zeros in front digits too?
 */
function fnv1aOfHalf(start: number, value: number, isPadded: boolean): number {
  const tens = (value / 10) | 0;
  const hundreds = (tens / 10) | 0;
  const thousands = (hundreds / 10) | 0;
  const tenThousands = (thousands / 10) | 0;
  let hash = start;
  if (isPadded || value >= 10_000) hash = withDigit(hash, tenThousands);
  if (isPadded || value >= 1_000) hash = withDigit(hash, thousands - 10 * tenThousands);
  if (isPadded || value >= 100) hash = withDigit(hash, hundreds - 10 * thousands);
  if (isPadded || value >= 10) hash = withDigit(hash, tens - 10 * hundreds);
  return withDigit(hash, value - 10 * tens);
}

function withDigit(hash: number, digit: number): number {
  return Math.imul(hash ^ (DIGIT_ZERO + digit), FNV_PRIME);
}
