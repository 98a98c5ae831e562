import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { shortNumber } from "./short-number.ts";

it.each([
  [5.1, "5.1"],
  [-0.02, "-0.02"],
  [0.1, "0.1"],
  [16777216, "16777216"],
  [1e-7, "1e-7"],
  [3.4028234663852886e38, "3.4028235e+38"],
  [0, "0"],
])("shortNumber() writes the FP32 number of %d as %s", (value, text) => {
  expect(String(shortNumber(Math.fround(value)))).toBe(text);
});

it("shortNumber() keeps what is no number and the sign of zero", () => {
  expect(shortNumber(NaN)).toBeNaN();
  expect(shortNumber(-Infinity)).toBe(-Infinity);
  expect(shortNumber(-0)).toBe(-0);
});

it("shortNumber() is the same FP32 number, in no more digits than any other", () => {
  const random = new TestRandom(11);
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  for (let i = 0; i < 20_000; i++) {
    bits[0] = random.below(2 ** 32);
    if (i % 2 === 0) float[0] = Math.round(random.next() * 1e4) / 10 ** random.below(5);
    const value = float[0] as number;
    if (!Number.isFinite(value)) continue;
    const short = shortNumber(value);
    expect(Math.fround(short)).toBe(value);
    const digits = digitsOf(short);
    if (digits > 1) {
      const shorter = Number(value.toPrecision(Math.min(digits - 1, 9)));
      const isBetter = Math.fround(shorter) === value && digitsOf(shorter) < digits;
      expect(isBetter ? value : undefined).toBeUndefined();
    }
  }
});

function digitsOf(value: number): number {
  return String(Math.abs(value))
    .replace(/e.*$/, "")
    .replace(".", "")
    .replace(/^0+/, "")
    .replace(/0+$/, "").length;
}
