import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import { ByteBudget } from "../core/batch/byte-budget.ts";
import type { Clock } from "../core/clock.ts";
import { Metrics, type MetricSnapshot } from "../core/metrics/metrics.ts";
import type { RandomBytes } from "../core/prediction-id.ts";
import { Models } from "../models/models.ts";
import type { Runtimes } from "../models/place-model.ts";
import type { ModelEvents } from "../models/models-options.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { VersionLedger } from "../models/version-ledger.ts";
import type { LoggerFor } from "../ports/logger.ts";
import { DataPlane, type ProcessShare } from "./data-plane.ts";
import type { GrpcServer } from "./grpc/grpc-server.ts";
import { listenError, StartError } from "./listen.ts";
import type { ModelRepository } from "./model-repository.ts";
import { Readiness } from "./readiness.ts";
import { ServeMetrics } from "./serve-metrics.ts";

/** How long a process that is told to stop still takes new requests, until load balancers have noticed. */
export const LAME_DUCK_MS = 1_000;

/** Memory of the requests that wait or run in one process; two bodies of the largest size always fit. */
const QUEUED_BYTES_MAX = 512 * 1024 * 1024;

export interface ServeParts {
  readonly runtimes: Runtimes;
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
  readonly readiness: Readiness;
  readonly #parts: ServeParts;
  readonly #metrics: ServeMetrics;
  #config: Config;
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
      events: modelEvents(parts, this.#metrics),
      downloadFolder,
      random: Math.random,
      budget: new ByteBudget(Math.max(QUEUED_BYTES_MAX, 2 * config.server.bodyBytesMax)),
    });
    this.readiness = new Readiness(this.models);
    this.plane = new DataPlane({
      models: this.models,
      metrics: this.#metrics,
      clock,
      random,
      share,
    });
  }

  /** Loads every model of the file. Models that fail are in `status()`; the others serve. */
  async loadModels(): Promise<void> {
    const loading = this.models.apply(this.#config.models);
    this.plane.setServices(this.#config.services);
    await loading;
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

  metrics(): MetricSnapshot[] {
    return this.#metrics.registry.snapshot();
  }

  /**
   * Applies a changed file: models are loaded beside the old ones, then models and services switch.
   * @throws StartError when it changes what only a restart can change; nothing is applied then.
   */
  async apply(config: Config): Promise<void> {
    checkApplicable(this.#config, config);
    this.#config = config;
    await this.models.apply(config.models);
    this.plane.setServices(config.services);
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
      await this.models.close();
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

function modelEvents({ loggerFor }: ServeParts, metrics: ServeMetrics): ModelEvents {
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
