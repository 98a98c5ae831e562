import type { Comparator, Comparison } from "./comparison.ts";
import { membersOf } from "./members-of.ts";
import { scoresOf } from "./scores-of.ts";
import { at } from "./value-pairs.ts";

/**
 * Agreed when both have the same `k` classes with the largest scores, in whatever order; equal scores stand in for each
 * other. Its distance is the share of the `k` that is not common. Of several outputs each has to agree.
 * @param k at least 1, less than there are classes: of all classes all are common.
 */
export function compareTopK(k: number): Comparator {
  return (reference, other) => {
    let farthest: Comparison = { isAgreed: true, distance: 0 };
    for (const [name, value] of membersOf(reference.value)) {
      const found = membersOf(other.value).find(([member]) => member === name)?.[1];
      const comparison = compareScores(scoresOf(value), scoresOf(found ?? null), k);
      if ((comparison.distance ?? 1) > (farthest.distance ?? 1)) {
        const { detail = "" } = comparison;
        farthest = { ...comparison, detail: at(name, detail) };
      }
    }
    return farthest;
  };
}

function compareScores(
  reference: readonly number[] | undefined,
  other: readonly number[] | undefined,
  k: number,
): Comparison {
  if (reference === undefined || other === undefined) {
    return { isAgreed: false, distance: 1, detail: "one of them has no scores by class" };
  }
  if (reference.length !== other.length) {
    const detail = `found ${other.length} classes, expected ${reference.length}`;
    return { isAgreed: false, distance: 1, detail };
  }
  const leaders = topClasses(reference, k);
  const threshold = other[topClasses(other, k).at(-1) as number] as number;
  const lost = leaders.filter((index) => (other[index] as number) < threshold);
  if (lost.length === 0) return { isAgreed: true, distance: 0 };
  const detail = `class ${lost.join(", ")} is no longer among the first ${k}`;
  return { isAgreed: false, distance: lost.length / k, detail };
}

/** Indexes of the `k` largest, the largest first. */
function topClasses(scores: readonly number[], k: number): readonly number[] {
  return [...scores.keys()]
    .toSorted((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    .slice(0, k);
}
