import type { TensorSpec } from "../tensor/tensor.ts";
import { edgeOf, mergeShapes, type Edge } from "./edge.ts";
import type { GraphProblem, StepBuild } from "./graph-problem.ts";
import { hasSameLabels } from "./same-labels.ts";
import { shareInputs, type Taker } from "./share-inputs.ts";
import { specText } from "./spec-text.ts";
import type { Step } from "./step.ts";
import { SwitchStep, type Route, type SwitchSubject } from "./switch-step.ts";

export interface SwitchCase {
  /** As the trace and `explain` say it. */
  readonly name: string;
  /** Must not throw: what it misses makes it false. */
  readonly isMatch: (subject: SwitchSubject) => boolean;
  readonly to: Step;
}

export interface SwitchOptions {
  readonly name: string;
  /** The first that matches is taken. */
  readonly cases: readonly SwitchCase[];
  /** Taken when none matches; its outputs name those of the switch. */
  readonly default: Step;
  /** Inputs that the conditions look at and maybe none of the steps takes. */
  readonly reads?: readonly TensorSpec[];
}

/** Checks that it makes no difference to others which case is taken. */
export function buildSwitch(options: SwitchOptions): StepBuild {
  const { name, cases, reads = [] } = options;
  const takers = cases.map((one, i) => takerOf(`case "${one.name}"`, ["switch", i, "to"], one.to));
  // The first one names the inputs: like the outputs they are called as in the default, whatever the cases are.
  const standard = takerOf("the default", ["default"], options.default);
  const shared = shareInputs([standard, ...takers]);
  const problems: GraphProblem[] = [...shared.problems];
  const outputs = [...options.default.outputs];
  const ends = cases.map(({ to }, i) => alignOutputs(takers[i] as Taker, to, outputs, problems));
  for (const [i, { to }] of cases.entries()) {
    const problem = predictionProblem(takers[i] as Taker, to, ends[i] ?? [], options.default);
    if (problem !== undefined) problems.push(problem);
  }
  const inputs = [...shared.inputs];
  for (const read of reads) addRead(read, inputs, problems);
  if (problems.length > 0) return { kind: "problems", problems };
  const routeOf = (route: string, step: Step, i: number): Route => ({
    name: route,
    step,
    inputs: shared.edges[i + 1] ?? [],
    outputs: outputs.map((target, index) => ends[i]?.[index] ?? identityEdge(target, index)),
  });
  const { prediction, labels, score } = options.default;
  const isSame = cases.every(({ to }) => hasSameLabels(labels, to.labels));
  const step = new SwitchStep({
    name,
    inputs,
    outputs,
    prediction,
    labels: isSame ? labels : undefined,
    score,
    routes: cases.map((one, i) => ({ ...routeOf(one.name, one.to, i), isMatch: one.isMatch })),
    otherwise: routeOf("default", options.default, -1),
  });
  return { kind: "step", step };
}

function takerOf(title: string, path: GraphProblem["path"], step: Step): Taker {
  return { title, path, inputs: step.inputs };
}

function identityEdge(spec: TensorSpec, index: number): Edge {
  return edgeOf({ source: 0, index }, spec, spec);
}

/** Finds the outputs of a case that are those of the default. @param outputs take any extent where they differ by −1. */
function alignOutputs(
  { title, path }: Taker,
  step: Step,
  outputs: TensorSpec[],
  problems: GraphProblem[],
): Edge[] {
  const isOnly = outputs.length === 1 && step.outputs.length === 1;
  const edges: Edge[] = [];
  for (const [at, target] of outputs.entries()) {
    const index = isOnly ? 0 : step.outputs.findIndex(({ name }) => name === target.name);
    const spec = step.outputs[index];
    const isFit =
      spec?.datatype === target.datatype && mergeShapes(spec.shape, target.shape) !== undefined;
    if (spec === undefined || !isFit) {
      const found = step.outputs.map(specText).join(", ");
      const message = `${title} gives ${found}, the default ${specText(target)}; all must give the same`;
      problems.push({ path, message });
      continue;
    }
    const shape = target.shape.map((extent, axis) => (extent === spec.shape[axis] ? extent : -1));
    outputs[at] = { ...target, shape };
    edges.push(edgeOf({ source: 0, index }, spec, { ...target, shape }));
  }
  if (step.outputs.length > outputs.length) {
    const more = step.outputs.length - outputs.length;
    problems.push({ path, message: `${title} gives ${more} more outputs than the default` });
  }
  return edges;
}

function predictionProblem(
  { title, path }: Taker,
  step: Step,
  edges: readonly Edge[],
  standard: Step,
): GraphProblem | undefined {
  const expected = standard.prediction;
  const own = expected === "all" ? "all" : edges[expected]?.index;
  const isAligned = edges.length === standard.outputs.length;
  if (!isAligned || own === step.prediction) return undefined;
  return { path, message: `${title} has another output as its prediction than the default` };
}

function addRead(read: TensorSpec, inputs: TensorSpec[], problems: GraphProblem[]): void {
  const at = inputs.findIndex(({ name }) => name === read.name);
  const known = inputs[at];
  if (known === undefined) {
    inputs.push(read);
    return;
  }
  const shape = mergeShapes(known.shape, read.shape);
  if (shape !== undefined && known.datatype === read.datatype) inputs[at] = { ...known, shape };
  else {
    const message = `the conditions read ${specText(read)}, the steps take ${specText(known)}`;
    problems.push({ path: ["switch"], message });
  }
}
