import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { mergeSnapshots } from "../core/metrics/merge-snapshots.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { Logger } from "../ports/logger.ts";
import { holdPort, type HeldPort } from "./hold-port.ts";
import {
  ServeProcess,
  type RepositoryOrder,
  type StartOrder,
  type StartReport,
} from "./serve-process.ts";
import { SupervisorMetrics } from "./supervisor-metrics.ts";

/** First wait before a crashed process is started again; doubles with every crash. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 30_000;
/** A process that lived this long starts again without the doubled wait. */
const HEALTHY_MS = 60_000;

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Module a serve process runs. */
  readonly entry: string;
  /** Serve processes to keep running. */
  readonly processCount: number;
  /** One log line of a serve process. */
  readonly onLine: (line: string) => void;
  /** Throws when the change needs a restart. */
  readonly checkApplicable: (current: Config, next: Config) => void;
}

interface Slot {
  readonly index: number;
  process: ServeProcess | undefined;
  restarts: number;
  cancelRestart: () => void;
}

/**
 * Keeps the serve processes running: starts them on one shared port, starts a crashed one again after a wait
 * that doubles, hands every one of them the changed file, and stops them without losing a request.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  readonly #metrics = new SupervisorMetrics(() => this.#running().length);
  #config: Config;
  #httpPort: HeldPort | undefined;
  #grpcPort: HeldPort | undefined;
  #isStopping = false;

  constructor(config: Config, options: SupervisorOptions) {
    this.#config = config;
    this.#options = options;
    this.#slots = Array.from({ length: options.processCount }, (_, index) => ({
      index,
      process: undefined,
      restarts: 0,
      cancelRestart: () => undefined,
    }));
  }

  /**
   * Starts every process and waits until their models are loaded or have failed.
   * @throws StartError when a port cannot be had or a process ends during its start.
   */
  async start(): Promise<StartReport> {
    await this.#holdPorts();
    try {
      const reports = await Promise.all(this.#slots.map((slot) => this.#startFirst(slot)));
      return reports[0] as StartReport;
    } catch (error) {
      const running = this.#running();
      this.kill();
      await Promise.all(running.map((process) => process.ended));
      await this.#releasePorts();
      throw error;
    }
  }

  /** The first one decides the port when a free one is asked for; all share it from then on. */
  async #holdPorts(): Promise<void> {
    const { server } = this.#config;
    const { host, httpPort, grpcPort } = server;
    this.#httpPort = await holdPort(host, httpPort, "server.httpPort");
    try {
      if (grpcPort !== "off") this.#grpcPort = await holdPort(host, grpcPort, "server.grpcPort");
    } catch (error) {
      await this.#releasePorts();
      throw error;
    }
    this.#config = {
      ...this.#config,
      server: { ...server, httpPort: this.#httpPort.port, grpcPort: this.#grpcPort?.port ?? "off" },
    };
  }

  async #releasePorts(): Promise<void> {
    await Promise.all([this.#httpPort?.release(), this.#grpcPort?.release()]);
  }

  async #startFirst(slot: Slot): Promise<StartReport> {
    const process = this.#fork(slot);
    const early = process.ended.then((reason) => {
      throw new Error(`Cannot start serve process ${slot.index}: it ended, ${reason}`);
    });
    const report = process.start(this.#order(slot, false));
    const started = await Promise.race([report, early]);
    this.#watch(slot, process);
    return started;
  }

  #order({ index }: Slot, isRestart: boolean): StartOrder {
    return { config: this.#config, index, processes: this.#slots.length, isRestart };
  }

  #fork(slot: Slot): ServeProcess {
    const { entry, onLine } = this.#options;
    const methods = { repository: (order: RepositoryOrder) => this.#repository(order) };
    slot.process = new ServeProcess({ entry, index: slot.index, methods, onLine });
    return slot.process;
  }

  /** Starts the process again when it ends, unless it was told to. */
  #watch(slot: Slot, process: ServeProcess): void {
    const { clock, log } = this.#options;
    const startedMs = clock.nowMs();
    void process.ended.then((reason) => {
      slot.process = undefined;
      if (this.#isStopping) return;
      if (clock.nowMs() - startedMs >= HEALTHY_MS) slot.restarts = 0;
      const waitMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** slot.restarts);
      slot.restarts++;
      this.#metrics.restarts.add();
      log.error(
        { process: slot.index, processPid: process.pid, reason, restartInMs: waitMs },
        `Serve process ${slot.index} ended: ${reason}; it starts again in ${waitMs} ms`,
      );
      slot.cancelRestart = clock.schedule(waitMs, () => this.#restart(slot));
    });
  }

  #restart(slot: Slot): void {
    const { log } = this.#options;
    const process = this.#fork(slot);
    this.#watch(slot, process);
    process.start(this.#order(slot, true)).then(
      () =>
        log.info(
          { process: slot.index, processPid: process.pid },
          `Serve process ${slot.index} runs again`,
        ),
      (error: unknown) => {
        log.error({ process: slot.index, err: error }, `Serve process ${slot.index} cannot start`);
        process.kill();
      },
    );
  }

  #running(): ServeProcess[] {
    return this.#slots.flatMap((slot) => slot.process ?? []);
  }

  get pids(): number[] {
    return this.#running().map((process) => process.pid);
  }

  /**
   * Hands a changed file to every process.
   * @returns the models of the first one. @throws StartError when it needs a restart; nothing is applied then.
   */
  async apply(next: Config): Promise<readonly ModelStatus[]> {
    const { server } = this.#config;
    const wanted = { ...next.server };
    // A free port that was taken stays taken while the file still asks for a free one.
    if (wanted.httpPort === 0) wanted.httpPort = server.httpPort;
    if (wanted.grpcPort === 0) wanted.grpcPort = server.grpcPort;
    const config = { ...next, server: wanted };
    this.#options.checkApplicable(this.#config, config);
    this.#config = config;
    const all = await Promise.all(this.#running().map((process) => process.apply(config)));
    return all[0] ?? [];
  }

  /** A model is loaded or unloaded everywhere, whichever process was asked. */
  async #repository(order: RepositoryOrder): Promise<void> {
    await Promise.all(this.#running().map((process) => process.repository(order)));
  }

  /** Metrics of all processes together, and of the supervisor. */
  async metrics(): Promise<readonly MetricSnapshot[]> {
    const running = this.#running();
    const results = await Promise.allSettled(running.map((process) => process.metrics()));
    const byProcess = new Map<string, readonly MetricSnapshot[]>();
    results.forEach((result, i) => {
      if (result.status === "fulfilled") {
        byProcess.set(String(running[i]?.index ?? i), result.value);
      }
    });
    return [...mergeSnapshots(byProcess), ...this.#metrics.registry.snapshot()];
  }

  /** Ends every process at once, and starts none again. */
  kill(): void {
    this.#isStopping = true;
    for (const process of this.#running()) process.kill();
  }

  /** Stops every process; one that is not done when `server.drain` has passed is killed. */
  async stop(lameDuckMs: number): Promise<void> {
    const { clock, log } = this.#options;
    this.#isStopping = true;
    for (const slot of this.#slots) slot.cancelRestart();
    const running = this.#running();
    // The processes keep the limit themselves; this one is for a process that hangs.
    const cancel = clock.schedule(this.#config.server.drainMs + 1_000, () => {
      for (const process of this.#running()) {
        log.error(
          { process: process.index },
          `Serve process ${process.index} does not stop: killed`,
        );
        process.kill();
      }
    });
    for (const process of running) process.stop(lameDuckMs);
    await Promise.all(running.map((process) => process.ended));
    await this.#releasePorts();
    cancel();
  }
}
