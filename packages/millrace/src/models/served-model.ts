import type { ModelConfig } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import { fetchModel } from "./fetch-model.ts";
import type { ModelsOptions } from "./models-options.ts";
import type { ModelVersion } from "./model-version.ts";
import { messageOf, prepareVersion } from "./prepare-version.ts";
import { listSourceFiles, type SourceFile } from "./source-files.ts";
import { watchSource } from "./source-watcher.ts";

/** A version in service, with what is needed to see that its file has changed. */
interface Serving {
  readonly version: ModelVersion;
  readonly fingerprint: string;
}

export interface ModelStatus {
  readonly name: string;
  readonly isReady: boolean;
  readonly isRequired: boolean;
  readonly state: "LOADING" | "READY" | "UNAVAILABLE";
  readonly versions: readonly number[];
  /** Why it is not ready, or why the newest file is not what serves; undefined when all is well. */
  readonly problem: string | undefined;
  /** Why the fallback serves instead of the source. */
  readonly fallbackReason: string | undefined;
}

/**
 * The life of one model of the file: its versions are loaded and warmed beside those that serve, switched in
 * one assignment, and the old ones drained and freed. A file that cannot be loaded changes nothing but the status.
 *
 * loading → ready (some version serves) or unavailable (none does); both look at the source again when it
 * changes. `unload` goes to unavailable on purpose, until `load`.
 */
export class ServedModel {
  readonly config: ModelConfig;
  readonly #options: ModelsOptions;
  /** By version number, ascending; the last one is what a request without a version gets. */
  #serving: ReadonlyMap<number, Serving> = new Map();
  #latest: ModelVersion | undefined;
  #state: "loading" | "loaded" | "unloaded" | "closed" = "loading";
  #problem: string | undefined;
  /** Fingerprint that failed, so that a broken file is reported once and not at every look. */
  #failedFingerprint: string | undefined;
  #refreshing: Promise<void> | undefined;
  #isStale = false;
  #stopWatching: () => void = () => undefined;
  readonly #draining = new Set<Promise<void>>();

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
    const isReady = this.#latest !== undefined;
    return {
      name: this.config.name,
      isReady,
      isRequired: this.config.isRequired,
      state: isReady ? "READY" : this.#state === "loading" ? "LOADING" : "UNAVAILABLE",
      versions: [...this.#serving.keys()],
      problem: this.#state === "unloaded" ? "unloaded by request" : this.#problem,
      fallbackReason: this.#latest?.fallbackReason,
    };
  }

  /** Loads what the source holds and starts to watch it. Never throws: a failure is in `status()`. */
  async start(): Promise<void> {
    await this.refresh();
    const { source, reload } = this.config;
    if (source.kind !== "path" || this.#state === "closed") return;
    this.#stopWatching = watchSource(source.path, reload, this.#options.clock, () => {
      if (this.#state === "loaded") void this.refresh();
    });
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
    let files: SourceFile[] = [];
    try {
      files = await listSourceFiles(await this.#localPath(), this.config.serve);
    } catch (error) {
      await this.#keepOrFallBack(error, undefined);
    }
    const fingerprint = files.map((file) => file.fingerprint).join("|");
    if (files.length > 0 && fingerprint !== this.#failedFingerprint) {
      try {
        this.#switchTo(await this.#loadAll(files));
        this.#problem = undefined;
        this.#failedFingerprint = undefined;
      } catch (error) {
        await this.#keepOrFallBack(error, fingerprint);
      }
    }
    if (this.#state === "loading") this.#state = "loaded";
  }

  async #localPath(): Promise<string> {
    const { source, sha256 } = this.config;
    if (source.kind === "path") return source.path;
    return fetchModel(source.url, sha256, this.#options.downloadFolder);
  }

  /** Loads every file that is not served already. All or nothing: one broken version changes nothing. */
  async #loadAll(files: readonly SourceFile[]): Promise<Map<number, Serving>> {
    const next = new Map<number, Serving>();
    const fresh: ModelVersion[] = [];
    const known = [...this.#serving.values()];
    try {
      for (const file of files) {
        const same = known.find((serving) => serving.fingerprint === file.fingerprint);
        const version = same?.version ?? (await this.#load(file, undefined));
        if (same === undefined && !this.versions.includes(version)) fresh.push(version);
        next.set(version.version, { version, fingerprint: file.fingerprint });
      }
      return next;
    } catch (error) {
      for (const version of fresh) this.#release(version);
      throw error;
    }
  }

  /** @returns a new version, or the one in service when the file holds the same bytes. */
  async #load(file: SourceFile, fallbackReason: string | undefined): Promise<ModelVersion> {
    const { clock, runtime, ledger, events } = this.#options;
    const startedMs = clock.nowMs();
    const sha256 = fallbackReason === undefined ? this.config.sha256 : undefined;
    const model = await runtime.load({ path: file.path, sha256, threads: this.config.threads });
    try {
      const digest = model.description.sha256;
      const number = file.version ?? (await ledger.versionOf(this.config.name, digest));
      const current = this.version(number);
      if (
        current !== undefined &&
        current.model.description.sha256 === digest &&
        current.fallbackReason === fallbackReason
      ) {
        await model.close();
        return current;
      }
      const { platform } = runtime;
      const options = { version: number, path: file.path, platform, fallbackReason, clock };
      const version = await prepareVersion(this.config, model, options);
      events.loaded(version, clock.nowMs() - startedMs);
      return version;
    } catch (error) {
      await model.close();
      throw error;
    }
  }

  /** What serves goes on serving; where nothing does, the fallback steps in, and says so. */
  async #keepOrFallBack(error: unknown, fingerprint: string | undefined): Promise<void> {
    const reason = messageOf(error);
    const isNew = reason !== this.#problem;
    this.#problem = reason;
    this.#failedFingerprint = fingerprint;
    if (isNew) this.#options.events.failed(this.config.name, reason, this.#latest?.id);
    const { fallback } = this.config;
    if (fallback?.kind !== "path" || this.#latest !== undefined) return;
    try {
      const files = await listSourceFiles(fallback.path, { kind: "latest" });
      const next = new Map<number, Serving>();
      for (const file of files) {
        const version = await this.#load(file, reason);
        // The fingerprint is not the source's, so the source is tried again whenever it changes.
        next.set(version.version, { version, fingerprint: `fallback:${file.fingerprint}` });
      }
      this.#switchTo(next);
    } catch (fallbackError) {
      this.#problem = `${reason}; the fallback failed too: ${messageOf(fallbackError)}`;
      this.#options.events.failed(this.config.name, messageOf(fallbackError), undefined);
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
    if (this.#latest !== undefined && previous !== this.#latest) {
      this.#options.events.switched(this.#latest, previous);
    }
  }

  #release(version: ModelVersion): void {
    const drained = version.drain().then(
      () => this.#options.events.released(version),
      (error: unknown) =>
        this.#options.events.failed(this.config.name, messageOf(error), version.id),
    );
    this.#draining.add(drained);
    void drained.finally(() => this.#draining.delete(drained));
  }

  /** Loads the source again, after `unload` too. @throws MODEL_LOAD_FAILED when that changes nothing. */
  async load(): Promise<void> {
    this.#failedFingerprint = undefined;
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

  /** Stops watching, waits for requests in flight and frees every version. */
  async close(): Promise<void> {
    this.#stopWatching();
    await this.#refreshing;
    this.#switchTo(new Map());
    this.#state = "closed";
    await Promise.all(this.#draining);
  }
}
