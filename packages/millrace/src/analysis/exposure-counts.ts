import type { ArmConfig } from "../config/experiment-config.ts";
import type { SampleRatioReport } from "../core/experiment/experiment-report.ts";
import { sampleRatioTest } from "../core/stats/sample-ratio-test.ts";
import {
  SPLIT_P_MIN,
  sequentialSplitTest,
  type SplitCounts,
} from "../core/stats/sequential-split-test.ts";
import type { ResultRow } from "../evaluation/result-rows.ts";

/** Units of one phase, one number for each arm in their order. */
export interface PhaseUnits {
  readonly phase: number;
  readonly exposed: readonly number[];
  /** By window. */
  readonly matured: readonly (readonly number[])[];
  /** Shares that the arms had; they add up to 1 but for arms that the experiment has not any more. */
  readonly weights: readonly number[];
}

export interface ExposureCounts {
  /** Ascending. */
  readonly phases: readonly PhaseUnits[];
  /** Units that were in several arms. */
  readonly multiple: number;
}

/** Probabilities are written as doubles. */
const SHARE_TOLERANCE = 1e-6;

/** @param phaseRows of `phasesSql`. @param unitRows of `unitCountsSql`. */
export function exposureCounts(
  arms: readonly ArmConfig[],
  phaseRows: readonly ResultRow[],
  unitRows: readonly ResultRow[],
  windowCount: number,
): ExposureCounts {
  const numbers = new Set(unitRows.map((row) => row.number("phase")));
  const phases = [...numbers]
    .toSorted((a, b) => a - b)
    .map((phase): PhaseUnits => {
      const rows = unitRows.filter((row) => row.number("phase") === phase);
      const ofArms = (column: string): number[] =>
        arms.map(
          (_, index) => rows.find((row) => row.number("arm") === 1 << index)?.number(column) ?? 0,
        );
      return {
        phase,
        exposed: ofArms("units"),
        matured: Array.from({ length: windowCount }, (_, index) => ofArms(`matured_${index}`)),
        weights: weightsOf(
          arms,
          phaseRows.filter((row) => row.number("phase") === phase),
        ),
      };
    });
  const several = unitRows.filter((row) => row.number("arm") === 0);
  return { phases, multiple: several.reduce((sum, row) => sum + row.number("units"), 0) };
}

/**
 * The weights that were in force, as the exposures tell them. An arm without any, which is the worst of mismatches, has
 * what is left over.
 */
function weightsOf(arms: readonly ArmConfig[], rows: readonly ResultRow[]): readonly number[] {
  const told = new Map(rows.map((row) => [row.text("variant"), row.number("propensity")]));
  const left = 1 - [...told.values()].reduce((sum, share) => sum + share, 0);
  const silent = arms.filter(({ name }) => !told.has(name));
  const silentWeight = silent.reduce((sum, { weight }) => sum + weight, 0);
  const rest = left > SHARE_TOLERANCE && silentWeight > 0 ? left / silentWeight : 0;
  return arms.map(({ name, weight }) => told.get(name) ?? rest * weight);
}

/**
 * Units of all phases against what each phase's weights say.
 * @param unitsOf one number for each arm. @returns undefined without units.
 */
export function sampleRatio(
  of: SampleRatioReport["of"],
  phases: readonly PhaseUnits[],
  unitsOf: (phase: PhaseUnits) => readonly number[],
): SampleRatioReport | undefined {
  const splits = phases
    .map((phase): SplitCounts => ({ counts: unitsOf(phase), weights: phase.weights }))
    .filter(({ counts }) => sumOf(counts) > 0);
  if (splits.length === 0) return undefined;
  const counts = addedUp(splits.map((split) => split.counts));
  const { statistic, pValue, expected } = sampleRatioTest(counts, addedUp(splits.map(wantedOf)));
  const sequentialPValue = sequentialSplitTest(splits);
  const isMismatch = sequentialPValue < SPLIT_P_MIN;
  return { of, counts, expected, statistic, pValue, sequentialPValue, isMismatch };
}

/** Units that each arm should have. */
function wantedOf({ counts, weights }: SplitCounts): readonly number[] {
  const [units, weight] = [sumOf(counts), sumOf(weights)];
  return weights.map((share) => (units * share) / weight);
}

function addedUp(lists: readonly (readonly number[])[]): readonly number[] {
  return (lists[0] ?? []).map((_, index) => sumOf(lists.map((list) => list[index] ?? 0)));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
