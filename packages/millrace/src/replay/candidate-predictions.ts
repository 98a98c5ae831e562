import { areByRow, comparedRows } from "../core/compare/compared-rows.ts";
import type { ComparedPrediction } from "../core/compare/comparison.ts";
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
  const isByRow = areByRow([...inputs, ...outputs], count);
  const compared = { outputs, names, isAlone, predictionOutputs, labels };
  if (isByRow) return comparedRows(compared, count);
  const [whole] = comparedRows(compared, undefined);
  return new Array<ComparedPrediction>(count).fill(whole as ComparedPrediction);
}
