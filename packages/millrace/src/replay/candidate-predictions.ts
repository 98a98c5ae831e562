import type { ComparedPrediction } from "../core/compare/comparison.ts";
import { readExactJson } from "../core/exact-json.ts";
import type { JsonValue } from "../core/json.ts";
import { summaryOf } from "../core/predictions/prediction-summary.ts";
import { shortNestedJson, shortRowJson } from "../core/tensor/short-json.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Prediction } from "../serve/prediction.ts";
import { loggedPredictions } from "./logged-predictions.ts";
import type { LoggedRequest } from "./logged-request.ts";

/**
 * What the candidate predicted, in the form the log has the request in: the same numbers of digits, by row where that is,
 * so that equal is equal.
 * @returns as many as `loggedPredictions`.
 */
export function candidatePredictions(
  prediction: Pick<Prediction, "predictor" | "outputs">,
  inputs: readonly Tensor[],
  request: LoggedRequest,
): readonly ComparedPrediction[] {
  const { predictor, outputs } = prediction;
  const { predictionNames: predictionOutputs, labels } = predictor;
  const count = loggedPredictions(request).length;
  const isByRow = [...inputs, ...outputs].every(({ shape }) => shape[0] === count);
  const summary = summaryOf(outputs, { predictionOutputs, labels, scoreIndex: 0 });
  return Array.from({ length: count }, (_, row) => ({
    value: valueOf(prediction, isByRow ? row : undefined),
    label: isByRow ? summary.labels?.[row] : undefined,
  }));
}

/** @param row undefined for all of them in one. */
function valueOf(
  { predictor, outputs }: Pick<Prediction, "predictor" | "outputs">,
  row: number | undefined,
): JsonValue {
  const [only] = outputs;
  const { predictionNames } = predictor;
  if (only !== undefined && predictionNames.length === 1) return jsonOf(only, row);
  const members = predictionNames.map((name) => {
    const output = outputs.find((tensor) => tensor.name === name);
    return [name, output === undefined ? null : jsonOf(output, row)] as const;
  });
  return Object.fromEntries(members);
}

function jsonOf(tensor: Tensor, row: number | undefined): JsonValue {
  const json = row === undefined ? shortNestedJson(tensor) : shortRowJson(tensor, row);
  return readExactJson(json);
}
