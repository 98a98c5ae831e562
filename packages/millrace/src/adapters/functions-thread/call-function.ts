import type { Tensor } from "../../core/tensor/tensor.ts";
import { compareGroups } from "./compare-verdicts.ts";
import { packOutputs } from "./pack-outputs.ts";
import { packRecords } from "./pack-records.ts";
import type { DefinedFunction } from "./read-declaration.ts";
import type { CallFacts, FunctionKind, TensorGroup } from "./thread-messages.ts";

/** Last argument of a function. */
interface CallContext extends CallFacts {
  readonly signal: AbortSignal;
}

/**
 * Calls a function in the form of its kind.
 * @throws what it throws; CallProblem when it gives something else than it declares.
 */
export async function callFunction(
  { declaration, run }: DefinedFunction,
  kind: FunctionKind,
  groups: readonly TensorGroup[],
  context: CallContext,
): Promise<Tensor[]> {
  if (kind === "combine")
    return packOutputs(await run(branchesOf(groups), context), declaration.outputs);
  if (kind === "compare") return compareGroups(run, groups);
  const tensors = groups[0]?.tensors ?? [];
  if (kind === "function")
    return packOutputs(await run(byName(tensors), context), declaration.outputs);
  const keys = tensors[0]?.data as readonly string[];
  // A copy: what the function does to it must not change which key has which record.
  return packRecords(await run([...keys], context), keys, declaration.outputs);
}

function branchesOf(groups: readonly TensorGroup[]): Record<string, object> {
  return Object.fromEntries(
    groups.map(({ name, tensors, prediction, labels }) => {
      const outputs = byName(tensors);
      const branch = {
        prediction: prediction === undefined ? undefined : outputs[prediction],
        outputs,
        labels,
      };
      return [name, branch];
    }),
  );
}

function byName(tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor]));
}
