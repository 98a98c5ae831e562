import type { Models } from "../models/models.ts";

/** May traffic come? Not while a required model is missing, and not once the process is told to stop. */
export class Readiness {
  readonly #models: Models;
  #isDraining = false;

  constructor(models: Models) {
    this.#models = models;
  }

  /** From now on the process is not ready, for good. */
  startDraining(): void {
    this.#isDraining = true;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isReady(): boolean {
    return !this.#isDraining && this.#models.isReady;
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
    return problems;
  }
}
