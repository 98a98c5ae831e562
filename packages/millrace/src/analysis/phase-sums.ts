import type { PhaseSums, UnitSums } from "../core/experiment/metric-sums.ts";
import type { ResultRow } from "../evaluation/result-rows.ts";
import type { PhaseUnits } from "./exposure-counts.ts";

/** Columns of a row that are sums: `y`, its square, and its product with `x`. */
export interface SumColumns {
  readonly y: string;
  readonly yy: string;
  readonly xy: string;
}

const COLUMNS: SumColumns = { y: "y", yy: "yy", xy: "xy" };

/**
 * The sums of a metric by phase and arm.
 * @param rows one for each `phase` and `arm` that has any.
 * @param unitsOf units of each arm where those without a row's share count too; absent: those of the row.
 */
export function phaseSums(
  phases: readonly PhaseUnits[],
  rows: readonly ResultRow[],
  columns: SumColumns = COLUMNS,
  unitsOf?: (phase: PhaseUnits) => readonly number[],
): readonly PhaseSums[] {
  return phases.map((phase) => {
    const ofPhase = rows.filter((row) => row.number("phase") === phase.phase);
    const units = unitsOf?.(phase);
    const arms = phase.exposed.map((_, index) => {
      const row = ofPhase.find((one) => one.number("arm") === 1 << index);
      return sumsOf(row, columns, units?.[index]);
    });
    return { phase: phase.phase, arms };
  });
}

function sumsOf(
  row: ResultRow | undefined,
  { y, yy, xy }: SumColumns,
  units: number | undefined,
): UnitSums {
  const value = (column: string): number => row?.number(column) ?? 0;
  return {
    units: units ?? value("units"),
    y: value(y),
    x: value("x"),
    yy: value(yy),
    xx: value("xx"),
    xy: value(xy),
  };
}
