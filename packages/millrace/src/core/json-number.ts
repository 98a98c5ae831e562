const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const LOWER_E = 0x65;

/** 10^0 … 10^22: the powers of ten a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** A mantissa below this takes one more digit and stays below 2^53, where every whole number is exact. */
const ROOM_FOR_A_DIGIT = 900_719_925_474_099;

/** No double is written with an exponent near this; a longer one only must not overflow. */
const EXPONENT_MAX = 1_000_000;

/**
 * Scans the text of one JSON number (RFC 8259 §6) and turns most of them into doubles without making a string.
 * One scanner serves many numbers: `scan` fills the fields.
 */
export class NumberScanner {
  /** Offset behind the number, or after a failed scan of the byte that should have been a digit. */
  end = 0;
  /** Are the digits all there is: no fraction, no exponent? */
  isInteger = false;
  #isNegative = false;
  #mantissa = 0;
  /** The number is about mantissa × 10^scale. */
  #scale = 0;
  /** Is it exactly that? Otherwise digits were left out, and it lies between that and (mantissa + 1) × 10^scale. */
  #isComplete = true;

  /** @returns false when no JSON number stands at `start`. A digit behind a leading zero is not part of it. */
  scan(bytes: Uint8Array, start: number): boolean {
    this.#isNegative = bytes[start] === MINUS;
    const whole = this.#isNegative ? start + 1 : start;
    let at = whole;
    let mantissa = 0;
    let scale = 0;
    let isComplete = true;
    let digit = (bytes[at] as number) - ZERO;
    if (digit === 0) digit = (bytes[++at] as number) - ZERO;
    else {
      while (digit >= 0 && digit <= 9) {
        if (mantissa < ROOM_FOR_A_DIGIT) mantissa = mantissa * 10 + digit;
        else {
          isComplete = false;
          scale++;
        }
        digit = (bytes[++at] as number) - ZERO;
      }
    }
    this.end = at;
    if (at === whole) return false;
    if (bytes[at] === DOT) {
      digit = (bytes[++at] as number) - ZERO;
      while (digit >= 0 && digit <= 9) {
        if (mantissa < ROOM_FOR_A_DIGIT) {
          mantissa = mantissa * 10 + digit;
          scale--;
        } else isComplete = false;
        digit = (bytes[++at] as number) - ZERO;
      }
      if (at === this.end + 1) {
        this.end = at;
        return false;
      }
    }
    this.isInteger = at === this.end;
    this.end = at;
    this.#mantissa = mantissa;
    this.#scale = scale;
    this.#isComplete = isComplete;
    return ((bytes[at] as number) | 0x20) !== LOWER_E || this.#scanExponent(bytes, at + 1);
  }

  #scanExponent(bytes: Uint8Array, from: number): boolean {
    const sign = bytes[from];
    const start = sign === MINUS || sign === PLUS ? from + 1 : from;
    let at = start;
    let exponent = 0;
    let digit = (bytes[at] as number) - ZERO;
    while (digit >= 0 && digit <= 9) {
      exponent = Math.min(exponent * 10 + digit, EXPONENT_MAX);
      digit = (bytes[++at] as number) - ZERO;
    }
    this.end = at;
    this.isInteger = false;
    this.#scale += sign === MINUS ? -exponent : exponent;
    return at > start;
  }

  /**
   * @returns the double nearest to the number; undefined when that takes more than one rounding. Clinger's
   * fast path: mantissa and power of ten are exact doubles, so one operation rounds once.
   */
  toDouble(): number | undefined {
    if (!this.#isComplete || Math.abs(this.#scale) > 22) return undefined;
    return this.#signed(this.#scaled(this.#mantissa));
  }

  /**
   * @returns the FP32 number that `Math.fround` gives for the nearest double; undefined as above. Rounding keeps
   * order, so where both bounds of a number with digits left out round to one FP32 number, the number does too.
   */
  toSingle(): number | undefined {
    if (Math.abs(this.#scale) > 22) return undefined;
    const value = Math.fround(this.#scaled(this.#mantissa));
    const isCertain = this.#isComplete || value === Math.fround(this.#scaled(this.#mantissa + 1));
    return isCertain ? this.#signed(value) : undefined;
  }

  #scaled(mantissa: number): number {
    const power = POWERS_OF_TEN[Math.abs(this.#scale)] as number;
    return this.#scale < 0 ? mantissa / power : mantissa * power;
  }

  #signed(value: number): number {
    return this.#isNegative ? -value : value;
  }
}
