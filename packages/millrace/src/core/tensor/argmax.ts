import { MillraceError } from "../errors.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Index of the largest element of each row; the first one where several are equal, NaN never.
 * @param tensor numbers, `[batch, class]`; further axes count as classes.
 */
function argmaxRows(tensor: Tensor): number[] {
  const { data, shape } = tensor;
  const rowCount = shape[0] ?? 1;
  const size = data.length / rowCount;
  const winners: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    let winner = 0;
    for (let i = 1; i < size; i++) {
      const value = data[row * size + i] as number;
      const best = data[row * size + winner] as number;
      if (value > best || Number.isNaN(best)) winner = i;
    }
    winners.push(winner);
  }
  return winners;
}

/**
 * Label of each row: of scores the label of the largest one, of whole numbers the label at that index, of
 * text the text itself.
 * @throws LABELS_NOT_FOUND when there are no labels, or none for an index.
 */
export function labelRows(tensor: Tensor, labels: readonly string[] | undefined): string[] {
  if (Array.isArray(tensor.data)) return tensor.data;
  if (labels === undefined) {
    throw new MillraceError(
      "LABELS_NOT_FOUND",
      `Cannot label output "${tensor.name}": the model has no labels, add models.<name>.labels`,
    );
  }
  const isIndex = tensor.datatype.includes("INT") && (tensor.shape[1] ?? 1) === 1;
  const indices = isIndex ? Array.from(tensor.data as Int32Array, Number) : argmaxRows(tensor);
  return indices.map((index) => {
    const label = labels[index];
    if (label !== undefined) return label;
    throw new MillraceError(
      "LABELS_NOT_FOUND",
      `Cannot label output "${tensor.name}": class ${index} has no label, there are ${labels.length}`,
    );
  });
}
