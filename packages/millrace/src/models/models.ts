import { isDeepStrictEqual } from "node:util";
import type { ModelConfig } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import type { ModelVersion } from "./model-version.ts";
import type { ModelsOptions } from "./models-options.ts";
import { ServedModel, type ModelStatus } from "./served-model.ts";

/** All models of a process. */
export class Models {
  readonly #options: ModelsOptions;
  #models = new Map<string, ServedModel>();

  constructor(options: ModelsOptions) {
    this.#options = options;
  }

  /**
   * Makes the set of models what `configs` says: new ones are loaded, changed ones loaded beside the old
   * and switched, missing ones drained. Failures are in `status()`.
   * @param switchOver runs when all are loaded, while those that are missing serve still: for whoever runs them to turn
   * to others.
   */
  async apply(
    configs: Readonly<Record<string, ModelConfig>>,
    switchOver: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const next = new Map<string, ServedModel>();
    const starting: Promise<void>[] = [];
    for (const config of Object.values(configs)) {
      const current = this.#models.get(config.name);
      if (current !== undefined && isDeepStrictEqual(current.config, config)) {
        next.set(config.name, current);
        continue;
      }
      const model = new ServedModel(config, this.#options);
      next.set(config.name, model);
      starting.push(model.start());
    }
    const isFirst = this.#models.size === 0;
    if (isFirst) this.#models = next; // readiness shows what is loading
    await Promise.all(starting);
    const gone = [...this.#models.values()].filter((model) => !this.#keeps(next, model));
    const missing = gone.filter(({ config }) => !next.has(config.name));
    this.#models = new Map([
      ...next,
      ...missing.map((model) => [model.config.name, model] as const),
    ]);
    try {
      await switchOver();
    } finally {
      this.#models = next;
      void Promise.all(gone.map((model) => model.close()));
    }
  }

  /** A changed model that cannot be loaded leaves its old self serving. */
  #keeps(next: Map<string, ServedModel>, old: ServedModel): boolean {
    const name = old.config.name;
    const successor = next.get(name);
    if (successor === old) return true;
    if (successor === undefined || successor.latest !== undefined || old.latest === undefined) {
      return false;
    }
    next.set(name, old);
    void successor.close();
    return true;
  }

  get names(): string[] {
    return [...this.#models.keys()];
  }

  find(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  /** @throws MODEL_NOT_FOUND */
  model(name: string): ServedModel {
    const model = this.#models.get(name);
    if (model !== undefined) return model;
    throw new MillraceError(
      "MODEL_NOT_FOUND",
      `Request for unknown model: '${name}' is not found, there is ${quoted(this.names)}`,
    );
  }

  /**
   * The version a request goes to.
   * @param version number as in the path; undefined takes the latest.
   * @throws MODEL_NOT_FOUND, MODEL_NOT_READY.
   */
  version(name: string, version?: number): ModelVersion {
    const model = this.model(name);
    const found = version === undefined ? model.latest : model.version(version);
    if (found !== undefined) return found;
    if (version !== undefined && model.latest !== undefined) {
      throw new MillraceError(
        "MODEL_NOT_FOUND",
        `Request for unknown model: '${name}' has no version ${version}, there is ${model.status().versions.join(", ")}`,
      );
    }
    throw new MillraceError("MODEL_NOT_READY", `Cannot predict: model "${name}" is not ready`, {
      retryAfterSeconds: 1,
    });
  }

  status(): ModelStatus[] {
    return [...this.#models.values()].map((model) => model.status());
  }

  /** Is every required model ready? */
  get isReady(): boolean {
    return this.status().every((status) => status.isReady || !status.isRequired);
  }

  /** Answers every request that is still here with an error. */
  dropAll(): void {
    for (const model of this.#models.values()) model.dropAll();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#models.values()].map((model) => model.close()));
  }
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `'${name}'`).join(", ");
}
