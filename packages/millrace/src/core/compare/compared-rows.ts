import type { JsonValue } from "../json.ts";
import { summaryOf } from "../predictions/prediction-summary.ts";
import { shortNestedValue, shortRowValue } from "../tensor/short-values.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ComparedPrediction } from "./comparison.ts";

/** What of an answer is compared. */
export interface ComparedOutputs {
  readonly outputs: readonly Tensor[];
  /** Outputs that are shown, in this order; one that is missing is null. */
  readonly names: readonly string[];
  /** Is the one output the prediction itself, whatever its name? Else it is an object of outputs by name. */
  readonly isAlone: boolean;
  /** Outputs that are the prediction. */
  readonly predictionOutputs: readonly string[];
  /** Names of the classes of the prediction. */
  readonly labels: readonly string[] | undefined;
}

/** Can these be told apart by row? */
export function areByRow(tensors: readonly Tensor[], rowCount: number): boolean {
  return tensors.every(({ shape }) => shape[0] === rowCount);
}

/**
 * The prediction of each row, with as few digits as the log has, so that equal is equal. Values are made when a
 * comparator asks for them: labels often tell enough.
 * @param rowCount undefined where rows cannot be told apart: all of them are one.
 */
export function comparedRows(
  compared: ComparedOutputs,
  rowCount: number | undefined,
): readonly ComparedPrediction[] {
  if (rowCount === undefined) return [new ComparedRow(compared, undefined, undefined)];
  const { outputs, predictionOutputs, labels } = compared;
  const summary = summaryOf(outputs, { predictionOutputs, labels, scoreIndex: 0 });
  return Array.from(
    { length: rowCount },
    (_, row) => new ComparedRow(compared, row, summary.labels?.[row]),
  );
}

class ComparedRow implements ComparedPrediction {
  readonly label: string | undefined;
  readonly #compared: ComparedOutputs;
  readonly #row: number | undefined;

  constructor(compared: ComparedOutputs, row: number | undefined, label: string | undefined) {
    this.#compared = compared;
    this.#row = row;
    this.label = label;
  }

  get value(): JsonValue {
    const { outputs, names, isAlone } = this.#compared;
    const [only] = outputs;
    if (isAlone && only !== undefined) return this.#valueOf(only);
    const members = names.map((name) => {
      const output = outputs.find((tensor) => tensor.name === name);
      return [name, output === undefined ? null : this.#valueOf(output)] as const;
    });
    return Object.fromEntries(members);
  }

  #valueOf(tensor: Tensor): JsonValue {
    return this.#row === undefined ? shortNestedValue(tensor) : shortRowValue(tensor, this.#row);
  }
}
