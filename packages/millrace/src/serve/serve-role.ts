import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config/config.ts";
import { ByteBudget } from "../core/batch/byte-budget.ts";
import type { Sha256 } from "../core/cache/key-writer.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import type { KeyedHash } from "../core/predictions/redaction.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import { Metrics, type MetricSnapshot } from "../core/metrics/metrics.ts";
import type { RandomBytes } from "../core/prediction-id.ts";
import { ServiceGraphs, type GraphChange } from "../graphs/service-graphs.ts";
import { Models } from "../models/models.ts";
import type { Runtimes } from "../models/place-model.ts";
import type { VersionLedger } from "../models/version-ledger.ts";
import type { OpenComparator } from "../ports/comparator-source.ts";
import type { LoggerFor } from "../ports/logger.ts";
import type { SegmentWriter, SegmentWriterEvents } from "../ports/segments.ts";
import type { StepSources } from "../ports/step-sources.ts";
import type { TensorCaches } from "../ports/tensor-cache.ts";
import type { Tracer } from "../ports/tracer.ts";
import { addCacheGauges, type NamedUsage } from "./cache-gauges.ts";
import { CacheWarmer } from "./cache-warmer.ts";
import { DataPlane } from "./data-plane.ts";
import { FeedbackIntake } from "./feedback/feedback-intake.ts";
import type { GrpcServer } from "./grpc/grpc-server.ts";
import { checkApplicable } from "./check-applicable.ts";
import { listenError } from "./listen.ts";
import type { ModelRepository } from "./model-repository.ts";
import { ExperimentMetrics } from "./experiments/experiment-metrics.ts";
import {
  ServiceExperiments,
  type ExperimentChange,
  type ServiceExperimentsOptions,
} from "./experiments/service-experiments.ts";
import { explainRecord } from "./explain-record.ts";
import { Readiness } from "./readiness.ts";
import { graphEvents, modelEvents, predictionEvents, shadowEvents } from "./serve-events.ts";
import { addRemoteMetrics } from "./remote-metrics.ts";
import { ServeMetrics } from "./serve-metrics.ts";
import type { ServeStatus } from "./serve-status.ts";
import { addTraceCounters, requestTracesOf, TRACES_FLUSH_MS_MAX } from "./traces-of.ts";
import { RingPredictionLog } from "./prediction-log/ring-prediction-log.ts";
import { unmatchedNames } from "./prediction-log/unmatched-names.ts";
import { ServiceCaches } from "./service-caches.ts";
import { placedModels } from "./shadows/models-of-shadows.ts";
import type { ProcessShare } from "./services.ts";

/** How long a process that is told to stop still takes new requests, until load balancers have noticed. */
export const LAME_DUCK_MS = 1_000;

/** How long a process that could not answer everything in time still waits for its log to be written. */
const LOG_CLOSE_MS_MAX = 1_000;

/** Memory of the requests that wait or run in one process; two bodies of the largest size always fit. */
const QUEUED_BYTES_MAX = 512 * 1024 * 1024;

export interface ServeParts {
  readonly runtimes: Runtimes;
  /** What steps are made from. */
  readonly sources: StepSources;
  readonly caches: TensorCaches;
  readonly experiments: ExperimentParts;
  /** Where predictions are logged; undefined logs none. */
  readonly log?: LogParts | undefined;
  /** Where spans go; undefined where the file asks for no traces. */
  readonly tracer?: Tracer | undefined;
  /** Opens comparisons of shadows that users have written; undefined where nothing does. */
  readonly openComparator?: OpenComparator | undefined;
  readonly sha256: Sha256;
  /** Cores this process may use, at least 1. */
  readonly coreCount: number;
  readonly share: ProcessShare;
  readonly ledger: VersionLedger;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly loggerFor: LoggerFor;
  readonly downloadFolder: string;
}

/** What experiments go by. */
export type ExperimentParts = Pick<ServiceExperimentsOptions, "openSticky" | "phases" | "hash">;

/** What the prediction log is made of. */
export interface LogParts {
  readonly openWriter: (events: SegmentWriterEvents) => SegmentWriter;
  /** Keyed hash, 32 hexadecimal digits; the same in every process of a state folder. */
  readonly hash: KeyedHash;
  /** Name of this process in the rows. */
  readonly node: string;
}

export interface ListenOptions {
  /** Do several processes share the port? */
  readonly isShared: boolean;
  /** Loads and unloads models in every process; undefined does it in this one. */
  readonly repository: ModelRepository | undefined;
}

/** Ports that were taken. */
export interface ServePorts {
  readonly httpPort: number;
  /** Undefined when `server.grpcPort` is off. */
  readonly grpcPort: number | undefined;
}

/**
 * The serve role: models behind a data plane, and once `listen` was called the HTTP and gRPC front ends. Without
 * them, it is what the library embeds.
 */
export class ServeRole {
  readonly plane: DataPlane;
  readonly feedback: FeedbackIntake;
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly experiments: ServiceExperiments;
  readonly readiness: Readiness;
  readonly #caches: ServiceCaches;
  readonly #warmer: CacheWarmer;
  readonly #parts: ServeParts;
  readonly #metrics: ServeMetrics;
  readonly #log: RingPredictionLog | undefined;
  #config: Config;
  /** Makes the change of live keys that every process was asked to make ready. */
  #ready: { readonly commit: () => void; readonly abort: () => void } | undefined;
  /** Of the change that is made ready: one that was given up meanwhile is not. */
  #turn = 0;
  #http: FastifyInstance | undefined;
  #grpc: GrpcServer | undefined;

  constructor(config: Config, parts: ServeParts) {
    this.#config = config;
    this.#parts = parts;
    const { runtimes, coreCount, ledger, clock, random, downloadFolder, share } = parts;
    this.#metrics = new ServeMetrics(new Metrics(), () => this.models);
    this.models = new Models({
      runtimes,
      coreCount,
      ledger,
      clock,
      events: {
        ...modelEvents(parts.loggerFor, this.#metrics),
        changed: (model) => {
          this.graphs.refresh(model);
          this.#warmer.refresh();
        },
      },
      downloadFolder,
      random: Math.random,
      budget: new ByteBudget(Math.max(QUEUED_BYTES_MAX, 2 * config.server.bodyBytesMax)),
    });
    const { sources, caches, sha256 } = parts;
    this.#caches = new ServiceCaches({ caches, clock, sha256, metrics: this.#metrics });
    this.graphs = new ServiceGraphs({
      models: this.models,
      sources,
      caches,
      cacheCounters: (service) => this.#metrics.cacheCounters(service, "data"),
      clock,
      random: Math.random,
      sha256,
      events: graphEvents(parts.loggerFor, this.#metrics),
    });
    this.experiments = this.#createExperiments();
    this.readiness = new Readiness(this.models, this.graphs);
    this.#log = this.#openLog();
    this.plane = new DataPlane({
      models: this.models,
      graphs: this.graphs,
      caches: this.#caches,
      experiments: this.experiments,
      metrics: this.#metrics,
      clock,
      random,
      share,
      events: predictionEvents(parts.loggerFor, clock),
      log: this.#log,
      traces: requestTracesOf(config, parts),
      shadows: {
        random: Math.random,
        events: shadowEvents(parts.loggerFor, clock),
        openComparator: parts.openComparator,
      },
    });
    this.feedback = new FeedbackIntake({
      log: () => this.plane.log,
      config: () => this.#config.log,
      clock,
      metrics: this.#metrics.feedback,
    });
    this.#warmer = new CacheWarmer(this.plane, parts.loggerFor("cache"));
    if (parts.tracer !== undefined) addTraceCounters(this.#metrics.registry, parts.tracer);
    addRemoteMetrics(this.#metrics.registry, this.graphs);
    addCacheGauges(
      this.#metrics.registry,
      () => caches.isUp,
      () => this.#cacheUsages(),
    );
  }

  #createExperiments(): ServiceExperiments {
    const { experiments, sha256, loggerFor } = this.#parts;
    return new ServiceExperiments({
      ...experiments,
      sha256,
      metrics: new ExperimentMetrics(this.#metrics.registry),
      log: loggerFor("experiments"),
    });
  }

  #openLog(): RingPredictionLog | undefined {
    const { log, clock, loggerFor } = this.#parts;
    if (log === undefined) return undefined;
    return new RingPredictionLog({
      ...log,
      config: this.#config.log,
      clock,
      log: loggerFor("predictions"),
      metrics: this.#metrics.predictionLog,
    });
  }

  #cacheUsages(): NamedUsage[] {
    const data = this.graphs.dataUsage();
    const own = this.#caches.usage();
    return data === undefined ? own : [...own, { service: "", cache: "data", ...data }];
  }

  /**
   * Loads every model of the file and makes the graphs of its services. What fails is in `status()` and in the
   * readiness; the rest serves.
   */
  async loadModels(): Promise<void> {
    const services = Object.values(this.#config.services);
    const loading = this.models.apply(placedModels(this.#config));
    this.plane.setServices(this.#config.services);
    (await this.experiments.prepare(services)).commit();
    const change = await this.graphs.prepare(services);
    await loading;
    change.commit();
    this.#warmer.refresh();
    this.#warnOfNames();
  }

  /** Names of `log.redact` and `log.fields` that are none of what is logged, as messages. */
  unmatchedNames(): string[] {
    return unmatchedNames(this.#config, (service) => this.plane.predictorsOf(service));
  }

  /** All processes know the same. */
  #warnOfNames(): void {
    if (this.#log === undefined || this.#parts.share.index !== 0) return;
    const log = this.#parts.loggerFor("predictions");
    for (const message of this.unmatchedNames()) log.warn({}, message);
  }

  /**
   * Opens the ports. Requests are answered with 503 or UNAVAILABLE until their model is loaded.
   * @throws StartError when one cannot be had.
   */
  async listen(options: ListenOptions): Promise<ServePorts> {
    const httpPort = await this.#listenHttp(options);
    try {
      return { httpPort, grpcPort: await this.#listenGrpc(options) };
    } catch (error) {
      await this.stop(0); // the port that is open already would keep the process alive
      throw error;
    }
  }

  async #listenHttp({ isShared, repository }: ListenOptions): Promise<number> {
    const { createHttpServer } = await import("./http/http-server.ts");
    const { server } = this.#config;
    this.#http = await createHttpServer({
      server,
      title: this.#config.name,
      plane: this.plane,
      feedback: this.feedback,
      readiness: this.readiness,
      repository: repository ?? this.localRepository,
      log: this.#parts.loggerFor("http"),
      accessLog: this.#parts.loggerFor("access"),
    });
    const { host, httpPort: port } = server;
    try {
      await this.#http.listen({ host, port, ...(isShared ? { reusePort: true } : {}) });
    } catch (error) {
      throw listenError(error, { host, port, key: "server.httpPort" });
    }
    return (this.#http.server.address() as AddressInfo).port;
  }

  async #listenGrpc({ isShared, repository }: ListenOptions): Promise<number | undefined> {
    const { server } = this.#config;
    const { host, grpcPort: port } = server;
    if (port === "off") return undefined;
    const { createGrpcServer } = await import("./grpc/create-grpc-server.ts");
    this.#grpc = createGrpcServer({
      server,
      plane: this.plane,
      readiness: this.readiness,
      repository: repository ?? this.localRepository,
      log: this.#parts.loggerFor("grpc"),
      accessLog: this.#parts.loggerFor("access"),
    });
    try {
      return await this.#grpc.listen(host, port, isShared);
    } catch (error) {
      throw listenError(error, { host, port, key: "server.grpcPort" });
    }
  }

  /** Loads and unloads in this process only. */
  get localRepository(): ModelRepository {
    return {
      load: (name) => this.models.model(name).load(),
      unload: (name) => this.models.model(name).unload(),
    };
  }

  status(): ServeStatus {
    return { models: this.models.status(), graphs: this.graphs.status() };
  }

  /** What was decided for one of the last predictions; undefined when this process does not remember it. */
  explain(predictionId: string): Explanation | undefined {
    const record = this.plane.recent.find(readPredictionKey(predictionId)?.id ?? predictionId);
    if (record === undefined) return undefined;
    return explainRecord(record, this.plane.shadows?.recent.find(record.id));
  }

  metrics(): MetricSnapshot[] {
    return this.#metrics.registry.snapshot();
  }

  /**
   * Applies a changed file: models are loaded beside the old ones, then models and services switch.
   * @throws StartError when it changes what only a restart can change, INVALID_OVERRIDE when it divides units anew and
   * their arms cannot be kept; nothing is applied then.
   */
  async apply(config: Config, overrideVersion = this.plane.overrideVersion): Promise<void> {
    checkApplicable(this.#config, config);
    this.abort(); // what is ready was made from the file before
    const services = Object.values(config.services);
    // Before the models are loaded: no process is to switch while another has not begun.
    const experiments = await this.experiments.prepare(services);
    this.#config = config;
    try {
      await this.models.apply(placedModels(config), async () => {
        const graphs = await this.graphs.prepare(services);
        this.#switchTo(config, overrideVersion, experiments, graphs);
      });
    } finally {
      experiments.abort(); // what was committed stays
    }
    this.#warnOfNames();
  }

  /**
   * Makes ready a change of live keys; requests see nothing of it before `commit`.
   * @throws INVALID_OVERRIDE when a graph that can be made now could not be made, or units are divided anew and their arms
   * cannot be kept; what was ready before is forgotten.
   */
  async prepare(config: Config, overrideVersion: number): Promise<void> {
    this.abort();
    checkApplicable(this.#config, config);
    const turn = this.#turn;
    const services = Object.values(config.services);
    const graphs = await this.graphs.prepare(services);
    let experiments: ExperimentChange | undefined;
    try {
      experiments = await this.experiments.prepare(services);
      if (turn !== this.#turn) throw new Error("Cannot make the change ready: it was given up");
      this.#refuseNewProblems(graphs);
    } catch (error) {
      graphs.abort();
      experiments?.abort();
      throw error;
    }
    const switched = experiments;
    this.#ready = {
      commit: () => {
        this.#config = config;
        this.#switchTo(config, overrideVersion, switched, graphs);
      },
      abort: () => {
        graphs.abort();
        switched.abort();
      },
    };
  }

  #switchTo(config: Config, version: number, arms: ExperimentChange, graphs: GraphChange): void {
    arms.commit();
    this.plane.setServices(config.services);
    this.#log?.configure(config.log);
    graphs.commit();
    this.#warmer.refresh();
    this.plane.overrideVersion = version;
  }

  /** A graph that had problems before may keep them: the change is not their cause. */
  #refuseNewProblems({ problems }: GraphChange): void {
    const sound = new Set(
      this.graphs
        .status()
        .flatMap(({ service, problem }) => (problem === undefined ? service : [])),
    );
    const found = problems.filter(({ service }) => sound.has(service));
    if (found.length === 0) return;
    const all = found.slice(0, PROBLEMS_MAX).map(({ at, message }) => ({
      location: ["config", at.join(".")],
      message,
      type: "graph",
    }));
    const text = all.map(({ location, message }) => `${location[1] ?? ""}: ${message}`).join("; ");
    throw new MillraceError("INVALID_OVERRIDE", `Cannot serve ${text}`, { problems: all });
  }

  /** Makes the change that is ready, in one step. */
  commit(): void {
    if (this.#ready === undefined) throw new Error("Cannot switch: no change is ready");
    this.#ready.commit();
    this.#ready = undefined;
  }

  /** Forgets the change that is ready. */
  abort(): void {
    this.#turn++;
    this.#ready?.abort();
    this.#ready = undefined;
  }

  /** Writes out what is in memory, if that takes no longer. */
  async #closeLog(withinMs: number): Promise<void> {
    const { clock } = this.#parts;
    const late = new Promise<"late">((resolve) => clock.schedule(withinMs, () => resolve("late")));
    if ((await Promise.race([this.#log?.close(), late])) === "late") this.#log?.giveUp();
  }

  /**
   * Stops without losing a request: not ready at once, still serving for `lameDuckMs`, then no new connections,
   * then the requests in flight, at most `server.drain` in all.
   * @returns true when every request was answered.
   */
  async stop(lameDuckMs: number): Promise<boolean> {
    const { clock } = this.#parts;
    const { drainMs } = this.#config.server;
    const startedMs = clock.nowMs();
    this.readiness.startDraining();
    this.#warmer.stop();
    this.plane.shadows?.close();
    const deadline = new Promise<false>((resolve) => clock.schedule(drainMs, () => resolve(false)));
    const finished = (async () => {
      // The clock's timers do not keep a process alive, so one that does not listen must not wait for them.
      if (this.#http !== undefined && lameDuckMs > 0) {
        await new Promise<void>((resolve) =>
          clock.schedule(Math.min(lameDuckMs, drainMs / 2), resolve),
        );
      }
      // Requests that came while the thread was busy are read first: closing resets what looks idle.
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      await Promise.all([this.#http?.close(), this.#grpc?.close()]);
      this.abort(); // its graphs keep models
      this.graphs.close();
      await this.models.close();
      await this.#caches.close();
      await this.experiments.close();
      await Promise.all([this.#parts.caches.close(), this.#log?.close()]);
      return true;
    })();
    const isFinished = await Promise.race([finished, deadline]);
    if (!isFinished) {
      // Whoever still waits gets an answer, and time to read it.
      this.models.dropAll();
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      this.#http?.server.closeAllConnections();
      this.#grpc?.closeAllConnections();
      await this.#closeLog(LOG_CLOSE_MS_MAX);
    }
    // Those of the last answers too, in what is left of the time: then a supervisor ends the process.
    const leftMs = Math.max(0, drainMs - (clock.nowMs() - startedMs));
    await this.#parts.tracer?.close(Math.min(TRACES_FLUSH_MS_MAX, leftMs));
    return isFinished;
  }
}
