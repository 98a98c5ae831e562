import type { TensorSpec } from "../tensor/tensor.ts";
import { edgeOf, mergeShapes, type Edge } from "./edge.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { typeText } from "./spec-text.ts";

/** One of several steps that get the same tensors. */
export interface Taker {
  /** As in messages: `branch "setosa"`. */
  readonly title: string;
  /** Where it stands in the file, from the step that is built. */
  readonly path: GraphProblem["path"];
  readonly inputs: readonly TensorSpec[];
}

export interface SharedInputs {
  /** All inputs that somebody takes, with shapes that fit everybody. */
  readonly inputs: readonly TensorSpec[];
  /** By taker, one per input. */
  readonly edges: readonly (readonly Edge[])[];
  readonly problems: readonly GraphProblem[];
}

interface SharedInput {
  spec: TensorSpec;
  readonly title: string;
}

/**
 * The inputs of several steps that run on the same request. They share what has the same name; where each takes one
 * only, they share that, whatever its name is, and the first one names it.
 */
export function shareInputs(takers: readonly Taker[]): SharedInputs {
  const shared: SharedInput[] = [];
  const problems: GraphProblem[] = [];
  const isOnly = takers.every(({ inputs }) => inputs.length === 1);
  const indexOf = (input: TensorSpec): number =>
    isOnly
      ? Math.min(0, shared.length - 1)
      : shared.findIndex(({ spec }) => spec.name === input.name);
  for (const { title, path, inputs } of takers) {
    for (const input of inputs) {
      const known = shared[indexOf(input)];
      if (known === undefined) {
        shared.push({ spec: input, title });
        continue;
      }
      const shape = mergeShapes(known.spec.shape, input.shape);
      if (shape !== undefined && known.spec.datatype === input.datatype) {
        known.spec = { ...known.spec, shape };
      } else {
        const message = `${title} takes "${input.name}" as ${typeText(input)}, ${known.title} takes "${known.spec.name}" as ${typeText(known.spec)}; they get the same tensor, so both must agree`;
        problems.push({ path, message });
      }
    }
  }
  const edges = takers.map(({ inputs }) =>
    inputs.map((input) => {
      const index = indexOf(input);
      return edgeOf({ source: 0, index }, shared[index]?.spec ?? input, input);
    }),
  );
  return { inputs: shared.map(({ spec }) => spec), edges, problems };
}
