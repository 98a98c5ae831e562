import type { TensorSpec } from "../tensor/tensor.ts";
import { edgeOf, fitsSpec, type Edge } from "./edge.ts";
import { hasSameLabels } from "./same-labels.ts";
import { specText } from "./spec-text.ts";
import type { Fallback } from "./sequence-step.ts";
import type { Step } from "./step.ts";

/** An edge that begins at a step which may fail, and who needs it. */
export interface Reader {
  readonly edge: Edge;
  /** As in messages: `step "classify" takes`, `the sequence gives`. */
  readonly title: string;
}

/** What takes the place of the outputs of a step that failed. */
export interface StandIns {
  /** By the edge of the reader. */
  readonly standIns: ReadonlyMap<Edge, Edge>;
  readonly problems: readonly string[];
}

/** What a step got takes the place of what it would have given. */
export function skipped(step: Step, readers: readonly Reader[]): StandIns {
  const given = `${listText(step.inputs)} is what "${step.name}" gets`;
  return replace(readers, step.inputs, (reader) => {
    return `step "${step.name}" cannot be skipped: ${reader.title} ${specText(reader.edge.target)}, ${given}`;
  });
}

/** What another step gives takes that place. */
export function replaced(step: Step, fallback: Step, readers: readonly Reader[]): StandIns {
  return replace(readers, fallback.outputs, (reader) => {
    const needed = `${reader.title} ${specText(reader.edge.target)}`;
    return `step "${fallback.name}" cannot stand in for "${step.name}": ${needed}, it gives ${listText(fallback.outputs)}`;
  });
}

/** Connects a fallback with what the failing step got: by name, or by being the only one. */
export function connectFallback(
  step: Step,
  fallback: Step,
): { readonly fallback: Fallback; readonly problems: readonly string[] } {
  const isOnly = fallback.inputs.length === 1;
  const edges: Edge[] = [];
  const problems: string[] = [];
  for (const input of fallback.inputs) {
    const edge = findEdge(step.inputs, [input.name], input, isOnly);
    if (edge !== undefined) edges.push(edge);
    else {
      const takes = `it takes ${specText(input)}, "${step.name}" gets ${listText(step.inputs)}`;
      problems.push(`step "${fallback.name}" cannot stand in for "${step.name}": ${takes}`);
    }
  }
  if (fallback.labels !== undefined && !hasSameLabels(step.labels, fallback.labels)) {
    problems.push(
      `step "${fallback.name}" cannot stand in for "${step.name}": their labels differ, so their classes would be confused`,
    );
  }
  return { fallback: { step: fallback, edges }, problems };
}

/** An output is replaced by what has its name, else by what has that of the input, else by what is the only one. */
function replace(
  readers: readonly Reader[],
  specs: readonly TensorSpec[],
  describe: (reader: Reader) => string,
): StandIns {
  const isOnly = new Set(readers.map(({ edge }) => edge.index)).size === 1;
  const standIns = new Map<Edge, Edge>();
  const problems: string[] = [];
  for (const reader of readers) {
    const { from, target } = reader.edge;
    const standIn = findEdge(specs, [from, target.name], target, isOnly);
    if (standIn === undefined) problems.push(describe(reader));
    else standIns.set(reader.edge, standIn);
  }
  return { standIns, problems };
}

function findEdge(
  specs: readonly TensorSpec[],
  names: readonly string[],
  target: TensorSpec,
  isOnly: boolean,
): Edge | undefined {
  const byName = names.map((name) => specs.findIndex((spec) => spec.name === name));
  const index = byName.find((at) => at !== -1) ?? (isOnly && specs.length === 1 ? 0 : -1);
  const spec = specs[index];
  if (spec === undefined || !fitsSpec(spec, target)) return undefined;
  return edgeOf({ source: 0, index }, spec, target);
}

function listText(specs: readonly TensorSpec[]): string {
  return specs.map(specText).join(", ");
}
