import type { Difference } from "./difference.ts";

/**
 * One difference of those of several phases, each weighing as 1/standard error². Adding up units over phases of different
 * weights instead would compare people of different times with each other (E. H. Simpson, JRSS B 13, 1951).
 *
 * With shares w = (1/se²)/Σ(1/se²): value Σw·value, standard error 1/√Σ(1/se²), degrees 1/Σ(w²/degrees). Phases in which
 * nothing varied (standard error 0) have no say beside others.
 * @returns undefined without differences.
 */
export function combineByInverseVariance(
  differences: readonly Difference[],
): Difference | undefined {
  const [first] = differences;
  if (first === undefined || differences.length === 1) return first;
  const count = sumOf(differences, (difference) => difference.count);
  const telling = differences.filter(({ standardError }) => standardError > 0);
  if (telling.length === 0) {
    const value = sumOf(differences, (phase) => phase.value * phase.count) / count;
    return { value, standardError: 0, degrees: count, count };
  }
  const total = sumOf(telling, precisionOf);
  const share = (phase: Difference): number => precisionOf(phase) / total;
  return {
    value: sumOf(telling, (phase) => share(phase) * phase.value),
    standardError: 1 / Math.sqrt(total),
    degrees: 1 / sumOf(telling, (phase) => share(phase) ** 2 / phase.degrees),
    count: sumOf(telling, (phase) => phase.count),
  };
}

function precisionOf({ standardError }: Difference): number {
  return 1 / (standardError * standardError);
}

function sumOf(
  differences: readonly Difference[],
  term: (difference: Difference) => number,
): number {
  return differences.reduce((sum, difference) => sum + term(difference), 0);
}
