import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import { ByteBudget } from "../core/batch/byte-budget.ts";
import type { Sha256 } from "../core/cache/key-writer.ts";
import type { Clock } from "../core/clock.ts";
import { ERRORS, MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { Metrics, type MetricSnapshot } from "../core/metrics/metrics.ts";
import type { RandomBytes } from "../core/prediction-id.ts";
import { ServiceGraphs, type GraphEvents } from "../graphs/service-graphs.ts";
import { Models } from "../models/models.ts";
import type { Runtimes } from "../models/place-model.ts";
import type { ModelEvents } from "../models/models-options.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { VersionLedger } from "../models/version-ledger.ts";
import type { LoggerFor } from "../ports/logger.ts";
import type { StepSources } from "../ports/step-sources.ts";
import type { TensorCaches } from "../ports/tensor-cache.ts";
import { DataPlane, type PredictionEvents } from "./data-plane.ts";
import type { GrpcServer } from "./grpc/grpc-server.ts";
import { listenError, StartError } from "./listen.ts";
import type { ModelRepository } from "./model-repository.ts";
import { explainRecord } from "./recent-predictions.ts";
import { Readiness } from "./readiness.ts";
import { ServeMetrics } from "./serve-metrics.ts";
import { ServiceCaches } from "./service-caches.ts";
import type { ProcessShare } from "./services.ts";

/** How long a process that is told to stop still takes new requests, until load balancers have noticed. */
export const LAME_DUCK_MS = 1_000;

/** Memory of the requests that wait or run in one process; two bodies of the largest size always fit. */
const QUEUED_BYTES_MAX = 512 * 1024 * 1024;

export interface ServeParts {
  readonly runtimes: Runtimes;
  /** What steps are made from. */
  readonly sources: StepSources;
  readonly caches: TensorCaches;
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
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly readiness: Readiness;
  readonly #caches: ServiceCaches;
  readonly #parts: ServeParts;
  readonly #metrics: ServeMetrics;
  #config: Config;
  /** Makes the change of live keys that every process was asked to make ready. */
  #ready: { readonly commit: () => void; readonly abort: () => void } | undefined;
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
        ...modelEvents(parts, this.#metrics),
        changed: (model) => this.graphs.refresh(model),
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
      clock,
      sha256: (text) => sha256(new TextEncoder().encode(text)),
      events: graphEvents(parts, this.#metrics),
    });
    this.readiness = new Readiness(this.models, this.graphs);
    this.plane = new DataPlane({
      models: this.models,
      graphs: this.graphs,
      caches: this.#caches,
      metrics: this.#metrics,
      clock,
      random,
      share,
      events: predictionEvents(parts),
    });
  }

  /**
   * Loads every model of the file and makes the graphs of its services. What fails is in `status()` and in the
   * readiness; the rest serves.
   */
  async loadModels(): Promise<void> {
    const services = Object.values(this.#config.services);
    const loading = this.models.apply(this.#config.models);
    this.plane.setServices(this.#config.services);
    const change = await this.graphs.prepare(services);
    await loading;
    change.commit();
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

  status(): ModelStatus[] {
    return this.models.status();
  }

  /** What was decided for one of the last predictions; undefined when this process does not remember it. */
  explain(predictionId: string): JsonValue | undefined {
    const record = this.plane.recent.find(predictionId);
    return record === undefined ? undefined : explainRecord(record);
  }

  metrics(): MetricSnapshot[] {
    return this.#metrics.registry.snapshot();
  }

  /**
   * Applies a changed file: models are loaded beside the old ones, then models and services switch.
   * @throws StartError when it changes what only a restart can change; nothing is applied then.
   */
  async apply(config: Config, overrideVersion = this.plane.overrideVersion): Promise<void> {
    checkApplicable(this.#config, config);
    this.#config = config;
    await this.models.apply(config.models);
    const change = await this.graphs.prepare(Object.values(config.services));
    this.plane.setServices(config.services);
    change.commit();
    this.plane.overrideVersion = overrideVersion;
  }

  /**
   * Makes ready a change of live keys; requests see nothing of it before `commit`.
   * @throws what is wrong with it; the one that was ready before is forgotten.
   */
  async prepare(config: Config, overrideVersion: number): Promise<void> {
    this.abort();
    checkApplicable(this.#config, config);
    const turn = this.#turn;
    const switchServices = await this.plane.prepareServices(config.services);
    if (turn !== this.#turn) throw new Error("Cannot make the change ready: it was given up");
    this.#ready = () => {
      this.#config = config;
      switchServices();
      this.plane.overrideVersion = overrideVersion;
    };
  }

  /** Makes the change that is ready, in one step. */
  commit(): void {
    if (this.#ready === undefined) throw new Error("Cannot switch: no change is ready");
    this.#ready.commit();
    this.#ready = undefined;
  }

  /** Forgets the change that is ready. */
  abort(): void {
    this.#ready?.abort();
    this.#ready = undefined;
  }

  /**
   * Stops without losing a request: not ready at once, still serving for `lameDuckMs`, then no new connections,
   * then the requests in flight, at most `server.drain` in all.
   * @returns true when every request was answered.
   */
  async stop(lameDuckMs: number): Promise<boolean> {
    const { clock } = this.#parts;
    const { drainMs } = this.#config.server;
    this.readiness.startDraining();
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
      this.graphs.close();
      await this.models.close();
      await this.#caches.close();
      await this.#parts.caches.close();
      return true;
    })();
    const isFinished = await Promise.race([finished, deadline]);
    if (!isFinished) {
      // Whoever still waits gets an answer, and time to read it.
      this.models.dropAll();
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      this.#http?.server.closeAllConnections();
      this.#grpc?.closeAllConnections();
    }
    return isFinished;
  }
}

/** @throws StartError naming every changed key that needs a restart. */
export function checkApplicable(current: Config, next: Config): void {
  const keys = Object.keys(current.server) as (keyof Config["server"])[];
  const changed = keys
    .filter((key) => !isDeepStrictEqual(current.server[key], next.server[key]))
    .map((key) => `server.${key}`);
  if (current.stateDir !== next.stateDir) changed.push("state.dir");
  if (changed.length === 0) return;
  throw new StartError(
    `Cannot apply the file: ${changed.join(", ")} changed, which needs a restart; nothing was applied`,
  );
}

function graphEvents({ loggerFor }: ServeParts, metrics: ServeMetrics): GraphEvents {
  const log = loggerFor("graphs");
  return {
    built(service, graph) {
      log.info({ service, models: graph.id, sha256: graph.digest }, `Graph of ${service} serves`);
    },
    refused(service, reason, isServing) {
      const rest = isServing ? "the one before serves" : "it is not ready";
      log.error({ service, reason }, `Graph of ${service} cannot be made: ${reason}; ${rest}`);
    },
    invalidAttributes: (service, count) => metrics.countInvalidAttributes(service, count),
  };
}

/** An answer that lacks something is no error of the client's, so its cause is told here. */
function predictionEvents({ loggerFor }: ServeParts): PredictionEvents {
  const log = loggerFor("graphs");
  return {
    degraded(service, predictionId, { step, kind, code, cause }) {
      const isDefect = ERRORS[code].status === 500;
      const fields = { service, predictionId, step, kind, code };
      const text = `Step ${step} of ${service} failed: ${messageOf(cause)}`;
      log.warn(isDefect ? { ...fields, err: cause } : fields, text);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function modelEvents(
  { loggerFor }: ServeParts,
  metrics: ServeMetrics,
): Omit<ModelEvents, "changed"> {
  const log = loggerFor("models");
  return {
    loaded(version, tookMs) {
      metrics.countLoad(version.modelName, tookMs);
      const { sha256, loadedSha256, changes } = version.description;
      const rewritten = changes.length === 0 ? {} : { loadedSha256, changes };
      const fields = { model: version.id, path: version.path, sha256, ...rewritten };
      log.info({ ...fields, ms: Math.round(tookMs) }, `Model ${version.id} loaded`);
    },
    switched(next, previous) {
      const fields = { model: next.id, previous: previous?.id, path: next.path };
      const { fallbackReason } = next;
      if (fallbackReason === undefined) log.info(fields, `Model ${next.id} serves`);
      else {
        log.warn(
          { ...fields, reason: fallbackReason },
          `Model ${next.id} serves as the fallback: ${fallbackReason}`,
        );
      }
    },
    released(version) {
      log.info({ model: version.id }, `Model ${version.id} drained and released`);
    },
    failed(model, reason, serving) {
      metrics.countLoadFailure(model);
      const rest = serving === undefined ? "it is not ready" : `${serving.id} serves`;
      const fields = { model, reason, serving: serving?.id };
      log.error(fields, `Model ${model} failed to load: ${reason}; ${rest}`);
    },
    batchEnded(model, version, rows) {
      metrics.batchRows(model, version).observe(rows);
    },
    executorLost(model, reason, backInMs) {
      const { message, cause } = reason;
      const isHeld = backInMs === Infinity;
      const fields = {
        model,
        reason: message,
        ...(isHeld ? {} : { backInMs: Math.round(backInMs) }),
        ...(cause === undefined ? {} : { err: cause }),
      };
      const next = isHeld
        ? "too many hang already, so it starts again when one of them has ended"
        : "it starts again";
      log.error(fields, `A thread of model ${model} is lost: ${message}; ${next}`);
    },
    executorBack(model) {
      log.info({ model }, `A thread of model ${model} runs again`);
    },
    executorNotBack(model, reason, backInMs) {
      const text = reason instanceof Error ? reason.message : String(reason);
      const fields = { model, reason: text, backInMs: Math.round(backInMs) };
      log.error(fields, `A thread of model ${model} did not start again: ${text}`);
    },
    breakerMoved(model, from, to) {
      const text = `Breaker of model ${model}: ${from} → ${to}`;
      if (to === "open") log.error({ model, from, to }, text);
      else log.info({ model, from, to }, text);
    },
    recovered(serving) {
      log.info(
        { model: serving.id },
        `Model ${serving.modelName} loads again; ${serving.id} serves`,
      );
    },
  };
}
