import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { chiSquaredSurvival } from "./chi-squared-survival.ts";
import { logBeta } from "./log-beta.ts";
import { logGamma } from "./log-gamma.ts";
import { normalCdf } from "./normal-cdf.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { regularizedBeta } from "./regularized-beta.ts";
import { regularizedGammaUpper } from "./regularized-gamma.ts";
import { studentCdf } from "./student-cdf.ts";
import { studentQuantile } from "./student-quantile.ts";

// Of scipy 1.17.1: betainc, gammaincc, gammaln and betaln of scipy.special, t and chi2 of scipy.stats.
const BETA = [
  [0.5, 2, 3, 0.6875],
  [0.001, 0.5, 0.5, 0.020135041633377492],
  [1e-8, 0.5, 7, 0.00029326171288476577],
  [0.3, 100, 200, 0.10884306564490986],
  [0.01, 201, 9801, 2.788227681524814e-19],
  [0.02, 201, 9801, 0.4817744112699486],
  [0.03, 201, 9801, 0.9999999997006325],
  [0.49, 10000, 10000, 0.002337059330110092],
  [0.4, 10000, 10000, 7.2639106225363e-180],
  [0.9, 5, 0.01, 0.005927369070377647],
  [1e-5, 1.5, 100000, 0.4275964088455125],
] as const;
const GAMMA = [
  [0.5, 0.1, 0.6547208460185768],
  [0.5, 20, 2.5396285894708634e-10],
  [0.5, 300, 1.674167984691805e-132],
  [0.01, 0.5, 0.005626756193967183],
  [1.5, 1e-6, 0.9999999992477476],
  [5, 40, 5.020464318829132e-13],
  [50, 50, 0.48119168452795674],
  [50, 120, 1.6008226793344963e-13],
  [1000, 900, 0.9994500977342882],
  [1000, 1200, 1.288160608628143e-9],
  [100000, 102000, 1.650606135936284e-10],
] as const;
const STUDENT = [
  [-1, 1, 0.25000000000000006],
  [-1000000, 1, 3.1830988618368455e-7],
  [-0.001, 3, 0.49963244748473046],
  [-2, 2.5, 0.07869574787898295],
  [-30, 2.5, 0.00014553235457869768],
  [0.1, 0.3, 0.522768982397932],
  [2, 10, 0.9633059826146299],
  [-37, 30, 6.802903145709941e-27],
  [-40, 200, 1.1243698267601098e-97],
  [-2.32412, 5841.742, 0.010076594001254309],
  [-5, 1000000, 2.8669989354453723e-7],
  [-3, 100000000, 0.0013498983640187468],
] as const;
const STUDENT_QUANTILES = [
  [0.025, 1, -12.706204736174705],
  [0.025, 2, -4.302652729749464],
  [0.025, 5.5, -2.501858617589239],
  [0.025, 5841.742, -1.960370156956713],
  [1e-6, 4, -41.577854150450975],
  [1e-12, 4, -1316.0727465592565],
  [1e-12, 50, -9.260139683684146],
  [1e-30, 100, -16.564489177605758],
  [0.001, 0.3, -300718580.879097],
  [0.4, 0.7, -0.35603136523468015],
  [1e-9, 1000000, -5.997862455710896],
  [0.6, 3, 0.2766706623326898],
  [0.975, 12, 2.1788128296672284],
] as const;
const CHI_SQUARED = [
  [3.84, 1, 0.05004352124870519],
  [10.83, 1, 0.0009986863791802592],
  [0.0001, 1, 0.9920212873707368],
  [1400, 1, 2.1010145162644003e-306],
  [7, 5, 0.22064030793671066],
  [150, 100, 0.0009039320423540184],
  [60, 100, 0.999481108537452],
] as const;
const LOG_GAMMA = [
  [1e-10, 23.025850929882733],
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247],
  [0.9, 0.06637623973474327],
  [1.5, -0.12078223763524526],
  [3.3, 0.9870985778947343],
  [15.9, 27.625493215168696],
  [100.5, 361.43554046777757],
  [100000000, 1742068066.1038349],
] as const;
const LOG_BETA = [
  [0.5, 0.5, 1.1447298858494],
  [2, 3, -2.4849066497880004],
  [0.01, 7, 4.580744361350888],
  [201, 9801, -986.0431604650948],
  [100000, 100000, -138633.9270613487],
] as const;

/** Of a random set of parameters from a wide range, so that every approximation has its turn. */
function parametersOf(random: TestRandom): { a: number; b: number; x: number } {
  const size = (): number => 10 ** (random.next() * 6 - 1);
  return { a: size(), b: size(), x: random.next() };
}

/** 12 digits. */
function expectDigits(found: number, wanted: number): void {
  expect(Math.abs(found - wanted)).toBeLessThan(1e-12 * Math.abs(wanted));
}

describe("regularizedBeta()", () => {
  it.each(BETA)("regularizedBeta(%d, %d, %d) has 12 digits of %d", (x, a, b, p) => {
    expectDigits(regularizedBeta(x, a, b), p);
  });

  it("regularizedBeta() and the other tail add up to 1", () => {
    const random = new TestRandom(1);
    for (let i = 0; i < 500; i++) {
      const { a, b, x } = parametersOf(random);
      const sum = regularizedBeta(x, a, b) + regularizedBeta(1 - x, b, a);
      expect(Math.abs(sum - 1), `${a} ${b} ${x}`).toBeLessThan(1e-11);
    }
  });

  it("regularizedBeta() is 0 and 1 at the ends, and NaN outside", () => {
    expect([0, 1].map((x) => regularizedBeta(x, 2, 3))).toEqual([0, 1]);
    expect([regularizedBeta(1.1, 2, 3), regularizedBeta(0.5, 0, 3)]).toEqual([NaN, NaN]);
  });
});

describe("regularizedGammaUpper()", () => {
  it.each(GAMMA)("regularizedGammaUpper(%d, %d) has 12 digits of %d", (a, x, p) => {
    expectDigits(regularizedGammaUpper(a, x), p);
  });

  it("regularizedGammaUpper() follows the recurrence in its shape", () => {
    const random = new TestRandom(2);
    for (let i = 0; i < 500; i++) {
      const { a, x } = parametersOf(random);
      const at = a * 2 * x;
      const step = Math.exp(a * Math.log(at) - at - logGamma(a + 1));
      const next = regularizedGammaUpper(a, at) + step;
      expect(regularizedGammaUpper(a + 1, at), `${a} ${at}`).toBeCloseTo(next, 9);
    }
  });

  it("regularizedGammaUpper() is 1 and 0 at the ends, and NaN outside", () => {
    expect([0, Infinity].map((x) => regularizedGammaUpper(2, x))).toEqual([1, 0]);
    expect([regularizedGammaUpper(2, -1), regularizedGammaUpper(0, 1)]).toEqual([NaN, NaN]);
  });
});

describe("studentCdf()", () => {
  it.each(STUDENT)("studentCdf(%d, %d) has 12 digits of %d", (t, degrees, p) => {
    expectDigits(studentCdf(t, degrees), p);
  });

  it("studentCdf() is symmetric, and normal with degrees without end", () => {
    for (const t of [0, 0.3, 2, 7]) {
      expect(studentCdf(t, 4.5) + studentCdf(-t, 4.5)).toBeCloseTo(1, 14);
      expect(studentCdf(t, Infinity)).toBe(normalCdf(t));
      expect(studentCdf(t, 1e14)).toBeCloseTo(normalCdf(t), 13);
    }
  });

  it("studentCdf() is 0 and 1 at the ends, and NaN of what is no number", () => {
    expect([-Infinity, Infinity].map((t) => studentCdf(t, 3))).toEqual([0, 1]);
    expect([studentCdf(NaN, 3), studentCdf(1, 0)]).toEqual([NaN, NaN]);
  });
});

describe("studentQuantile()", () => {
  it.each(STUDENT_QUANTILES)("studentQuantile(%d, %d) has 12 digits of %d", (p, degrees, t) => {
    expectDigits(studentQuantile(p, degrees), t);
  });

  it("studentQuantile() undoes studentCdf() at any degrees", () => {
    const random = new TestRandom(3);
    for (let i = 0; i < 300; i++) {
      const degrees = 10 ** (random.next() * 8 - 0.5);
      const p = 10 ** (-12 * random.next()) / 2;
      const found = studentCdf(studentQuantile(p, degrees), degrees);
      expect(Math.abs(found / p - 1), `${p} ${degrees}`).toBeLessThan(1e-12);
    }
  });

  it("studentQuantile() is infinite at 0 and 1, 0 in the middle, NaN outside", () => {
    expect([0, 0.5, 1, -0.1, NaN].map((p) => studentQuantile(p, 3))).toEqual([
      -Infinity,
      0,
      Infinity,
      NaN,
      NaN,
    ]);
    expect(studentQuantile(0.2, Infinity)).toBe(normalQuantile(0.2));
  });
});

describe("chiSquaredSurvival()", () => {
  it.each(CHI_SQUARED)("chiSquaredSurvival(%d, %d) has 12 digits of %d", (x, degrees, p) => {
    expectDigits(chiSquaredSurvival(x, degrees), p);
  });
});

describe("logGamma()", () => {
  it.each(LOG_GAMMA)("logGamma(%d) has 12 digits of %d", (x, wanted) => {
    expectDigits(logGamma(x), wanted);
  });

  it("logGamma() is 0 of 1 and 2, and NaN of what is not above 0", () => {
    expect(logGamma(1)).toBeCloseTo(0, 14);
    expect(logGamma(2)).toBeCloseTo(0, 14);
    expect([logGamma(0), logGamma(-1)]).toEqual([NaN, NaN]);
  });
});

describe("logBeta()", () => {
  it.each(LOG_BETA)("logBeta(%d, %d) has 12 digits of %d", (a, b, wanted) => {
    expectDigits(logBeta(a, b), wanted);
  });

  it("logBeta() keeps its digits where one shape is large: B(10⁶, ½) is π/B(½, 10⁶ + ½)/10⁶", () => {
    const product = logBeta(1e6, 0.5) + logBeta(1e6 + 0.5, 0.5);
    expectDigits(product, Math.log(Math.PI / 1e6));
  });
});
