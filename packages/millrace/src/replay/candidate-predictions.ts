import type { ComparedPrediction } from "../core/compare/comparison.ts";
import { readExactJson } from "../core/exact-json.ts";
import type { JsonValue } from "../core/json.ts";
import { summaryOf } from "../core/predictions/prediction-summary.ts";
import { shortNestedJson, shortRowJson } from "../core/tensor/short-json.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Prediction } from "../serve/prediction.ts";
import { loggedPredictions } from "./logged-predictions.ts";
import type { LoggedRequest } from "./logged-request.ts";

/** A logged request as the candidate gets it. */
export interface AskedRequest {
  readonly request: LoggedRequest;
  readonly inputs: readonly Tensor[];
  /** Of the outputs it is to get; the candidate's own list where these are the prediction. */
  readonly names: readonly string[];
}

/**
 * What the candidate predicted, in the form the log has the request in: the same numbers of digits, by row where that is,
 * so that equal is equal.
 * @returns as many as `loggedPredictions`.
 */
export function candidatePredictions(
  { predictor, outputs }: Pick<Prediction, "predictor" | "outputs">,
  { request, inputs, names }: AskedRequest,
): readonly ComparedPrediction[] {
  const { predictionNames: predictionOutputs, labels } = predictor;
  const isAlone = names === predictionOutputs && names.length === 1;
  const count = loggedPredictions(request).length;
  const isByRow = [...inputs, ...outputs].every(({ shape }) => shape[0] === count);
  const summary = summaryOf(outputs, { predictionOutputs, labels, scoreIndex: 0 });
  return Array.from({ length: count }, (_, row) => ({
    value: valueOf(isAlone, { outputs, names }, isByRow ? row : undefined),
    label: isByRow ? summary.labels?.[row] : undefined,
  }));
}

/** @param isAlone it is the one output that is the prediction. @param row undefined for all of them in one. */
function valueOf(
  isAlone: boolean,
  { outputs, names }: { readonly outputs: readonly Tensor[]; readonly names: readonly string[] },
  row: number | undefined,
): JsonValue {
  const [only] = outputs;
  if (isAlone && only !== undefined) return jsonOf(only, row);
  const members = names.map((name) => {
    const output = outputs.find((tensor) => tensor.name === name);
    return [name, output === undefined ? null : jsonOf(output, row)] as const;
  });
  return Object.fromEntries(members);
}

function jsonOf(tensor: Tensor, row: number | undefined): JsonValue {
  const json = row === undefined ? shortNestedJson(tensor) : shortRowJson(tensor, row);
  return readExactJson(json);
}
