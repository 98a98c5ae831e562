import { effectiveCount } from "./effective-count.ts";

/** What was, what was predicted, and how often. */
export interface ConfusionCell {
  readonly actual: string;
  readonly predicted: string;
  readonly count: number;
  /** Σw: rows it stands for. */
  readonly weight: number;
  /** Σw² */
  readonly weightSquares: number;
}

/** How the predictions of a classifier and the truth go together, each row with its weight. */
export class ConfusionMatrix {
  /** Every label that was predicted or true, in alphabetical order. */
  readonly labels: readonly string[];
  readonly cells: readonly ConfusionCell[];
  readonly count: number;
  /** Σw */
  readonly weight: number;
  readonly effectiveCount: number;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #actual: ReadonlyMap<string, number>;
  readonly #predicted: ReadonlyMap<string, number>;

  /** @param cells of one pair there may be several. */
  constructor(cells: readonly ConfusionCell[]) {
    this.cells = cells;
    const names = new Set(cells.flatMap(({ actual, predicted }) => [actual, predicted]));
    this.labels = [...names].toSorted();
    this.count = sumOf(cells, ({ count }) => count);
    this.weight = sumOf(cells, ({ weight }) => weight);
    const squares = sumOf(cells, ({ weightSquares }) => weightSquares);
    this.effectiveCount = effectiveCount(this.weight, squares);
    this.#weights = sumsBy(cells, ({ actual, predicted }) => pairKey(actual, predicted));
    this.#actual = sumsBy(cells, ({ actual }) => actual);
    this.#predicted = sumsBy(cells, ({ predicted }) => predicted);
  }

  /** Weight of the rows that were `actual` and taken for `predicted`. */
  weightOf(actual: string, predicted: string): number {
    return this.#weights.get(pairKey(actual, predicted)) ?? 0;
  }

  /** Weight of the rows that were `label`: its support. */
  actualWeight(label: string): number {
    return this.#actual.get(label) ?? 0;
  }

  /** Weight of the rows that were taken for `label`. */
  predictedWeight(label: string): number {
    return this.#predicted.get(label) ?? 0;
  }

  /** Rows of equal weight that would tell as much as those that `isPart` of the whole. */
  effectiveCountOf(isPart: (cell: ConfusionCell) => boolean): number {
    const part = this.cells.filter(isPart);
    const squares = sumOf(part, ({ weightSquares }) => weightSquares);
    return effectiveCount(
      sumOf(part, ({ weight }) => weight),
      squares,
    );
  }
}

/** Labels are any text: the length keeps two pairs apart. */
function pairKey(actual: string, predicted: string): string {
  return `${actual.length}:${actual}${predicted}`;
}

function sumOf(cells: readonly ConfusionCell[], read: (cell: ConfusionCell) => number): number {
  return cells.reduce((sum, cell) => sum + read(cell), 0);
}

function sumsBy(
  cells: readonly ConfusionCell[],
  keyOf: (cell: ConfusionCell) => string,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const cell of cells) sums.set(keyOf(cell), (sums.get(keyOf(cell)) ?? 0) + cell.weight);
  return sums;
}
