import type { SourceStepConfig, StepConfig } from "../config/config.ts";
import { predicatesIn } from "../core/rules/kept-attributes.ts";
import type { Reads } from "../models/predictor.ts";

/** The step itself and all steps in it, outermost first. */
function* stepsIn(step: StepConfig): Iterable<StepConfig> {
  yield step;
  for (const child of childrenOf(step)) yield* stepsIn(child);
}

/** Steps right inside a step. */
function childrenOf(step: StepConfig): readonly StepConfig[] {
  switch (step.kind) {
    case "sequence":
      return step.members.flatMap(({ step: member, onError }) =>
        typeof onError === "string" ? [member] : [member, onError],
      );
    case "parallel":
      return step.branches;
    case "switch":
      return [...step.cases.map(({ to }) => to), step.default];
    default:
      return [];
  }
}

/** Names of the models that a step may run, each once. */
export function modelsIn(step: StepConfig): ReadonlySet<string> {
  const names = new Set<string>();
  for (const one of stepsIn(step)) if (one.kind === "model") names.add(one.model);
  return names;
}

/** The steps whose work is done by an adapter. */
export function sourceStepsIn(step: StepConfig): SourceStepConfig[] {
  const found: SourceStepConfig[] = [];
  for (const one of stepsIn(step)) {
    switch (one.kind) {
      case "image":
      case "function":
      case "load":
      case "remote":
        found.push(one);
        break;
      default:
    }
  }
  return found;
}

/** Files that combine branches, each once. */
export function combineFilesIn(step: StepConfig): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const one of stepsIn(step)) {
    if (one.kind === "parallel" && typeof one.combine === "object") paths.add(one.combine.path);
  }
  return paths;
}

/** What the steps look at of a request beside its tensors. */
export function readsOf(step: StepConfig): Reads {
  let reads: Reads = "nothing";
  for (const one of stepsIn(step)) {
    if (one.kind !== "switch") continue;
    const kinds = one.cases.flatMap(({ when }) => [...predicatesIn(when)].map(({ kind }) => kind));
    if (kinds.includes("body")) return "body";
    if (kinds.some((kind) => kind !== "input")) reads = "head";
  }
  return reads;
}

/** Does the step fetch or prepare data, so that what it gives may be cached? */
export function isDataStep({ kind }: StepConfig): boolean {
  return kind === "load" || kind === "image" || kind === "function";
}

/** What a switch looks at besides the outputs of steps: the kind of the first such predicate; undefined for none. */
export function requestPredicateIn(step: StepConfig): string | undefined {
  for (const one of stepsIn(step)) {
    if (one.kind !== "switch") continue;
    for (const { when } of one.cases) {
      for (const { kind } of predicatesIn(when)) if (kind !== "input") return kind;
    }
  }
  return undefined;
}

/** Is the answer of a step that of branches side by side, which stands in a reply as it is? */
export function isBare(step: StepConfig): boolean {
  switch (step.kind) {
    case "parallel":
      return step.combine === "each";
    case "sequence": {
      const last = step.members.at(-1);
      return last !== undefined && isBare(last.step);
    }
    case "switch":
      return isBare(step.default);
    default:
      return false;
  }
}
