import { messageOf } from "../core/message-of.ts";
import { stat } from "node:fs/promises";
import type { ServiceConfig, SourceStepConfig, StepConfig } from "../config/config.ts";
import type {
  EndpointStatus,
  SourceCombiner,
  SourceStep,
  StepSources,
} from "../ports/step-sources.ts";
import { combineFilesIn, sourceStepsIn } from "./graph-steps.ts";
import type { Lease, OpenSources } from "./open-sources.ts";

/** What was opened for the steps of one service. It is kept until nobody runs a graph that was made from it. */
export class OpenedService {
  readonly #graph: StepConfig;
  readonly #steps: ReadonlyMap<SourceStepConfig, Lease<SourceStep>>;
  readonly #combiners: ReadonlyMap<string, Lease<SourceCombiner>>;
  #holders = 1;

  private constructor(
    graph: StepConfig,
    steps: ReadonlyMap<SourceStepConfig, Lease<SourceStep>>,
    combiners: ReadonlyMap<string, Lease<SourceCombiner>>,
  ) {
    this.#graph = graph;
    this.#steps = steps;
    this.#combiners = combiners;
  }

  /**
   * Opens all that the steps of a service are made from; what fails is in `problems`, and nothing stays open then.
   */
  static async open(
    { graph }: ServiceConfig,
    sources: StepSources,
    shared: OpenSources,
  ): Promise<OpenedService | OpenProblem[]> {
    const steps = new Map<SourceStepConfig, Lease<SourceStep>>();
    const combiners = new Map<string, Lease<SourceCombiner>>();
    const problems: OpenProblem[] = [];
    const opening = [
      ...sourceStepsIn(graph).map(async (step) => {
        const key = await keyOf(step);
        steps.set(step, await shared.acquire(key, () => openStep(step, sources)));
      }),
      ...[...combineFilesIn(graph)].map(async (path) => {
        const key = `combine ${path} ${await fileVersion(path)}`;
        combiners.set(path, await shared.acquire(key, () => sources.combine(path)));
      }),
    ];
    for (const result of await Promise.allSettled(opening)) {
      if (result.status === "rejected") problems.push(messageOf(result.reason));
    }
    const opened = new OpenedService(graph, steps, combiners);
    if (problems.length === 0) return opened;
    opened.release();
    return problems;
  }

  step(config: SourceStepConfig): SourceStep {
    return mustHave(this.#steps.get(config), config.name).value;
  }

  combiner(path: string): SourceCombiner {
    return mustHave(this.#combiners.get(path), path).value;
  }

  /** Steps that are not models, by name, and whether they can answer now. */
  get parts(): (readonly [name: string, isUp: boolean])[] {
    const steps = sourceStepsIn(this.#graph);
    return steps.map((step) => [step.name, this.step(step).isUp ?? true] as const);
  }

  /** Servers of its steps. */
  get endpoints(): (EndpointStatus & { readonly step: string })[] {
    return sourceStepsIn(this.#graph).flatMap((config) => {
      const statuses = this.step(config).endpoints?.() ?? [];
      return statuses.map((status) => ({ step: config.name, ...status }));
    });
  }

  /** Of everything that was opened, in the order of the graph. */
  get digests(): string[] {
    const steps = sourceStepsIn(this.#graph).map((step) => this.step(step).digest);
    const combiners = [...combineFilesIn(this.#graph)].map((path) => this.combiner(path).digest);
    return [...steps, ...combiners];
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders > 0) return;
    for (const lease of [...this.#steps.values(), ...this.#combiners.values()]) lease.release();
  }
}

/** Why something could not be opened. */
export type OpenProblem = string;

function mustHave<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`Cannot build a graph: "${what}" was not opened`);
  return found;
}

function openStep(step: SourceStepConfig, sources: StepSources): Promise<SourceStep> {
  switch (step.kind) {
    case "image":
      return sources.image(step.name, step.image);
    case "function":
      return sources.function(step.name, step.function);
    case "load":
      return sources.load(step.name, step.function);
    case "remote":
      return sources.remote(step.name, step.remote);
  }
}

/** A file that was written since is another source. */
async function keyOf(step: SourceStepConfig): Promise<string> {
  const { at: _at, ...rest } = step;
  const isFile = step.kind === "function" || step.kind === "load";
  const version = isFile ? await fileVersion(step.function.path) : "";
  return `${JSON.stringify(rest)} ${version}`;
}

async function fileVersion(path: string): Promise<string> {
  const facts = await stat(path).catch(() => undefined);
  return facts === undefined ? "missing" : `${facts.mtimeMs} ${facts.size}`;
}
