import type { ModelConfig, ServePolicy } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import { messageOf } from "../core/message-of.ts";
import { fetchModel } from "./fetch-model.ts";
import type { ModelsOptions } from "./models-options.ts";
import type { ModelVersion } from "./model-version.ts";
import { prepareVersion } from "./prepare-version.ts";
import { loadFirst } from "./place-model.ts";
import type { LoadedModel, Placement } from "../ports/runtime.ts";
import { listProgramSources, listSourceFiles, type SourceFile } from "./source-files.ts";
import { watchSource } from "./source-watcher.ts";

/** A version in service, with what is needed to see that its file has changed. */
interface Serving {
  readonly version: ModelVersion;
  readonly fingerprint: string;
  readonly isFallback: boolean;
}

export interface ModelStatus {
  readonly name: string;
  /** Does a version serve, and is there a thread that can run it? */
  readonly isReady: boolean;
  readonly isRequired: boolean;
  readonly state: "LOADING" | "READY" | "UNAVAILABLE";
  readonly versions: readonly number[];
  /** Why it is not ready, or why the newest file is not what serves; undefined when all is well. */
  readonly problem: string | undefined;
  /** Why the fallback serves instead of the source. */
  readonly fallbackReason: string | undefined;
  /** Where its latest version runs; undefined while there is none. */
  readonly placement: Placement | undefined;
  /** Copies that run side by side. */
  readonly instances: number | undefined;
  /** How its requests share runs, in words. */
  readonly batch: string | undefined;
}

/**
 * The life of one model of the file: its versions are loaded and warmed beside those that serve, switched in
 * one assignment, and the old ones drained and freed. A file that cannot be loaded changes nothing but the
 * status; of several versions, those that load serve.
 *
 * loading → loaded (some version serves, or none does and the status says why); the source is looked at again
 * when it changes. `unload` takes everything out of service on purpose, until `load`.
 */
export class ServedModel {
  readonly config: ModelConfig;
  readonly #options: ModelsOptions;
  /** By version number, ascending; the last one is what a request without a version gets. */
  #serving: ReadonlyMap<number, Serving> = new Map();
  #latest: ModelVersion | undefined;
  #state: "loading" | "loaded" | "unloaded" | "closed" = "loading";
  #problem: string | undefined;
  /** Fingerprints that failed, with the reason: a broken file is tried and reported once, not at every look. */
  #failures: ReadonlyMap<string, string> = new Map();
  #refreshing: Promise<void> | undefined;
  #isStale = false;
  #stopWatching: readonly (() => void)[] = [];
  readonly #draining = new Map<ModelVersion, Promise<void>>();

  constructor(config: ModelConfig, options: ModelsOptions) {
    this.config = config;
    this.#options = options;
  }

  get latest(): ModelVersion | undefined {
    return this.#latest;
  }

  get versions(): ModelVersion[] {
    return [...this.#serving.values()].map((serving) => serving.version);
  }

  version(number: number): ModelVersion | undefined {
    return this.#serving.get(number)?.version;
  }

  status(): ModelStatus {
    const isReady = this.#latest?.isUp === true;
    return {
      name: this.config.name,
      isReady,
      isRequired: this.config.isRequired,
      state: isReady ? "READY" : this.#state === "loading" ? "LOADING" : "UNAVAILABLE",
      versions: [...this.#serving.keys()],
      problem: this.#problemNow,
      fallbackReason: this.#latest?.fallbackReason,
      placement: this.#latest?.placement,
      instances: this.#latest?.scheduled.executorCount,
      batch: this.#latest?.batchText,
    };
  }

  get #problemNow(): string | undefined {
    if (this.#state === "unloaded") return "unloaded by request";
    if (this.#latest === undefined || this.#latest.isUp) return this.#problem;
    return `every thread of ${this.#latest.id} is lost and is being started again`;
  }

  /** Loads what the source holds and starts to watch it. Never throws: a failure is in `status()`. */
  async start(): Promise<void> {
    await this.refresh();
    const { source, reload, program } = this.config;
    if (this.#state === "closed") return;
    const paths = [...(source.kind === "path" ? [source.path] : []), ...(program?.files ?? [])];
    this.#stopWatching = paths.map((path) =>
      watchSource(path, reload, this.#options.clock, () => {
        if (this.#state === "loaded") void this.refresh();
      }),
    );
  }

  /** Brings the served versions in line with the source. Calls that overlap share one more look. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#refreshing ??= this.#refreshUntilFresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refreshUntilFresh(): Promise<void> {
    while (this.#isStale && this.#state !== "closed") {
      this.#isStale = false;
      await this.#refreshOnce();
    }
  }

  async #refreshOnce(): Promise<void> {
    const problems: string[] = [];
    try {
      const path = await this.#localPath();
      const next = await this.#loadAll(await this.#list(path, this.config.serve), problems);
      if (next.size === 0 && this.#latest === undefined && this.config.serve.kind === "latest") {
        await this.#loadEarlier(path, next);
      }
      if (next.size > 0) this.#switchTo(next);
    } catch (error) {
      problems.push(messageOf(error));
    }
    await this.#report(problems);
    if (this.#state === "loading") this.#state = "loaded";
  }

  /** @returns undefined when a program is all there is. */
  async #localPath(): Promise<string | undefined> {
    const { source, sha256 } = this.config;
    if (source.kind === "program") return undefined;
    if (source.kind === "path") return source.path;
    return fetchModel(source.url, sha256, this.#options.downloadFolder);
  }

  #list(path: string | undefined, policy: ServePolicy): Promise<SourceFile[]> {
    const { program } = this.config;
    if (program !== undefined) return listProgramSources(path, policy, program);
    return listSourceFiles(path ?? "", policy);
  }

  /**
   * Loads every file that is not served already.
   * @param problems why some could not be loaded. Where such a version serves from an earlier file, it stays.
   */
  async #loadAll(files: readonly SourceFile[], problems: string[]): Promise<Map<number, Serving>> {
    const next = new Map<number, Serving>();
    const failures = new Map<string, string>();
    for (const file of files) {
      try {
        const serving = await this.#serve(file);
        next.set(serving.version.version, serving);
      } catch (error) {
        const reason = messageOf(error);
        failures.set(file.fingerprint, reason);
        problems.push(reason);
        for (const [number, serving] of this.#serving) {
          const isSame = file.version === undefined || file.version === number;
          if (isSame && !serving.isFallback) next.set(number, serving);
        }
      }
    }
    this.#failures = failures;
    return next;
  }

  /** The newest version does not load and nothing serves yet: the one before is better than none. */
  async #loadEarlier(path: string | undefined, next: Map<number, Serving>): Promise<void> {
    const files = await this.#list(path, { kind: "all" });
    for (const file of files.toReversed().slice(1)) {
      try {
        const serving = await this.#serve(file);
        next.set(serving.version.version, serving);
        return;
      } catch {
        continue; // the newest one's reason is what the status says
      }
    }
  }

  /** @returns the file in service, loaded now if it was not. */
  async #serve(file: SourceFile): Promise<Serving> {
    const { fingerprint, problem } = file;
    if (problem !== undefined) throw problem;
    for (const serving of this.#serving.values()) {
      if (serving.fingerprint === fingerprint && !serving.isFallback) return serving;
    }
    const failure = this.#failures.get(fingerprint);
    if (failure !== undefined) throw new MillraceError("MODEL_LOAD_FAILED", failure);
    return { version: await this.#load(file, undefined), fingerprint, isFallback: false };
  }

  /** @returns a new version, or the one in service when the file holds the same bytes. */
  async #load(file: SourceFile, fallbackReason: string | undefined): Promise<ModelVersion> {
    const { clock, runtimes, events } = this.#options;
    const startedMs = clock.nowMs();
    const sha256 = fallbackReason === undefined ? this.config.sha256 : undefined;
    const { runtime, threads, program } = this.config;
    const modelFile = { path: file.path, sha256, threads, program };
    const previous = this.#latest?.placement;
    const model = await loadFirst(modelFile, this.config, runtimes[runtime], previous);
    const number = file.version ?? (await this.#numberOf(model));
    const current = this.version(number);
    if (
      current !== undefined &&
      current.description.sha256 === model.description.sha256 &&
      (current.fallbackReason === undefined) === (fallbackReason === undefined)
    ) {
      await model.close();
      return current;
    }
    const version = await prepareVersion(this.config, model, {
      version: number,
      file: modelFile,
      fallbackReason,
      models: this.#options,
    });
    events.loaded(version, clock.nowMs() - startedMs);
    return version;
  }

  async #numberOf(model: LoadedModel): Promise<number> {
    try {
      const { sha256 } = model.description;
      return await this.#options.ledger.versionOf(this.config.name, sha256);
    } catch (error) {
      await model.close();
      throw error;
    }
  }

  /** Says what has changed for the better or the worse; where nothing serves, the fallback steps in first. */
  async #report(problems: readonly string[]): Promise<void> {
    const { events } = this.#options;
    const before = this.#problem;
    let problem = problems.length === 0 ? undefined : problems.join("; ");
    if (problem !== undefined && this.#latest === undefined) {
      problem = await this.#fallBack(problem);
    }
    this.#problem = problem;
    if (this.#latest?.fallbackReason !== undefined && problem !== undefined) {
      this.#latest.fallbackReason = problem;
    }
    if (problem === before) return;
    if (problem !== undefined) events.failed(this.config.name, problem, this.#latest);
    else if (this.#latest !== undefined) events.recovered(this.#latest);
  }

  /** @returns the reason, with that of the fallback when it fails too. */
  async #fallBack(reason: string): Promise<string> {
    const { fallback } = this.config;
    if (fallback?.kind !== "path") return reason;
    try {
      const next = new Map<number, Serving>();
      for (const file of await this.#list(fallback.path, { kind: "latest" })) {
        if (file.problem !== undefined) throw file.problem;
        const version = await this.#load(file, reason);
        next.set(version.version, { version, fingerprint: file.fingerprint, isFallback: true });
      }
      this.#switchTo(next);
      return reason;
    } catch (error) {
      return `${reason}; the fallback failed too: ${messageOf(error)}`;
    }
  }

  #switchTo(next: ReadonlyMap<number, Serving>): void {
    if (this.#state === "closed") {
      for (const serving of next.values()) this.#release(serving.version);
      return;
    }
    const before = this.versions;
    const ascending = [...next].sort(([a], [b]) => a - b);
    this.#serving = new Map(ascending);
    const previous = this.#latest;
    this.#latest = this.versions.at(-1);
    const kept = new Set(this.versions);
    for (const version of before) if (!kept.has(version)) this.#release(version);
    const { events } = this.#options;
    if (this.#latest !== undefined && previous !== this.#latest) {
      events.switched(this.#latest, previous);
    }
    events.changed(this.config.name);
  }

  #release(version: ModelVersion): void {
    const drained = version.drain().then(
      () => this.#options.events.released(version),
      (error: unknown) => this.#options.events.failed(this.config.name, messageOf(error), version),
    );
    this.#draining.set(version, drained);
    void drained.finally(() => this.#draining.delete(version));
  }

  /** Loads the source again, after `unload` too. @throws MODEL_LOAD_FAILED when that changes nothing. */
  async load(): Promise<void> {
    this.#failures = new Map();
    this.#state = this.#latest === undefined ? "loading" : "loaded";
    await this.refresh();
    if (this.#problem === undefined) return;
    throw new MillraceError(
      "MODEL_LOAD_FAILED",
      `failed to load '${this.config.name}': ${this.#problem}`,
    );
  }

  /** Takes the model out of service until `load`; requests in flight finish. */
  async unload(): Promise<void> {
    await this.#refreshing;
    this.#switchTo(new Map());
    this.#state = "unloaded";
  }

  /** Answers every request that is still here with an error, so that nothing is in flight any more. */
  dropAll(): void {
    for (const version of [...this.versions, ...this.#draining.keys()]) version.scheduled.dropAll();
  }

  /** Stops watching, waits for requests in flight and frees every version. */
  async close(): Promise<void> {
    for (const stop of this.#stopWatching) stop();
    await this.#refreshing;
    this.#switchTo(new Map());
    this.#state = "closed";
    await Promise.all(this.#draining.values());
  }
}
