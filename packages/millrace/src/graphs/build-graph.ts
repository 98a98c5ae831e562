import type {
  ParallelConfig,
  SequenceConfig,
  ServiceConfig,
  SourceStepConfig,
  StepConfig,
  SwitchConfig,
} from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Branch, Combiner } from "../core/graph/branch.ts";
import { buildParallel } from "../core/graph/build-parallel.ts";
import { buildSequence, type SequenceMember } from "../core/graph/build-sequence.ts";
import { buildSoftmax } from "../core/graph/build-softmax.ts";
import { buildSwitch } from "../core/graph/build-switch.ts";
import { buildTop } from "../core/graph/build-top.ts";
import type { StepBuild } from "../core/graph/graph-problem.ts";
import type { Given, Step } from "../core/graph/step.ts";
import type { TensorSpec } from "../core/tensor/tensor.ts";
import type { Models } from "../models/models.ts";
import type { ModelVersion } from "../models/model-version.ts";
import type { SourceStep } from "../ports/step-sources.ts";
import { commonVersion } from "./common-version.ts";
import { modelsIn } from "./graph-steps.ts";
import { ModelStep } from "./model-step.ts";
import { RetryStep } from "./retry-step.ts";
import { inputsReadBy, switchCondition } from "./switch-condition.ts";

/** Something that makes the graph of a service impossible. */
export interface BuildProblem {
  /** Where it is written: `["services", "iris", "graph", "sequence", 1]`. */
  readonly at: readonly (string | number)[];
  readonly message: string;
}

export type GraphBuild =
  | { readonly kind: "built"; readonly root: Step; readonly versions: readonly ModelVersion[] }
  /** Models that are not loaded yet, or not any more. */
  | { readonly kind: "waiting"; readonly models: readonly string[] }
  | { readonly kind: "problems"; readonly problems: readonly BuildProblem[] };

export interface GraphParts {
  readonly models: Models;
  /** What was opened for the steps of the service. */
  readonly sourceOf: (step: SourceStepConfig) => SourceStep;
  readonly combinerOf: (path: string) => Combiner;
  readonly clock: Clock;
  /** A switch met values that its conditions cannot be made on. */
  readonly countInvalid: (count: number) => void;
}

/** Binds the steps of a service to what is loaded now, and checks every edge between them. */
export function buildGraph(service: ServiceConfig, parts: GraphParts): GraphBuild {
  const builder = new GraphBuilder(service, parts);
  const root = builder.build(service.graph, undefined);
  const { waiting, problems, versions } = builder;
  if (waiting.size > 0) return { kind: "waiting", models: [...waiting] };
  if (root === undefined || problems.length > 0) return { kind: "problems", problems };
  return { kind: "built", root, versions: [...versions] };
}

class GraphBuilder {
  readonly problems: BuildProblem[] = [];
  readonly waiting = new Set<string>();
  readonly versions = new Set<ModelVersion>();
  readonly #service: ServiceConfig;
  readonly #parts: GraphParts;
  /** Number that the models of a sequence with `versions: together` run. */
  readonly #pinned = new Map<string, number>();

  constructor(service: ServiceConfig, parts: GraphParts) {
    this.#service = service;
    this.#parts = parts;
  }

  /**
   * @param previous the step before in the sequence.
   * @returns undefined when something is missing or wrong, which is written down then.
   */
  build(config: StepConfig, previous: Step | undefined): Step | undefined {
    switch (config.kind) {
      case "model":
        return this.#model(config.name, config.model);
      case "sequence":
        return this.#sequence(config, previous);
      case "parallel":
        return this.#parallel(config, previous);
      case "switch":
        return this.#switch(config, previous);
      case "softmax": {
        const of = this.#given(config, previous);
        if (of === undefined) return undefined;
        return this.#checked(config, buildSoftmax({ name: config.name, of, axis: config.axis }));
      }
      case "top": {
        const of = this.#given(config, previous);
        if (of === undefined) return undefined;
        return this.#checked(config, buildTop({ name: config.name, of, count: config.count }));
      }
      default:
        return this.#retried(this.#parts.sourceOf(config).step);
    }
  }

  #model(name: string, model: string): Step | undefined {
    const served = this.#parts.models.find(model);
    const pinned = this.#pinned.get(model);
    const version = pinned === undefined ? served?.latest : served?.version(pinned);
    if (version === undefined) {
      this.waiting.add(model);
      return undefined;
    }
    this.versions.add(version);
    return this.#retried(new ModelStep(name, version));
  }

  #retried(step: Step): Step {
    const { retries } = this.#service.parameters;
    return retries === 0 ? step : new RetryStep(step, retries);
  }

  #sequence(config: SequenceConfig, previous: Step | undefined): Step | undefined {
    if (config.versions === "together" && !this.#pin(config)) return undefined;
    const members: SequenceMember[] = [];
    let before = previous;
    for (const { step, onError } of config.members) {
      const built = this.build(step, before);
      const instead = typeof onError === "string" ? onError : this.build(onError, before);
      if (built === undefined || instead === undefined) return undefined;
      members.push({ step: built, onError: instead });
      before = built;
    }
    const { name, map } = config;
    return this.#checked(config, buildSequence({ name, members, map }));
  }

  /** All its models get the same version number, or none serves. */
  #pin(config: SequenceConfig): boolean {
    const common = commonVersion([...modelsIn(config)], this.#parts.models);
    if (common.kind === "waiting") {
      for (const model of common.models) this.waiting.add(model);
      return false;
    }
    if (common.kind === "none") {
      this.problems.push({ at: config.at, message: common.message });
      return false;
    }
    for (const model of modelsIn(config)) this.#pinned.set(model, common.version);
    return true;
  }

  #parallel(config: ParallelConfig, previous: Step | undefined): Step | undefined {
    const { parameters } = this.#service;
    const { thresholds, thresholdDefault } = parameters;
    const branches: Branch[] = [];
    for (const branch of config.branches) {
      const step = this.build(branch, previous);
      if (step === undefined) continue;
      const { name } = branch;
      const isCompared = config.combine === "each" && thresholds !== undefined;
      const threshold = isCompared ? (thresholds[name] ?? thresholdDefault) : undefined;
      branches.push({ name, step, isActive: parameters.branches[name] !== false, threshold });
    }
    if (branches.length < config.branches.length) return undefined;
    const { name, combine, onError, timeoutMs } = config;
    const combiner = typeof combine === "string" ? combine : this.#parts.combinerOf(combine.path);
    const deactivated = parameters.deactivated === "observe" ? "observe" : "omit";
    return this.#checked(
      config,
      buildParallel({ name, branches, combine: combiner, onError, timeoutMs, deactivated }),
    );
  }

  #switch(config: SwitchConfig, previous: Step | undefined): Step | undefined {
    const cases = config.cases.map(({ name, when, to }) => ({
      name,
      isMatch: switchCondition(when, this.#parts.clock, this.#parts.countInvalid),
      to: this.build(to, previous),
    }));
    const standard = this.build(config.default, previous);
    const whole = cases.flatMap((one) => (one.to === undefined ? [] : [{ ...one, to: one.to }]));
    if (standard === undefined || whole.length < cases.length) return undefined;
    const known = [...whole.map(({ to }) => to), standard];
    const reads = this.#readsOf(config, known, previous);
    if (reads === undefined) return undefined;
    const { name } = config;
    return this.#checked(config, buildSwitch({ name, cases: whole, default: standard, reads }));
  }

  /** Specs of the inputs that only the conditions look at; undefined when one of them does not exist. */
  #readsOf(
    { cases, at }: SwitchConfig,
    steps: readonly Step[],
    previous: Step | undefined,
  ): TensorSpec[] | undefined {
    const taken = new Set(steps.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
    const reads = new Map<string, TensorSpec>();
    for (const [i, { when }] of cases.entries()) {
      for (const name of inputsReadBy(when)) {
        if (taken.has(name)) continue;
        const spec = previous?.outputs.find((output) => output.name === name);
        if (spec !== undefined) {
          reads.set(name, spec);
          continue;
        }
        const given = previous?.outputs.map((output) => output.name) ?? [...taken];
        const message = `the condition looks at input "${name}", there is ${given.join(", ")}`;
        this.problems.push({ at: [...at, "switch", i, "when", "input", name], message });
        return undefined;
      }
    }
    return [...reads.values()];
  }

  #given(config: StepConfig, previous: Step | undefined): Given | undefined {
    if (previous !== undefined) return previous;
    const message = `${config.kind} stands after a classifier in a sequence, nothing is before it`;
    this.problems.push({ at: config.at, message });
    return undefined;
  }

  #checked(config: StepConfig, build: StepBuild): Step | undefined {
    if (build.kind === "step") return build.step;
    for (const { path, message } of build.problems) {
      this.problems.push({ at: [...config.at, ...path], message });
    }
    return undefined;
  }
}
