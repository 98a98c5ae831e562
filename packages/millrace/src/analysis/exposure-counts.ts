import type { ArmConfig } from "../config/experiment-config.ts";
import type { SampleRatioReport } from "../core/experiment/experiment-report.ts";
import { SAMPLE_RATIO_P_MIN, sampleRatioTest } from "../core/stats/sample-ratio-test.ts";
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
  const armCount = phases[0]?.weights.length ?? 0;
  const counts = new Array<number>(armCount).fill(0);
  const wanted = new Array<number>(armCount).fill(0);
  for (const phase of phases) {
    const units = unitsOf(phase);
    const total = units.reduce((sum, count) => sum + count, 0);
    const weight = phase.weights.reduce((sum, share) => sum + share, 0);
    for (let arm = 0; arm < armCount; arm++) {
      counts[arm] = (counts[arm] ?? 0) + (units[arm] ?? 0);
      wanted[arm] = (wanted[arm] ?? 0) + (total * (phase.weights[arm] ?? 0)) / weight;
    }
  }
  if (counts.every((count) => count === 0)) return undefined;
  const { statistic, pValue, expected } = sampleRatioTest(counts, wanted);
  return { of, counts, expected, statistic, pValue, isMismatch: pValue < SAMPLE_RATIO_P_MIN };
}
