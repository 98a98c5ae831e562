/**
 * The candidate a person most likely meant: fewest edits (insert, delete, replace, swap of neighbours), letter
 * case ignored; undefined when even the nearest is more than a third of the word away.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let editsMax = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > editsMax) continue;
    const edits = editCount(word.toLowerCase(), candidate.toLowerCase());
    if (edits > editsMax || (edits === editsMax && nearest !== undefined)) continue;
    nearest = candidate;
    editsMax = edits;
  }
  return nearest;
}

/** Damerau-Levenshtein distance (optimal string alignment) with three rows of the table at a time. */
function editCount(from: string, to: string): number {
  let twoBack: number[] = [];
  let back = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let edits = Math.min(
        at(back, column) + 1,
        at(current, column - 1) + 1,
        at(back, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (isSwap) edits = Math.min(edits, at(twoBack, column - 2) + 1);
      current.push(edits);
    }
    twoBack = back;
    back = current;
  }
  return at(back, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
