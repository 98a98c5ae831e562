import { absoluteDifference } from "../../packages/millrace/src/core/stats/absolute-difference.ts";
import { fixedTest } from "../../packages/millrace/src/core/stats/fixed-test.ts";
import type { SampleSummary } from "../../packages/millrace/src/core/stats/sample-summary.ts";
import { sequentialTest } from "../../packages/millrace/src/core/stats/sequential-test.ts";
import { shareSummary } from "../../packages/millrace/src/core/stats/share-summary.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

export const DELAYED = {
  seed: 20_260_702,
  runs: 2_000,
  /** One look at the end of each. */
  days: 28,
  /** A conversion counts within so many days of the exposure. */
  windowDays: 7,
  /** In both arms: what is found is not there. */
  rate: 0.1,
  alpha: 0.05,
} as const;

/** How the units and labels of an arm come. */
interface ArmSetting {
  /** New units of a day, from 0. */
  readonly unitsOf: (day: number) => number;
  /** A conversion comes so many days after the exposure at most, all delays alike likely. */
  readonly delayDaysMax: number;
}

const STEADY = (): number => 500;
/** From 50 to 950: as many in all. */
const GROWING = (day: number): number => 50 + Math.round((900 * day) / (DELAYED.days - 1));

export const DELAYED_SCENARIOS: Readonly<Record<string, readonly [ArmSetting, ArmSetting]>> = {
  "same delays, same pace": [
    { unitsOf: STEADY, delayDaysMax: 6 },
    { unitsOf: STEADY, delayDaysMax: 6 },
  ],
  "labels of the arm come later": [
    { unitsOf: STEADY, delayDaysMax: 1 },
    { unitsOf: STEADY, delayDaysMax: 6 },
  ],
  "units of the arm come later": [
    { unitsOf: STEADY, delayDaysMax: 6 },
    { unitsOf: GROWING, delayDaysMax: 6 },
  ],
};

export interface DelayedOutcome {
  readonly scenario: string;
  readonly analysis: "so far" | "matured";
  /** Share of runs in which the sequential test found a difference at any of the looks. */
  readonly foundEver: number;
  /** Share of runs in which Welch's test found one at the last look, its only one. */
  readonly foundLast: number;
  /** Mean difference at the end of each day; null without units. */
  readonly meanDifference: readonly (number | null)[];
}

export function simulateDelayedLabels(runs: number = DELAYED.runs): DelayedOutcome[] {
  return Object.entries(DELAYED_SCENARIOS).flatMap(([scenario, arms], i) => {
    const seed = DELAYED.seed + i; // the same one would give the same conversions
    const random = new TestRandom(seed);
    const tallies = { "so far": new Tally(runs), matured: new Tally(runs) };
    for (let run = 0; run < runs; run++) {
      const [control, arm] = arms.map((setting) => simulateArm(setting, random));
      for (const analysis of ["so far", "matured"] as const) {
        tallies[analysis].add(control![analysis], arm![analysis]);
      }
    }
    return (["so far", "matured"] as const).map((analysis) => ({
      scenario,
      analysis,
      ...tallies[analysis].result(),
    }));
  });
}

/** What an analysis at the end of each day knows of one arm. */
type Looks = readonly SampleSummary[];

function simulateArm(
  { unitsOf, delayDaysMax }: ArmSetting,
  random: TestRandom,
): Record<DelayedOutcome["analysis"], Looks> {
  const { days, windowDays, rate } = DELAYED;
  const zeros = (): number[] => new Array<number>(days).fill(0);
  const [exposed, convertedOn, maturing] = [zeros(), zeros(), zeros()];
  for (let day = 0; day < days; day++) {
    exposed[day] = unitsOf(day);
    for (let unit = 0; unit < unitsOf(day); unit++) {
      if (random.next() >= rate) continue;
      const at = Math.floor(day + random.next() + delayDaysMax * random.next());
      if (at < days) convertedOn[at]! += 1;
      // Every unit of the day is exposed for the whole window at the end of this one.
      if (day + windowDays < days) maturing[day + windowDays]! += 1;
    }
  }
  const maturedOn = exposed.map((_, day) => exposed[day - windowDays] ?? 0);
  return {
    "so far": summariesOf(convertedOn, exposed),
    matured: summariesOf(maturing, maturedOn),
  };
}

function summariesOf(successesOn: readonly number[], unitsOn: readonly number[]): Looks {
  let successes = 0;
  let units = 0;
  return successesOn.map((count, day) => {
    successes += count;
    units += unitsOn[day]!;
    return conversionSummary(successes, units);
  });
}

/** A ratio in which every unit counts once: with few units, none of which converted, a plain proportion knows no variance. */
function conversionSummary(conversions: number, units: number): SampleSummary {
  return shareSummary({
    count: units,
    numerator: conversions,
    denominator: units,
    numeratorSquares: conversions,
    denominatorSquares: units,
    products: conversions,
  });
}

class Tally {
  readonly #runs: number;
  #ever = 0;
  #last = 0;
  readonly #differences = new Array<number>(DELAYED.days).fill(0);

  constructor(runs: number) {
    this.#runs = runs;
  }

  add(control: Looks, arm: Looks): void {
    const differences = control.map((summary, day) => absoluteDifference(summary, arm[day]!));
    const { alpha } = DELAYED;
    const isFound = differences.some(
      (difference) =>
        difference !== undefined && sequentialTest(difference, { alpha }).pValue < alpha,
    );
    if (isFound) this.#ever++;
    const last = differences.at(-1);
    if (last !== undefined && fixedTest(last, alpha).pValue < alpha) this.#last++;
    differences.forEach((difference, day) => {
      this.#differences[day]! += difference?.value ?? NaN;
    });
  }

  result(): Omit<DelayedOutcome, "scenario" | "analysis"> {
    const runs = this.#runs;
    return {
      foundEver: this.#ever / runs,
      foundLast: this.#last / runs,
      meanDifference: this.#differences.map((sum) => (Number.isNaN(sum) ? null : sum / runs)),
    };
  }
}
