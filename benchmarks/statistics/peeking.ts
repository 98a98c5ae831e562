import { absoluteDifference } from "../../packages/millrace/src/core/stats/absolute-difference.ts";
import { MixtureTest } from "../../packages/millrace/src/core/stats/mixture-test.ts";
import { proportionSummary } from "../../packages/millrace/src/core/stats/proportion-summary.ts";
import { sequentialTest } from "../../packages/millrace/src/core/stats/sequential-test.ts";
import { twoProportionTest } from "../../packages/millrace/src/core/stats/two-proportion-test.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { binomial } from "./binomial.ts";

/** Two arms that do not differ, looked at again and again. */
export interface PeekingSetting {
  readonly seed: number;
  readonly runs: number;
  readonly looks: number;
  /** Units of each arm at the first look. */
  readonly unitsFirst: number;
  /** New units of each arm between two looks. */
  readonly unitsPerLook: number;
  /** Share of units that convert, in both arms. */
  readonly rate: number;
  readonly alpha: number;
  /** τ² of the mixture test: the square of a usual effect. */
  readonly effectVariance: number;
}

export const PEEKING: PeekingSetting = {
  seed: 20_260_701,
  runs: 2_000,
  looks: 200,
  unitsFirst: 100,
  unitsPerLook: 100,
  rate: 0.1,
  alpha: 0.05,
  effectVariance: 1e-4,
};

/** As many looks to as many units, the first one later: what is seen early is what misleads most. */
export const PEEKING_LATER: PeekingSetting = { ...PEEKING, unitsFirst: 500, unitsPerLook: 98 };

export const PEEKING_METHODS = ["naive", "sequence", "mixture"] as const;
export type PeekingMethod = (typeof PEEKING_METHODS)[number];

/** Of each method and look: share of runs in which a difference was found by then. */
export type PeekingShares = Readonly<Record<PeekingMethod, readonly number[]>>;

export function simulatePeeking(setting: PeekingSetting): PeekingShares {
  const random = new TestRandom(setting.seed);
  const found = (): number[] => new Array<number>(setting.looks).fill(0);
  const counts = { naive: found(), sequence: found(), mixture: found() };
  for (let run = 0; run < setting.runs; run++) {
    const first = firstLooks(setting, random);
    for (const method of PEEKING_METHODS) {
      for (let look = first[method]; look < setting.looks; look++) counts[method][look]! += 1;
    }
  }
  const shares = (method: PeekingMethod): number[] =>
    counts[method].map((count) => count / setting.runs);
  return { naive: shares("naive"), sequence: shares("sequence"), mixture: shares("mixture") };
}

/** @returns the look at which each method found a difference; Infinity when it never did. */
function firstLooks(setting: PeekingSetting, random: TestRandom): Record<PeekingMethod, number> {
  const { looks, unitsFirst, unitsPerLook, rate, alpha } = setting;
  const first = { naive: Infinity, sequence: Infinity, mixture: Infinity };
  const mixture = new MixtureTest(setting.effectVariance);
  let [count, control, arm] = [0, 0, 0];
  for (let look = 0; look < looks; look++) {
    const units = look === 0 ? unitsFirst : unitsPerLook;
    count += units;
    control += binomial(random, units, rate);
    arm += binomial(random, units, rate);
    const summaries = [proportionSummary(control, count), proportionSummary(arm, count)] as const;
    const difference = absoluteDifference(...summaries)!;
    const pValues: Record<PeekingMethod, number> = {
      naive: twoProportionTest({ successes: control, count }, { successes: arm, count }, "unpooled")
        .pValue,
      sequence: sequentialTest(difference, { alpha }).pValue,
      mixture: mixture.look({
        difference: difference.value,
        variance: summaries[0].variance + summaries[1].variance,
        count,
      }),
    };
    for (const method of PEEKING_METHODS) {
      if (pValues[method] < alpha) first[method] = Math.min(first[method], look);
    }
  }
  return first;
}
