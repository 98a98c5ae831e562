import { MillraceError } from "../errors.ts";
import type { TensorData } from "./datatype.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Label of each row: of scores the label of the largest one, of one whole number or boolean the label at that
 * index, of text the text itself.
 * @throws LABELS_NOT_FOUND when there are no labels, none for an index, or one score for several labels.
 */
export function labelRows(tensor: Tensor, labels: readonly string[] | undefined): string[] {
  if (Array.isArray(tensor.data)) return tensor.data;
  if (labels === undefined) {
    throw new MillraceError(
      "LABELS_NOT_FOUND",
      `Cannot label output "${tensor.name}": the model has no labels, add models.<name>.labels`,
    );
  }
  return classOfRows(tensor, labels.length).map((index) => {
    const label = labels[index];
    if (label !== undefined) return label;
    throw new MillraceError(
      "LABELS_NOT_FOUND",
      `Cannot label output "${tensor.name}": class ${index} has no label, there are ${labels.length}`,
    );
  });
}

function classOfRows(tensor: Tensor, labelCount: number): number[] {
  const { data, shape, datatype } = tensor;
  const isOneARow = data.length > 0 && data.length === (shape[0] ?? 1);
  if (!isOneARow) return argmaxRows(tensor);
  if (datatype.includes("INT") || datatype === "BOOL")
    return Array.from(data as Int32Array, Number);
  if (labelCount === 1) return argmaxRows(tensor);
  // Whatever the score says, the largest of one is the first: that would be an answer nobody asked for.
  throw new MillraceError(
    "LABELS_NOT_FOUND",
    `Cannot label output "${tensor.name}": it has one score a row, ${labelCount} labels need one each`,
  );
}

/**
 * Index of the largest element of each row; the first one where several are equal. NaN only where all are.
 * @param tensor numbers, `[batch, class]`; further axes count as classes.
 */
function argmaxRows(tensor: Tensor): number[] {
  const scores = scoresOf(tensor);
  const rowCount = tensor.shape[0] ?? 1;
  const size = scores.length / rowCount;
  const winners: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    let winner = 0;
    for (let i = 1; i < size; i++) {
      const value = scores[row * size + i] as number;
      const best = scores[row * size + winner] as number;
      if (value > best || (Number.isNaN(best) && !Number.isNaN(value))) winner = i;
    }
    winners.push(winner);
  }
  return winners;
}

/** The elements, or for raw 16-bit floats numbers in the same order: their bits are a sign and a magnitude. */
function scoresOf({ data, datatype }: Tensor): TensorData {
  if (datatype !== "FP16" && datatype !== "BF16") return data;
  const infinity = datatype === "FP16" ? 0x7c00 : 0x7f80;
  return Float64Array.from(data as Uint16Array, (bits) => {
    const magnitude = bits & 0x7fff;
    if (magnitude > infinity) return NaN;
    return bits > 0x7fff ? -magnitude : magnitude;
  });
}
