import { labelRows } from "../tensor/argmax.ts";
import { fromBfloat, fromHalf } from "../tensor/half-float.ts";
import { shortNumber } from "../tensor/short-number.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LogContext, PredictionSummary } from "./logged-prediction.ts";

/** Label and score of each row of an answer. */
export function summaryOf(
  outputs: readonly Tensor[],
  context: Pick<LogContext, "predictionOutputs" | "labels" | "scoreIndex">,
): PredictionSummary {
  const { predictionOutputs, labels, scoreIndex } = context;
  const [name] = predictionOutputs;
  const only =
    predictionOutputs.length === 1 ? outputs.find((output) => output.name === name) : undefined;
  if (only !== undefined) {
    return { labels: labelsOf(only, labels), scores: scoresOf(only, scoreIndex) };
  }
  return { labels: labelsBeside(outputs), scores: undefined };
}

/** Where a graph chose a label, it is an output beside its score. */
function labelsBeside(outputs: readonly Tensor[]): readonly string[] | undefined {
  const label = outputs.find(({ name }) => name === "label");
  if (label !== undefined) return labelsOf(label, undefined);
  const best = outputs.find(({ name }) => name === "labels");
  if (best === undefined || !Array.isArray(best.data)) return undefined;
  const rowCount = best.shape[0] ?? 1;
  const size = best.data.length / rowCount;
  const { data } = best;
  return size < 1
    ? undefined
    : Array.from({ length: rowCount }, (_, row) => data[row * size] as string);
}

/** One a row; undefined where there are none to give. */
function labelsOf(
  output: Tensor,
  labels: readonly string[] | undefined,
): readonly string[] | undefined {
  const { data, datatype, shape } = output;
  const isOneARow = data.length > 0 && data.length === (shape[0] ?? 1);
  if (Array.isArray(data)) return isOneARow ? data : undefined;
  if (labels === undefined) {
    return isOneARow && datatype.includes("INT") ? Array.from(data, String) : undefined;
  }
  if (data.length === 0) return undefined;
  try {
    return labelRows(output, labels);
  } catch {
    return undefined; // an index without a label, or one score for several
  }
}

/** One a row: NaN where it is none. */
function scoresOf({ data, datatype, shape }: Tensor, index: number): readonly number[] | undefined {
  const rowCount = shape[0] ?? 1;
  const size = data.length / rowCount;
  if (Array.isArray(data) || !(index < size)) return undefined;
  const scores: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    scores.push(numberOf(data[row * size + index] as number | bigint, datatype));
  }
  return scores;
}

function numberOf(value: number | bigint, datatype: Tensor["datatype"]): number {
  if (typeof value === "bigint") return Number(value);
  if (datatype === "FP32") return shortNumber(value);
  if (datatype === "FP16") return fromHalf(value);
  return datatype === "BF16" ? fromBfloat(value) : value;
}
