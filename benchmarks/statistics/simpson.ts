import { absoluteDifference } from "../../packages/millrace/src/core/stats/absolute-difference.ts";
import { combineByInverseVariance } from "../../packages/millrace/src/core/stats/combine-by-inverse-variance.ts";
import type { Difference } from "../../packages/millrace/src/core/stats/difference.ts";
import { fixedTest } from "../../packages/millrace/src/core/stats/fixed-test.ts";
import { proportionSummary } from "../../packages/millrace/src/core/stats/proportion-summary.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { binomial } from "./binomial.ts";

/** A week in five phases: who comes later converts more often, whichever arm. */
export const SIMPSON = {
  seed: 20_260_704,
  runs: 2_000,
  /** Share that converts in each phase. */
  rates: [0.1, 0.11, 0.12, 0.14, 0.16],
  /** Units that come in each phase. */
  units: 10_000,
  /** Share of the arm in each phase, when weights are ramped. */
  weights: [0.01, 0.05, 0.1, 0.25, 0.5],
  /** Share that takes part in each phase, half and half, when coverage is ramped. */
  coverage: [0.02, 0.1, 0.2, 0.5, 1],
  effects: [0, 0.01],
  alpha: 0.05,
} as const;

export const SIMPSON_METHODS = [
  "weights ramped, units added up",
  "weights ramped, combined over phases",
  "coverage ramped, units added up",
  "coverage ramped, combined over phases",
] as const;
export type SimpsonMethod = (typeof SIMPSON_METHODS)[number];

export interface SimpsonOutcome {
  /** Arm less control, in truth. */
  readonly effect: number;
  readonly method: SimpsonMethod;
  readonly meanDifference: number;
  readonly meanStandardError: number;
  /** Share of runs that found a difference. */
  readonly found: number;
  /** Share of the 95 % intervals that hold the true effect. */
  readonly held: number;
}

export function simulateSimpson(count: number = SIMPSON.runs): SimpsonOutcome[] {
  return SIMPSON.effects.flatMap((effect) => {
    const random = new TestRandom(SIMPSON.seed);
    const runs = Array.from({ length: count }, () => differencesOf(effect, random));
    return SIMPSON_METHODS.map((method) =>
      outcomeOf(
        effect,
        method,
        runs.map((run) => run[method]),
      ),
    );
  });
}

function differencesOf(effect: number, random: TestRandom): Record<SimpsonMethod, Difference> {
  const { rates, units, weights, coverage } = SIMPSON;
  const ramped = rates.map((rate, phase) => {
    const share = weights[phase]!;
    return phaseOf(random, { rate, effect, control: units * (1 - share), arm: units * share });
  });
  const covered = rates.map((rate, phase) => {
    const each = (units * coverage[phase]!) / 2;
    return phaseOf(random, { rate, effect, control: each, arm: each });
  });
  return {
    "weights ramped, units added up": compare([total(ramped)]),
    "weights ramped, combined over phases": compare(ramped),
    "coverage ramped, units added up": compare([total(covered)]),
    "coverage ramped, combined over phases": compare(covered),
  };
}

interface Arm {
  readonly successes: number;
  readonly units: number;
}

interface Phase {
  readonly control: Arm;
  readonly arm: Arm;
}

function phaseOf(
  random: TestRandom,
  setting: { rate: number; effect: number; control: number; arm: number },
): Phase {
  const control = Math.round(setting.control);
  const arm = Math.round(setting.arm);
  return {
    control: { units: control, successes: binomial(random, control, setting.rate) },
    arm: { units: arm, successes: binomial(random, arm, setting.rate + setting.effect) },
  };
}

function total(phases: readonly Phase[]): Phase {
  const add = (of: (phase: Phase) => Arm): Arm => ({
    units: phases.reduce((sum, phase) => sum + of(phase).units, 0),
    successes: phases.reduce((sum, phase) => sum + of(phase).successes, 0),
  });
  return { control: add(({ control }) => control), arm: add(({ arm }) => arm) };
}

function compare(phases: readonly Phase[]): Difference {
  const summary = ({ successes, units }: Arm) => proportionSummary(successes, units);
  return combineByInverseVariance(
    phases.map(({ control, arm }) => absoluteDifference(summary(control), summary(arm))!),
  )!;
}

function outcomeOf(
  effect: number,
  method: SimpsonMethod,
  differences: readonly Difference[],
): SimpsonOutcome {
  const { alpha } = SIMPSON;
  const runs = differences.length;
  const tests = differences.map((difference) => fixedTest(difference, alpha));
  const mean = (of: (difference: Difference) => number): number =>
    differences.reduce((sum, difference) => sum + of(difference), 0) / runs;
  return {
    effect,
    method,
    meanDifference: mean(({ value }) => value),
    meanStandardError: mean(({ standardError }) => standardError),
    found: tests.filter(({ pValue }) => pValue < alpha).length / runs,
    held:
      tests.filter(({ interval }) => interval.low <= effect && effect <= interval.high).length /
      runs,
  };
}
