import { absoluteDifference } from "../../packages/millrace/src/core/stats/absolute-difference.ts";
import { quantile } from "../../packages/millrace/src/core/stats/quantile.ts";
import {
  ratioSummary,
  type RatioSums,
} from "../../packages/millrace/src/core/stats/ratio-summary.ts";
import { sequentialBound } from "../../packages/millrace/src/core/stats/sequential-bound.ts";
import { shareSummary } from "../../packages/millrace/src/core/stats/share-summary.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** A guardrail on errors of which there are hardly any. */
export const RARE = {
  seed: 20_260_705,
  runs: 1_000,
  /** Requests of a unit: from 1 to this, all alike likely. */
  requestsMax: 9,
  /** Share of requests that fail in the control arm. */
  rate: 0.001,
  /** Share that fails in the arm: as many, as many as is just not all right any more, far too many. */
  armRates: [0.001, 0.011, 0.05],
  /** So much more is all right. */
  margin: 0.01,
  unitsPerLook: 20,
  looks: 200,
  alpha: 0.05,
} as const;

export const RARE_SUMMARIES = { ratioSummary, shareSummary } as const;
export type RareSummary = keyof typeof RARE_SUMMARIES;

export interface RareOutcome {
  readonly armRate: number;
  readonly summary: RareSummary;
  /** Share of runs in which the arm was held worse than the control arm at any look. */
  readonly worse: number;
  /** Share of runs in which it was held worse by more than the margin. */
  readonly regressed: number;
  /** Share of runs in which it was held worse by less than the margin. */
  readonly safe: number;
  /** Median units of each arm at the first look that said so; undefined when most runs never did. */
  readonly unitsToRegressed: number | undefined;
  readonly unitsToSafe: number | undefined;
}

interface FirstUnits {
  worse: number;
  regressed: number;
  safe: number;
}

export function simulateRareErrors(count: number = RARE.runs): RareOutcome[] {
  return RARE.armRates.flatMap((armRate) => {
    const random = new TestRandom(RARE.seed);
    const runs = Array.from({ length: count }, () => simulateRun(armRate, random));
    return (["ratioSummary", "shareSummary"] as const).map((summary) =>
      outcomeOf(
        armRate,
        summary,
        runs.map((run) => run[summary]),
      ),
    );
  });
}

function simulateRun(armRate: number, random: TestRandom): Record<RareSummary, FirstUnits> {
  const first = {
    ratioSummary: { worse: Infinity, regressed: Infinity, safe: Infinity },
    shareSummary: { worse: Infinity, regressed: Infinity, safe: Infinity },
  };
  let control = emptySums();
  let arm = emptySums();
  for (let look = 0; look < RARE.looks; look++) {
    control = withUnits(control, RARE.rate, random);
    arm = withUnits(arm, armRate, random);
    for (const summary of ["ratioSummary", "shareSummary"] as const) {
      const of = RARE_SUMMARIES[summary];
      const difference = absoluteDifference(of(control), of(arm))!;
      const { low, high } = sequentialBound(difference, { alpha: RARE.alpha });
      const noted = first[summary];
      if (low > 0) noted.worse = Math.min(noted.worse, arm.count);
      if (low > RARE.margin) noted.regressed = Math.min(noted.regressed, arm.count);
      if (high < RARE.margin) noted.safe = Math.min(noted.safe, arm.count);
    }
  }
  return first;
}

function emptySums(): RatioSums {
  return {
    count: 0,
    numerator: 0,
    denominator: 0,
    numeratorSquares: 0,
    denominatorSquares: 0,
    products: 0,
  };
}

function withUnits(sums: RatioSums, rate: number, random: TestRandom): RatioSums {
  const next = { ...sums };
  for (let unit = 0; unit < RARE.unitsPerLook; unit++) {
    const requests = 1 + random.below(RARE.requestsMax);
    let errors = 0;
    for (let i = 0; i < requests; i++) if (random.next() < rate) errors++;
    next.count++;
    next.numerator += errors;
    next.denominator += requests;
    next.numeratorSquares += errors * errors;
    next.denominatorSquares += requests * requests;
    next.products += errors * requests;
  }
  return next;
}

function outcomeOf(
  armRate: number,
  summary: RareSummary,
  runs: readonly FirstUnits[],
): RareOutcome {
  const share = (key: keyof FirstUnits): number =>
    runs.filter((run) => run[key] < Infinity).length / runs.length;
  const median = (key: keyof FirstUnits): number | undefined => {
    const value = quantile(Float64Array.from(runs, (run) => run[key]).toSorted(), 0.5);
    return Number.isFinite(value) ? value : undefined;
  };
  return {
    armRate,
    summary,
    worse: share("worse"),
    regressed: share("regressed"),
    safe: share("safe"),
    unitsToRegressed: median("regressed"),
    unitsToSafe: median("safe"),
  };
}
