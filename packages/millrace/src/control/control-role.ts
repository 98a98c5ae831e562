import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../core/clock.ts";
import type { LoggerFor } from "../ports/logger.ts";
import type { OverrideState, OverrideStore } from "../ports/override-store.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import type { ReleaseStore } from "../ports/release-store.ts";
import { listenError } from "../serve/listen.ts";
import type {
  ControlOrder,
  ControlReport,
  PersistOrder,
  ServingProcesses,
} from "./control-messages.ts";
import { createControlServer } from "./control-server.ts";
import { addExplainRoute } from "./explain-route.ts";
import { addLogRoutes } from "./log-routes.ts";
import { OverrideChanges } from "./override-changes.ts";
import { addOverrideRoutes } from "./override-routes.ts";
import { addQueryRoute } from "./query-route.ts";
import { createAnalyses } from "./releases/create-analyses.ts";
import { ReleaseController, type ReleaseControllerOptions } from "./releases/release-controller.ts";
import { addReleaseRoutes } from "./releases/release-routes.ts";
import type { TrafficSource } from "./releases/traffic-report.ts";
import { addStatusRoutes } from "./status-routes.ts";

export interface ControlParts {
  readonly store: OverrideStore;
  readonly processes: ServingProcesses;
  readonly releaseStore: ReleaseStore;
  readonly traffic: TrafficSource;
  readonly phaseOf: ReleaseControllerOptions["phaseOf"];
  /** Undefined where there is no prediction log. */
  readonly queries: QueryEngine | undefined;
  readonly clock: Clock;
  readonly loggerFor: LoggerFor;
}

/** The control role: what an operator asks and changes while Millrace serves. It never serves a prediction. */
export class ControlRole {
  readonly #parts: ControlParts;
  readonly #changes: OverrideChanges;
  #releases: ReleaseController | undefined;
  #http: FastifyInstance | undefined;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#changes = new OverrideChanges({ ...parts, log: parts.loggerFor("control") });
  }

  /** @throws StartError when the port cannot be had. */
  async start(order: ControlOrder): Promise<ControlReport> {
    const { processes, queries, loggerFor } = this.#parts;
    const { config, startedAtMs } = order;
    const releases = this.#createReleases(startedAtMs);
    this.#http = createControlServer(config.server, loggerFor("http"), (app, access) => {
      addStatusRoutes(app, this.#changes, { processes, startedAtMs });
      addExplainRoute(app, { changes: this.#changes, processes, access });
      addLogRoutes(app, processes);
      addOverrideRoutes(app, this.#changes, processes);
      addQueryRoute(app, queries, processes);
      addReleaseRoutes(app, releases);
    });
    const overrides = await this.#changes.start();
    const port = await this.#listen(this.#http, order);
    releases.start();
    this.#releases = releases;
    return { port, overrides };
  }

  #createReleases(startedAtMs: number): ReleaseController {
    const { releaseStore, traffic, phaseOf, queries, clock, loggerFor } = this.#parts;
    return new ReleaseController({
      store: releaseStore,
      changes: this.#changes,
      analyses: createAnalyses(queries),
      traffic,
      phaseOf,
      clock,
      log: loggerFor("releases"),
      startedAtMs,
    });
  }

  async #listen(http: FastifyInstance, { config, port, mayMove }: ControlOrder): Promise<number> {
    const { host } = config.server;
    try {
      await http.listen({ host, port });
    } catch (error) {
      const isInUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (!mayMove || !isInUse) throw listenError(error, { host, port, key: "server.controlPort" });
      await http.listen({ host, port: 0 });
    }
    return (http.server.address() as AddressInfo).port;
  }

  persist(order: PersistOrder): Promise<void> {
    return this.#changes.persist(order);
  }

  /** What is kept and held to be in force. */
  get kept(): OverrideState {
    return this.#changes.state;
  }

  async stop(): Promise<void> {
    await this.#releases?.close();
    this.#changes.close();
    this.#http?.server.closeAllConnections();
    await this.#http?.close();
    await this.#parts.queries?.close();
    await this.#parts.store.close();
    await this.#parts.releaseStore.close();
  }
}
