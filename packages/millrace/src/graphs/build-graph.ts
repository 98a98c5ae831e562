import type {
  DataCacheConfig,
  ParallelConfig,
  SequenceConfig,
  SequenceMemberConfig,
  ServiceConfig,
  SourceStepConfig,
  StepConfig,
  SwitchConfig,
} from "../config/config.ts";
import type { CacheCounters } from "../core/cache/cache-counters.ts";
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
import { buildCached } from "./build-cached.ts";
import { commonVersion } from "./common-version.ts";
import type { DataCache } from "./data-cache.ts";
import { isDataStep, modelsIn, requestPredicateIn } from "./graph-steps.ts";
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
  /** Numbers in [0, 1), for the waits before retries. */
  readonly random: () => number;
  readonly dataCache: DataCache;
  readonly cacheCounters: CacheCounters;
  /** A switch met values that its conditions cannot be made on. */
  readonly countInvalid: (count: number) => void;
}

/** Binds the steps of a service to what is loaded now, and checks every edge between them. */
export function buildGraph(service: ServiceConfig, parts: GraphParts): GraphBuild {
  const builder = new GraphBuilder(service, parts);
  builder.checkCacheable();
  const root = builder.buildRoot();
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
  #pinned: ReadonlyMap<string, number> = new Map();

  constructor(service: ServiceConfig, parts: GraphParts) {
    this.#service = service;
    this.#parts = parts;
  }

  /** A cached prediction would be given to requests for which the switch decides otherwise. */
  checkCacheable(): void {
    const { cache, graph, name } = this.#service;
    const kind = cache.prediction === undefined ? undefined : requestPredicateIn(graph);
    if (kind === undefined) return;
    const message = `a switch looks at the ${kind} of the request, so equal inputs may have different predictions; remove the cache or the condition`;
    this.problems.push({ at: ["services", name, "cache", "prediction"], message });
  }

  /** The whole graph, with the steps that fetch and prepare data behind their cache. */
  buildRoot(): Step | undefined {
    const { graph, cache, name } = this.#service;
    if (cache.data === undefined) return this.build(graph, undefined);
    const [first] = graph.kind === "sequence" ? graph.members : [];
    if (graph.kind === "sequence" && first !== undefined && isCachedMember(first)) {
      return this.#sequence(graph, undefined, true);
    }
    const step = isDataStep(graph) ? this.build(graph, undefined) : undefined;
    if (step !== undefined) return this.#cached(graph, step, [graph as SourceStepConfig]);
    const message =
      "found no step to cache: the graph must begin with a load, an image or a function step";
    this.problems.push({ at: ["services", name, "cache", "data"], message });
    return undefined;
  }

  /** @param own the steps that `step` is made of. */
  #cached(config: StepConfig, step: Step, own: readonly SourceStepConfig[]): Step | undefined {
    const { name, cache } = this.#service;
    const { dataCache, cacheCounters, sourceOf } = this.#parts;
    const { key, ttlMs } = cache.data as DataCacheConfig;
    const digest = own.map((one) => sourceOf(one).digest).join(" ");
    const options = { step, digest, key, ttlMs, dataCache, counters: cacheCounters };
    const build = buildCached({ name: config.name, ...options });
    return this.#checked({ ...config, at: ["services", name, "cache", "data"] }, build);
  }

  /** Puts the members that a sequence begins with behind the cache, as one that is named after the last of them. */
  #cacheMembers(
    config: SequenceConfig,
    members: readonly SequenceMember[],
  ): { members: readonly SequenceMember[]; map: SequenceConfig["map"] } | undefined {
    const end = config.members.findIndex((member) => !isCachedMember(member));
    const count = end === -1 ? members.length : end;
    const configs = config.members.slice(0, count).map(({ step }) => step as SourceStepConfig);
    const last = configs.at(-1) as SourceStepConfig;
    const { inner, outer } = splitMap(config.map, members.slice(1, count));
    const prefix = members.slice(0, count);
    const step =
      count === 1
        ? prefix[0]?.step
        : this.#checked(config, buildSequence({ name: last.name, members: prefix, map: inner }));
    const cached = step && this.#cached(last, step, configs);
    if (cached === undefined) return undefined;
    return { members: [{ step: cached }, ...members.slice(count)], map: outer };
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
    return retries === 0 ? step : new RetryStep(step, retries, this.#parts.random);
  }

  /** @param isCached are the steps that it begins with behind the data cache? */
  #sequence(
    config: SequenceConfig,
    previous: Step | undefined,
    isCached = false,
  ): Step | undefined {
    const outer = this.#pinned;
    if (config.versions === "together" && !this.#pin(config)) return undefined;
    try {
      return this.#members(config, previous, isCached);
    } finally {
      this.#pinned = outer;
    }
  }

  #members(
    config: SequenceConfig,
    previous: Step | undefined,
    isCached: boolean,
  ): Step | undefined {
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
    const own = isCached ? this.#cacheMembers(config, members) : { members, map };
    return own && this.#checked(config, buildSequence({ name, ...own }));
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
    // The number of a sequence around this one stays.
    const own = [...modelsIn(config)].map((model) => [model, common.version] as const);
    this.#pinned = new Map([...own, ...this.#pinned]);
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
    const { name } = config;
    const reads = outputsReadBy(config, previous);
    const build = buildSwitch({ name, cases: whole, default: standard, reads });
    const step = this.#checked(config, build);
    return step !== undefined && this.#canRead(config, step, previous) ? step : undefined;
  }

  /** Inputs that steps share under different names have one of these. */
  #canRead({ cases, at }: SwitchConfig, { inputs }: Step, previous: Step | undefined): boolean {
    const names = new Set([...inputs, ...(previous?.outputs ?? [])].map(({ name }) => name));
    for (const [i, { when }] of cases.entries()) {
      for (const name of inputsReadBy(when)) {
        if (names.has(name)) continue;
        const message = `the condition looks at input "${name}", there is ${[...names].join(", ")}`;
        this.problems.push({ at: [...at, "switch", i, "when", "input", name], message });
        return false;
      }
    }
    return true;
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

/** What the conditions of a switch look at of the step before it, which maybe none of its steps takes. */
function outputsReadBy({ cases }: SwitchConfig, previous: Step | undefined): TensorSpec[] {
  const names = new Set(cases.flatMap(({ when }) => [...inputsReadBy(when)]));
  return previous?.outputs.filter(({ name }) => names.has(name)) ?? [];
}

/** One that may fail and be replaced is no part of what is kept. */
function isCachedMember({ step, onError }: SequenceMemberConfig): boolean {
  return isDataStep(step) && onError === "fail";
}

/** The lines of a map that are for some members, and the others. */
function splitMap(
  map: SequenceConfig["map"],
  members: readonly SequenceMember[],
): { readonly inner: SequenceConfig["map"]; readonly outer: SequenceConfig["map"] } {
  const names = new Set(
    members.flatMap(({ step }) =>
      step.inputs.flatMap(({ name }) => [name, `${step.name}.${name}`]),
    ),
  );
  const lines = Object.entries(map);
  return {
    inner: Object.fromEntries(lines.filter(([key]) => names.has(key))),
    outer: Object.fromEntries(lines.filter(([key]) => !names.has(key))),
  };
}
