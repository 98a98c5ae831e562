import type { JsonValue } from "../core/json.ts";
import type { Predictor } from "../models/predictor.ts";
import type { LoggedRequest } from "./logged-request.ts";

/**
 * Outputs that a request is to get: the prediction, or those that it had asked for instead of it.
 * @returns why not, where the candidate has no such output.
 */
export function askedOutputs(
  { rows: [{ prediction }] }: LoggedRequest,
  predictor: Predictor,
): { readonly names: readonly string[] } | { readonly reason: string } {
  const { predictionOutput, predictionNames } = predictor;
  if (predictionOutput === undefined || !isObject(prediction)) return { names: predictionNames };
  const names = Object.keys(prediction);
  const unknown = names.find((name) => predictor.findOutput(name)?.name !== name);
  if (unknown === undefined) return { names };
  return { reason: `the candidate has no output "${unknown}"` };
}

function isObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
