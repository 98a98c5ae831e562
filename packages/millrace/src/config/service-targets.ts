import type { StepConfig } from "./config.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigPath } from "./config-path.ts";
import { reportUnknownName } from "./unknown-name.ts";

/** What other services may lead to by name: models, and services by what they run. */
export class ServiceTargets {
  readonly #models: ReadonlySet<string>;
  /** Undefined for a service whose graph is wrong. */
  readonly #graphs: ReadonlyMap<string, StepConfig | undefined>;
  readonly #log: ProblemLog;

  constructor(
    models: ReadonlySet<string>,
    graphs: ReadonlyMap<string, StepConfig | undefined>,
    log: ProblemLog,
  ) {
    this.#models = models;
    this.#graphs = graphs;
    this.#log = log;
  }

  /** The model that the name or its service runs; the service's own name where it runs more than a model. */
  of(name: string): string | undefined {
    if (this.#models.has(name)) return name;
    const graph = this.#graphs.get(name);
    if (graph === undefined) return undefined;
    return graph.kind === "model" ? graph.model : name;
  }

  /** As `of`, for a name that is written at `at`; reports one that nobody has. */
  find(name: string, at: ConfigPath): string | undefined {
    if (!this.#models.has(name) && !this.#graphs.has(name)) {
      const known = [...this.#models, ...this.#graphs.keys()];
      reportUnknownName({ service: String(at[1]), at, written: name, known }, this.#log);
    }
    return this.of(name);
  }

  /**
   * As `find`, for a name that stands in for a service, so that it must lead elsewhere; reports one that does not.
   * @param service whose place is taken.
   */
  findOther(name: string, at: ConfigPath, service: string): string | undefined {
    const target = this.find(name, at);
    const own = this.of(service);
    if (target === undefined || target !== own) return target;
    const found =
      name === own ? "which the service itself runs" : `which runs "${own}" as this service does`;
    this.#log.add(at, `found ${this.#log.show(at)}, ${found}, expected another one`);
    return undefined;
  }
}
