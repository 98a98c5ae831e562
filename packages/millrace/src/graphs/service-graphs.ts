import type { ServiceConfig } from "../config/config.ts";
import type { CacheCounters } from "../core/cache/cache-counters.ts";
import type { Sha256 } from "../core/cache/key-writer.ts";
import type { Clock } from "../core/clock.ts";
import { RetryBudget, type ExtraCounts } from "../core/overload/retry-budget.ts";
import type { Models } from "../models/models.ts";
import type { EndpointStatus, StepSources } from "../ports/step-sources.ts";
import type { CacheBounds, CacheUsage, TensorCaches } from "../ports/tensor-cache.ts";
import { buildGraph, type BuildProblem } from "./build-graph.ts";
import { DataCache } from "./data-cache.ts";
import { GraphPredictor } from "./graph-predictor.ts";
import { isBare, modelsIn, readsOf, sourceStepsIn } from "./graph-steps.ts";
import { OpenSources } from "./open-sources.ts";
import type { ModelVersion } from "../models/model-version.ts";
import { emptyStatistics, type Statistics } from "../models/statistics.ts";
import { OpenedService } from "./opened-service.ts";
import { plainModelOf } from "./plain-service.ts";

/** What happens to the graphs, for the log and the metrics. Must not throw. */
export interface GraphEvents {
  /** A graph serves from now on; it is made of these model versions. */
  built(service: string, graph: GraphPredictor): void;
  /** It cannot be made; `isServing` says that the one before it goes on. */
  refused(service: string, reason: string, isServing: boolean): void;
  /** Conditions of a switch met values that they cannot be made on. */
  invalidAttributes(service: string, count: number): void;
}

export interface ServiceGraphsOptions {
  readonly models: Models;
  readonly sources: StepSources;
  /** Opened here, closed by whoever gave it. */
  readonly caches: TensorCaches;
  readonly cacheCounters: (service: string) => CacheCounters;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the waits before retries. */
  readonly random: () => number;
  readonly sha256: Sha256;
  readonly events: GraphEvents;
}

export interface GraphStatus {
  readonly service: string;
  readonly isReady: boolean;
  /** Why there is no graph, or not the newest; undefined when all is well. */
  readonly problem: string | undefined;
}

export interface ServiceEndpoint extends EndpointStatus {
  readonly service: string;
  readonly step: string;
}

/** First wait before what could not be opened is tried again; doubles each time. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

/** A service with its graph, as far as there is one. */
interface Entry {
  readonly service: ServiceConfig;
  readonly models: ReadonlySet<string>;
  /** Is it a step that stands in a shadow, and nobody waits for? */
  readonly isOfShadow: boolean;
  /** Those of the graphs it had before go on. */
  readonly statistics: Statistics;
  readonly budget: RetryBudget;
  opened: OpenedService | undefined;
  graph: GraphPredictor | undefined;
  /** Was its graph made for what the service was before? */
  isEarlier: boolean;
  problem: string | undefined;
  problems: readonly BuildProblem[];
}

/** Services that are ready to take the place of those that serve. */
export interface GraphChange {
  /** What is wrong, by service; empty when all graphs that can be made now are made. */
  readonly problems: readonly (BuildProblem & { readonly service: string })[];
  /** They serve from now on. A service whose graph cannot be made keeps the one it has. */
  commit(): void;
  /** They never will. */
  abort(): void;
}

/** The graphs of all services that have one. When a model changes, those that run it are made again, each whole. */
export class ServiceGraphs {
  readonly #options: ServiceGraphsOptions;
  readonly #shared = new OpenSources();
  readonly #dataCache: DataCache;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** Were the graphs of the file made, as far as they can be? */
  #isMade = false;
  /** By service, the digest of the graph or the problem that was told last. */
  readonly #reported = new Map<string, string>();
  #cancelRetry: (() => void) | undefined;
  #retries = 0;
  #isClosed = false;

  constructor(options: ServiceGraphsOptions) {
    this.#options = options;
    const { caches, clock, sha256 } = options;
    this.#dataCache = new DataCache({ store: caches.open(NO_DATA), clock, sha256 });
  }

  /** What the data cache of this process holds; undefined where it is outside of it, or where no service has one. */
  dataUsage(): CacheUsage | undefined {
    const isUsed = [...this.#entries.values()].some(({ service }) => service.cache.data);
    return isUsed ? this.#dataCache.store.usage() : undefined;
  }

  /** The graph of a service; undefined when it has none, or none that can serve. */
  find(service: string): GraphPredictor | undefined {
    return this.#entries.get(service)?.graph;
  }

  /** Why a service has no graph, or not the newest; undefined when all is well. */
  problemOf(service: string): string | undefined {
    return this.#entries.get(service)?.problem;
  }

  status(): GraphStatus[] {
    return [...this.#entries.values()].map(({ service, graph, problem }) => {
      return { service: service.name, isReady: graph?.isUp === true, problem };
    });
  }

  /** Steps of a service that are not models, and whether they can answer now. */
  partsOf({ name, graph }: ServiceConfig): (readonly [name: string, isUp: boolean])[] {
    const opened = this.#entries.get(name)?.opened;
    return opened?.parts ?? sourceStepsIn(graph).map((step) => [step.name, false] as const);
  }

  /** The servers of the steps of all services. */
  endpoints(): ServiceEndpoint[] {
    return [...this.#entries.values()].flatMap(({ service, opened }) =>
      (opened?.endpoints ?? []).map((endpoint) => ({ service: service.name, ...endpoint })),
    );
  }

  /** Calls beside the first ones, by service. */
  extraCounts(): (readonly [service: string, counts: ExtraCounts])[] {
    return [...this.#entries.values()].map(({ service, budget }) => [service.name, budget.counts]);
  }

  /**
   * Can every graph serve, be it one from before, but for those that lack a model which is not required, and those of
   * shadows? Not before they were made the first time.
   */
  get isReady(): boolean {
    return this.#isMade && [...this.#entries.values()].every((entry) => this.#mayServe(entry));
  }

  #mayServe({ graph, models, isOfShadow }: Entry): boolean {
    if (graph !== undefined || isOfShadow) return true;
    const served = [...models].map((name) => this.#options.models.find(name));
    return served.some((model) => model?.config.isRequired === false && model.latest === undefined);
  }

  /** What is wrong with the graphs, where it is written. */
  problems(): readonly BuildProblem[] {
    return [...this.#entries.values()].flatMap(({ problems }) => problems);
  }

  /** Opens and builds what the services need, beside what serves. Models that are not loaded yet are waited for. */
  async prepare(services: readonly ServiceConfig[]): Promise<GraphChange> {
    const own = services.filter((service) => plainModelOf(service) === undefined);
    const ofShadows = stepsOfShadows(services);
    const entries = await Promise.all(
      own.map((service) => this.#open(service, ofShadows.has(service.name))),
    );
    for (const entry of entries) this.#build(entry);
    return {
      problems: entries.flatMap(({ service, problems }) =>
        problems.map((problem) => ({ ...problem, service: service.name })),
      ),
      commit: () => this.#commit(entries),
      abort: () => entries.forEach(drop),
    };
  }

  async #open(service: ServiceConfig, isOfShadow: boolean): Promise<Entry> {
    const opened = await OpenedService.open(service, this.#options.sources, this.#shared);
    const isOpen = opened instanceof OpenedService;
    const problem = isOpen ? undefined : opened.join("; ");
    const at = ["services", service.name, "graph"];
    return {
      service,
      models: modelsIn(service.graph),
      isOfShadow,
      statistics: this.#entries.get(service.name)?.statistics ?? emptyStatistics(),
      budget: this.#entries.get(service.name)?.budget ?? new RetryBudget(),
      opened: isOpen ? opened : undefined,
      graph: undefined,
      isEarlier: false,
      problem,
      problems: isOpen ? [] : opened.map((message) => ({ at, message })),
    };
  }

  /** Makes the graph of what is loaded now. Where that cannot be, the one before stays. */
  #build(entry: Entry): void {
    const { service, opened } = entry;
    if (opened === undefined) return;
    const { models, clock, random, sha256, events, cacheCounters } = this.#options;
    const build = buildGraph(service, {
      models,
      clock,
      random,
      sourceOf: (step) => opened.step(step),
      combinerOf: (path) => opened.combiner(path).combiner,
      dataCache: this.#dataCache,
      cacheCounters: cacheCounters(service.name),
      countInvalid: (count) => events.invalidAttributes(service.name, count),
    });
    entry.problems = build.kind === "problems" ? build.problems : [];
    entry.problem = problemOf(build);
    if (build.kind === "problems") return;
    const before = entry.graph;
    if (build.kind === "built" && !entry.isEarlier && isMadeOf(before, build.versions)) return;
    entry.graph = undefined;
    entry.isEarlier = false;
    if (build.kind === "built") {
      const { root, versions } = build;
      opened.hold();
      entry.graph = new GraphPredictor({
        serviceName: service.name,
        root,
        versions,
        digest: sha256(new TextEncoder().encode(digestText(service, versions, opened))),
        isBare: isBare(service.graph),
        reads: readsOf(service.graph),
        statistics: entry.statistics,
        budget: entry.budget,
        clock,
        onClosed: () => opened.release(),
      });
    }
    before?.retire();
  }

  #commit(entries: readonly Entry[]): void {
    if (this.#isClosed) {
      entries.forEach(drop);
      return;
    }
    const previous = this.#entries;
    this.#isMade = true;
    this.#entries = new Map(entries.map((entry) => [entry.service.name, entry]));
    for (const entry of entries) {
      const before = previous.get(entry.service.name);
      this.#build(entry); // a model may have changed since it was prepared
      if (entry.problem !== undefined && entry.graph === undefined && before?.graph !== undefined) {
        entry.graph = before.graph;
        entry.isEarlier = true;
        before.graph = undefined;
      }
      this.#report(entry);
    }
    for (const entry of previous.values()) drop(entry);
    for (const name of this.#reported.keys()) {
      if (!this.#entries.has(name)) this.#reported.delete(name);
    }
    this.#dataCache.store.setBounds(boundsOf(entries.map(({ service }) => service)));
    this.#retries = 0;
    this.#retryLater();
  }

  /** A model has changed: every graph that runs it is made again. */
  refresh(model: string): void {
    for (const entry of this.#entries.values()) {
      if (!entry.models.has(model)) continue;
      const { graph, problem } = entry;
      this.#build(entry);
      if (entry.graph !== graph || entry.problem !== problem) this.#report(entry);
    }
  }

  /** Says what has changed since it last said something about the service. */
  #report({ service, graph, problem }: Entry): void {
    const { events } = this.#options;
    const news = problem ?? graph?.digest;
    if (news === undefined || this.#reported.get(service.name) === news) return;
    this.#reported.set(service.name, news);
    if (problem !== undefined) events.refused(service.name, problem, graph !== undefined);
    else if (graph !== undefined) events.built(service.name, graph);
  }

  /** What could not be opened, as a server that was not up, is tried again. */
  #retryLater(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    const isMissing = [...this.#entries.values()].some(({ opened }) => opened === undefined);
    if (!isMissing || this.#isClosed) return;
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#retries);
    this.#retries++;
    this.#cancelRetry = this.#options.clock.schedule(waitMs, () => void this.#openMissing());
  }

  async #openMissing(): Promise<void> {
    const missing = [...this.#entries.values()].filter(({ opened }) => opened === undefined);
    for (const entry of missing) {
      const next = await this.#open(entry.service, entry.isOfShadow);
      const isCurrent = this.#entries.get(entry.service.name) === entry && !this.#isClosed;
      if (!isCurrent || next.opened === undefined) {
        drop(next);
        continue;
      }
      entry.opened = next.opened;
      this.#build(entry);
      this.#report(entry);
    }
    this.#retryLater();
  }

  /** Lets everything go; requests in flight keep what they run on. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    const entries = this.#entries;
    this.#entries = new Map();
    for (const entry of entries.values()) drop(entry);
    void this.#dataCache.store.close();
  }
}

/** Of a process whose services cache no data. */
const NO_DATA: CacheBounds = { entriesMax: 1, bytesMax: 1 };

/** The data of all services is in one cache, which may hold what all of them may. */
function boundsOf(services: readonly ServiceConfig[]): CacheBounds {
  const bounds = services.flatMap(({ cache }) => cache.data ?? []);
  if (bounds.length === 0) return NO_DATA;
  return {
    entriesMax: bounds.reduce((sum, { entriesMax }) => sum + entriesMax, 0),
    bytesMax: bounds.reduce((sum, { bytesMax }) => sum + bytesMax, 0),
  };
}

function isMadeOf(graph: GraphPredictor | undefined, versions: readonly ModelVersion[]): boolean {
  if (graph?.versions.length !== versions.length) return false;
  return versions.every((version, i) => version === graph.versions[i]);
}

/** Services that steps are which are written in a shadow. */
function stepsOfShadows(services: readonly ServiceConfig[]): ReadonlySet<string> {
  const names = services.flatMap(({ name, shadows }) =>
    shadows.filter((shadow) => shadow.to === `${name}.${shadow.name}`).map(({ to }) => to),
  );
  return new Set(names);
}

function drop(entry: Entry): void {
  entry.graph?.retire();
  entry.graph = undefined;
  entry.opened?.release();
  entry.opened = undefined;
}

function problemOf(build: ReturnType<typeof buildGraph>): string | undefined {
  switch (build.kind) {
    case "built":
      return undefined;
    case "waiting":
      return `waits for ${build.models.map((name) => `model ${name}`).join(", ")}`;
    case "problems":
      return build.problems.map(({ message }) => message).join("; ");
  }
}

/** Everything that decides what the graph gives, beside the request. */
function digestText(
  { graph, parameters }: ServiceConfig,
  versions: GraphPredictor["versions"],
  { digests }: OpenedService,
): string {
  const { branches, thresholds, thresholdDefault, deactivated } = parameters;
  const models = versions.map(({ id, digest }) => [id, digest]);
  const switches = { branches, thresholds, thresholdDefault, deactivated };
  return JSON.stringify({ graph, models, digests, switches }, withoutPlaces);
}

/** Where a step is written makes no difference: `at` is a list there, and may be a name of a branch elsewhere. */
function withoutPlaces(key: string, value: unknown): unknown {
  return key === "at" && Array.isArray(value) ? undefined : value;
}
