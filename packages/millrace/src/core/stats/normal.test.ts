import { describe, expect, it } from "vitest";
import { normalCdf } from "./normal-cdf.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** Of scipy 1.17.1, `scipy.stats.norm`. */
const CDF = [
  [-37.5, 4.605353009581954e-308],
  [-8, 6.22096057427174e-16],
  [-5.6, 1.0717590258310887e-8],
  [-3, 0.0013498980316300933],
  [-0.3, 0.3820885778110474],
  [0, 0.5],
  [0.7, 0.758036347776927],
  [5, 0.9999997133484281],
  [8, 0.9999999999999993],
] as const;
const QUANTILES = [
  [1e-300, -37.0470962993612],
  [1e-20, -9.262340089798409],
  [0.001, -3.090232306167813],
  [0.07, -1.4757910281791706],
  [0.0751, -1.4388253927525403],
  [0.2, -0.8416212335729142],
  [0.6, 0.2533471031357997],
  [0.9251, 1.4402382675279635],
  [0.975, 1.959963984540054],
  [1 - 1e-12, 7.0344869100478356],
] as const;

describe("normalCdf()", () => {
  it.each(CDF)("normalCdf(%d) has 13 digits of %d", (x, p) => {
    expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-13);
  });

  it("normalCdf() is 0 and 1 at the ends, and NaN of NaN", () => {
    expect([-Infinity, -50, 50, Infinity, NaN].map(normalCdf)).toEqual([0, 0, 1, 1, NaN]);
  });
});

describe("normalQuantile()", () => {
  it.each(QUANTILES)("normalQuantile(%d) has 13 digits of %d", (p, x) => {
    expect(Math.abs(normalQuantile(p) / x - 1)).toBeLessThan(1e-13);
  });

  it("normalQuantile() undoes normalCdf() wherever one of the three approximations takes over", () => {
    for (let x = -8; x <= 5.5; x += 0.0625) expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8);
  });

  it("normalQuantile() is infinite at 0 and 1, 0 in the middle, NaN outside", () => {
    expect([0, 0.5, 1, -0.1, 1.1, NaN].map(normalQuantile)).toEqual([
      -Infinity,
      0,
      Infinity,
      NaN,
      NaN,
      NaN,
    ]);
  });
});
