import { absoluteDifference } from "../../packages/millrace/src/core/stats/absolute-difference.ts";
import { groupSequentialBounds } from "../../packages/millrace/src/core/stats/group-sequential-bounds.ts";
import { MixtureTest } from "../../packages/millrace/src/core/stats/mixture-test.ts";
import { proportionSummary } from "../../packages/millrace/src/core/stats/proportion-summary.ts";
import { quantile } from "../../packages/millrace/src/core/stats/quantile.ts";
import type { SampleSummary } from "../../packages/millrace/src/core/stats/sample-summary.ts";
import { sequentialTest } from "../../packages/millrace/src/core/stats/sequential-test.ts";
import { twoProportionTest } from "../../packages/millrace/src/core/stats/two-proportion-test.ts";
import { unitsPerArm } from "../../packages/millrace/src/core/stats/units-per-arm.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { binomial } from "./binomial.ts";

const RATE = 0.1;
/** The effect that the fixed sample is sized for, with power 0.8. */
const PLANNED_EFFECT = 0.02;

function proportion(mean: number): Pick<SampleSummary, "mean" | "variance"> {
  return { mean, variance: mean * (1 - mean) };
}

const FIXED_UNITS = unitsPerArm({
  control: proportion(RATE),
  arm: proportion(RATE + PLANNED_EFFECT),
});

export const POWER = {
  seed: 20_260_703,
  runs: 2_000,
  rate: RATE,
  effects: [0, 0.01, 0.015, 0.02, 0.03, 0.04],
  /** Units of each arm that the fixed sample has. */
  fixedUnits: FIXED_UNITS,
  /** Sequential tests give up here: what is left undecided then. */
  unitsMax: 4 * FIXED_UNITS,
  /** Units of each arm between two looks of the sequential tests. */
  unitsPerLook: 100,
  groupLooks: 5,
  alpha: 0.05,
  effectVariance: PLANNED_EFFECT ** 2,
} as const;

export const POWER_METHODS = [
  "fixed",
  "O'Brien–Fleming, 5 looks",
  "sequence, N* 5,000",
  "sequence, N* of the plan",
  "mixture",
] as const;
export type PowerMethod = (typeof POWER_METHODS)[number];

export interface PowerOutcome {
  readonly effect: number;
  readonly method: PowerMethod;
  /** Share of runs that found a difference with no more units than the fixed sample has. */
  readonly foundByPlan: number;
  /** Share of runs that found one at all. */
  readonly found: number;
  /** Share of runs that found one in the wrong direction; of the effect 0 undefined. */
  readonly foundWrong: number | undefined;
  /** Units of each arm at the decision; those without one have what they gave up at. */
  readonly units: { readonly mean: number; readonly p50: number; readonly p90: number };
}

/** When a method found something, and whether more or less. */
interface Find {
  readonly units: number;
  readonly sign: number;
}

export function simulatePower(runs: number = POWER.runs): PowerOutcome[] {
  const bounds = groupSequentialBounds("obrien-fleming", POWER.groupLooks, POWER.alpha);
  return POWER.effects.flatMap((effect) => {
    const random = new TestRandom(POWER.seed);
    const finds = Array.from({ length: runs }, () => findsOf(effect, bounds, random));
    return POWER_METHODS.map((method) =>
      outcomeOf(
        effect,
        method,
        finds.map((find) => find.get(method)),
      ),
    );
  });
}

function findsOf(
  effect: number,
  bounds: readonly number[],
  random: TestRandom,
): Map<PowerMethod, Find> {
  const { rate, alpha, fixedUnits, unitsMax, unitsPerLook, groupLooks } = POWER;
  const groupAt = Array.from({ length: groupLooks }, (_, k) =>
    Math.round((fixedUnits * (k + 1)) / groupLooks),
  );
  const lookAt = Array.from(
    { length: Math.floor(unitsMax / unitsPerLook) },
    (_, k) => (k + 1) * unitsPerLook,
  );
  const stops = [...new Set([...groupAt, ...lookAt])].toSorted((a, b) => a - b);
  const found = new Map<PowerMethod, Find>();
  const mixture = new MixtureTest(POWER.effectVariance);
  let [units, control, arm] = [0, 0, 0];
  for (const stop of stops) {
    control += binomial(random, stop - units, rate);
    arm += binomial(random, stop - units, rate + effect);
    units = stop;
    const first = proportionSummary(control, units);
    const second = proportionSummary(arm, units);
    const difference = absoluteDifference(first, second)!;
    const note = (method: PowerMethod, isFound: boolean): void => {
      if (isFound && !found.has(method)) {
        found.set(method, { units, sign: Math.sign(difference.value) });
      }
    };
    const bound = bounds[groupAt.indexOf(units)];
    if (bound !== undefined) {
      const { z, pValue } = twoProportionTest(
        { successes: control, count: units },
        { successes: arm, count: units },
      );
      note("O'Brien–Fleming, 5 looks", Math.abs(z) > bound);
      if (units === fixedUnits) note("fixed", pValue < alpha);
    }
    if (units % unitsPerLook !== 0) continue;
    note("sequence, N* 5,000", sequentialTest(difference, { alpha }).pValue < alpha);
    const planned = { alpha, unitsTuned: 2 * fixedUnits };
    note("sequence, N* of the plan", sequentialTest(difference, planned).pValue < alpha);
    const variance = first.variance + second.variance;
    const look = { difference: difference.value, variance, count: units };
    note("mixture", mixture.look(look) < alpha);
  }
  return found;
}

function outcomeOf(
  effect: number,
  method: PowerMethod,
  finds: readonly (Find | undefined)[],
): PowerOutcome {
  const { fixedUnits, unitsMax } = POWER;
  const runs = finds.length;
  const isPlanned = method === "fixed" || method === "O'Brien–Fleming, 5 looks";
  const givenUpAt = isPlanned ? fixedUnits : unitsMax;
  const units = finds.map((find) => (method === "fixed" ? fixedUnits : (find?.units ?? givenUpAt)));
  const ascending = Float64Array.from(units).toSorted();
  const share = (test: (find: Find) => boolean): number =>
    finds.filter((find) => find !== undefined && test(find)).length / runs;
  return {
    effect,
    method,
    foundByPlan: share((find) => find.units <= fixedUnits),
    found: share(() => true),
    foundWrong: effect === 0 ? undefined : share(({ sign }) => sign < 0),
    units: {
      mean: units.reduce((sum, count) => sum + count, 0) / runs,
      p50: quantile(ascending, 0.5),
      p90: quantile(ascending, 0.9),
    },
  };
}
