import { MillraceError } from "../../core/errors.ts";
import { labelRows } from "../../core/tensor/argmax.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../../core/tensor/write-json.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { Prediction } from "../prediction.ts";

/**
 * The body of a `/predict` reply: `{"prediction": …}`, or `{name: …}` for branches side by side. One row in gives that
 * row's output, several rows give several. A branch that failed is null; one that is switched off is not there.
 */
export function predictionReply(prediction: Prediction, isOneRow: boolean): string {
  const json = predictionJson(prediction, isOneRow);
  return prediction.predictor.isBare ? json : `{"prediction":${json}}`;
}

function predictionJson({ predictor, outputs }: Prediction, isOneRow: boolean): string {
  if (predictor.predictionOutput !== undefined) return tensorJson(outputs[0] as Tensor, isOneRow);
  const members = predictor.predictionNames.map((name) => {
    const output = outputs.find((tensor) => tensor.name === name);
    const json = output === undefined ? "null" : tensorJson(output, isOneRow);
    return `${JSON.stringify(name)}:${json}`;
  });
  return `{${members.join(",")}}`;
}

function tensorJson(output: Tensor, isOneRow: boolean): string {
  return isOneRow && output.shape[0] === 1 ? rowJson(output, 0) : nestedJson(output);
}

/**
 * The body of a `/predict/label` reply: the label of the largest score, one per row; of `combine: argmax` the label
 * and its score.
 * @throws LABELS_NOT_FOUND
 */
export function labelReply(prediction: Prediction, isOneRow: boolean): string {
  const { predictor, outputs } = prediction;
  if (predictor.predictionOutput !== undefined) {
    const labels = labelRows(outputs[0] as Tensor, predictor.labels);
    return JSON.stringify({ prediction: labels.length === 1 ? labels[0] : labels });
  }
  if (outputs.some(({ name }) => name === "label")) return predictionReply(prediction, isOneRow);
  const labels = outputs.find(({ name }) => name === "labels");
  if (labels !== undefined) return JSON.stringify({ prediction: firstOfRows(labels) });
  throw noLabel(predictor);
}

/** The best of each row, where a row has several labels, best first. */
function firstOfRows({ data, shape }: Tensor): unknown {
  const rowCount = shape[0] ?? 1;
  const size = data.length / rowCount;
  const labels = Array.from({ length: rowCount }, (_, row) => data[row * size]);
  return labels.length === 1 ? labels[0] : labels;
}

/** @throws LABELS_NOT_FOUND when what answers has no single label to give: said before it runs. */
export function checkHasLabel(predictor: Predictor): void {
  const { predictionOutput, predictionNames } = predictor;
  if (predictionOutput !== undefined) return;
  if (predictionNames.includes("label") || predictionNames.includes("labels")) return;
  throw noLabel(predictor);
}

function noLabel({ modelName, predictionNames }: Predictor): MillraceError {
  return new MillraceError(
    "LABELS_NOT_FOUND",
    `Cannot choose a label: service "${modelName}" gives ${predictionNames.join(", ")} side by side, combine: argmax or vote chooses one`,
  );
}

/** The value of `predictions` in the replies of other servers' protocols: one element per row. */
export function rowsJson({ predictor, outputs }: Prediction): string {
  if (predictor.predictionOutput !== undefined) return nestedJson(outputs[0] as Tensor);
  const rowCount = outputs[0]?.shape[0] ?? 0;
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const members = predictor.predictionNames.map((name) => {
      const output = outputs.find((tensor) => tensor.name === name);
      return `${JSON.stringify(name)}:${output === undefined ? "null" : rowJson(output, row)}`;
    });
    return `{${members.join(",")}}`;
  });
  return `[${rows.join(",")}]`;
}
