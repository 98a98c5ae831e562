import { combineRows } from "../../core/compare/compare-rows.ts";
import type { ComparedOutputs } from "../../core/compare/compared-rows.ts";
import type { Comparison } from "../../core/compare/comparison.ts";
import type { ComparedPair, SourceComparator } from "../../ports/comparator-source.ts";
import { readVerdicts } from "./compare-verdicts.ts";
import type { FunctionPool } from "./function-pool.ts";
import type { TensorGroup } from "./thread-messages.ts";

/** A comparison that is a function of the user, asked for each row. */
export class FunctionComparator implements SourceComparator {
  readonly #pool: FunctionPool;

  constructor(pool: FunctionPool) {
    this.#pool = pool;
  }

  async compare({ answer, shadow, rowCount }: ComparedPair): Promise<Comparison> {
    const groups = [groupOf("answer", answer, rowCount), groupOf("shadow", shadow, rowCount)];
    const verdicts = await this.#pool.run({ groups, context: undefined, rowCount: rowCount ?? 1 });
    return combineRows(readVerdicts(verdicts));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function groupOf(
  name: string,
  { outputs, labels, names, isAlone, predictionOutputs }: ComparedOutputs,
  rowCount: number | undefined,
): TensorGroup {
  const compared = { names, isAlone, predictionOutputs, rowCount };
  return { name, tensors: outputs, prediction: undefined, labels, compared };
}
