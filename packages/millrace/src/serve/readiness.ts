import type { ServiceConfig } from "../config/config.ts";
import { modelsIn } from "../graphs/graph-steps.ts";
import { plainModelOf } from "../graphs/plain-service.ts";
import type { ServiceGraphs } from "../graphs/service-graphs.ts";
import type { Models } from "../models/models.ts";

export interface PartStatus {
  readonly isReady: boolean;
  /** Why it is not, or not in the way the file says. */
  readonly problem: string | undefined;
}

/** May traffic come? Not while a required model or a graph is missing, and not once the process is told to stop. */
export class Readiness {
  readonly #models: Models;
  readonly #graphs: ServiceGraphs;
  #isDraining = false;

  constructor(models: Models, graphs: ServiceGraphs) {
    this.#models = models;
    this.#graphs = graphs;
  }

  /** From now on the process is not ready, for good. */
  startDraining(): void {
    this.#isDraining = true;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isReady(): boolean {
    return !this.#isDraining && this.#models.isReady && this.#graphs.isReady;
  }

  /** One sentence per thing that is not as it should be; empty when all is well. */
  problems(): string[] {
    const problems = this.#isDraining ? ["the process is stopping"] : [];
    for (const { name, isReady, problem, fallbackReason, state } of this.#models.status()) {
      if (fallbackReason !== undefined) {
        problems.push(`model ${name} serves its fallback: ${fallbackReason}`);
      } else if (problem !== undefined) {
        const what = isReady ? "keeps its earlier version" : "is not ready";
        problems.push(`model ${name} ${what}: ${problem}`);
      } else if (!isReady) problems.push(`model ${name} is not ready: ${state.toLowerCase()}`);
    }
    for (const { service, isReady, problem } of this.#graphs.status()) {
      if (problem === undefined) continue;
      const what = isReady ? "keeps its earlier graph" : "is not ready";
      problems.push(`service ${service} ${what}: ${problem}`);
    }
    return problems;
  }

  ofService(service: ServiceConfig): PartStatus {
    const model = plainModelOf(service);
    if (model !== undefined) return this.#models.model(model).status();
    const found = this.#graphs.status().find((status) => status.service === service.name);
    return found ?? { isReady: false, problem: "its graph is not made yet" };
  }

  /** Every model, and every service that is a graph: `ok` or `ng`. */
  parts(): Record<string, "ok" | "ng"> {
    const models = this.#models.status().map(({ name, isReady }) => [name, isReady] as const);
    const graphs = this.#graphs.status().map(({ service, isReady }) => [service, isReady] as const);
    return wordsOf([...models, ...graphs]);
  }

  /** Every model that a service may run, of a graph those of all its steps, and the steps that are not models. */
  partsOf(service: ServiceConfig): Record<string, "ok" | "ng"> {
    const names = [...modelsIn(service.graph)];
    const models = names.map(
      (name) => [name, this.#models.find(name)?.status().isReady === true] as const,
    );
    return wordsOf([...models, ...this.#graphs.partsOf(service)]);
  }
}

function wordsOf(parts: readonly (readonly [string, boolean])[]): Record<string, "ok" | "ng"> {
  return Object.fromEntries(parts.map(([name, isReady]) => [name, isReady ? "ok" : "ng"]));
}
