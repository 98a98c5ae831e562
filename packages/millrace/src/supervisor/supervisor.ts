import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/print.ts";
import { goneOverrides } from "../control/releases/gone-overrides.ts";
import { checkControlKeys } from "../control/control-access.ts";
import type { ControlReport } from "../control/control-messages.ts";
import type { Clock } from "../core/clock.ts";
import { mergeSnapshots } from "../core/metrics/merge-snapshots.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import { MillraceError } from "../core/errors.ts";
import { OneAtATime } from "../core/one-at-a-time.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import type { OverrideState } from "../ports/override-store.ts";
import type { Logger } from "../ports/logger.ts";
import { StartError } from "../serve/listen.ts";
import { renderProblem } from "../config/problem.ts";
import { answerIfAny } from "./answer-if-any.ts";
import { applyAll } from "./apply-all.ts";
import { ControlLink } from "./control-link.ts";
import { ControlProcess } from "./control-process.ts";
import type { ForkedProcess } from "./forked-process.ts";
import type { Methods } from "./ipc-peer.ts";
import { KeptProcess } from "./kept-process.ts";
import { layAll, layWhatFits, type Layers } from "./layers.ts";
import type { LogKeeper } from "./log-keeper.ts";
import { logSetAside } from "./log-set-aside.ts";
import { holdPorts, type HeldPorts } from "./ports.ts";
import { RunningConfig } from "./running-config.ts";
import {
  ServeProcess,
  type RepositoryOrder,
  type StartOrder,
  type StartReport,
} from "./serve-process.ts";
import { SupervisorMetrics } from "./supervisor-metrics.ts";
import { ANSWER_MS_MAX, switchAll } from "./switch-all.ts";
import { trafficIn } from "./traffic-report.ts";
import { withLimit } from "./with-limit.ts";

/** Changes that may wait: of the file and of overrides. */
const CHANGES_WAITING_MAX = 100;

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Module a serve process runs. */
  readonly entry: string;
  /** Module the control process runs. */
  readonly controlEntry: string;
  /** Keeps the log process. */
  readonly logKeeper: LogKeeper;
  /** Serve processes to keep running. */
  readonly processCount: number;
  /** One log line of another process. */
  readonly onLine: (line: string) => void;
  /** Throws when the change needs a restart. */
  readonly checkApplicable: (current: Config, next: Config) => void;
}

/** What runs after the start. */
export interface UpReport extends StartReport {
  /** Undefined when it is off. */
  readonly controlPort: number | undefined;
  /** With the overrides in it. */
  readonly config: Config;
}

/**
 * Keeps the control process and the serve processes running: starts them, the latter on shared ports, starts a
 * crashed one again after a wait that doubles, hands every one of them the changed file or a change of overrides,
 * and stops them without losing a request.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #serve: readonly KeptProcess<ServeProcess, StartReport>[];
  readonly #control: KeptProcess<ControlProcess, ControlReport> | undefined;
  readonly #metrics: SupervisorMetrics;
  readonly #changes = new OneAtATime(CHANGES_WAITING_MAX);
  readonly #startedAtMs: number;
  readonly #running: RunningConfig;
  #ports: HeldPorts | undefined;

  /** @param config what `file` says, on ports that are free. */
  constructor(file: LoadedConfig, config: Config, options: SupervisorOptions) {
    this.#options = options;
    this.#running = new RunningConfig(file, config, options.checkApplicable);
    this.#startedAtMs = options.clock.wallMs();
    this.#metrics = new SupervisorMetrics(
      () => this.#serving.length,
      () => this.#running.order.overrideVersion,
      () => options.logKeeper.restarts,
    );
    this.#serve = Array.from({ length: options.processCount }, (_, index) =>
      this.#keepServe(index),
    );
    this.#control = config.server.controlPort === "off" ? undefined : this.#keepControl();
  }

  #keepServe(index: number): KeptProcess<ServeProcess, StartReport> {
    const { clock, log, entry, onLine } = this.#options;
    const methods: Methods = {
      repository: (order: RepositoryOrder) => this.#repository(order),
    };
    return new KeptProcess({
      name: `Serve process ${index}`,
      label: index,
      clock,
      log,
      fork: () => new ServeProcess({ entry, methods, onLine }),
      start: async (process, isRestart, ready) => {
        const order = this.#order(index, isRestart);
        const report = await process.start(order);
        if (isRestart) await this.#changes.run(() => this.#catchUp(process, order, ready));
        else ready();
        return report;
      },
      onCrash: () => this.#metrics.restarts.add(),
    });
  }

  #keepControl(): KeptProcess<ControlProcess, ControlReport> {
    const { clock, log, controlEntry, onLine, logKeeper } = this.#options;
    const link = new ControlLink({
      clock,
      log,
      running: this.#running,
      serving: () => this.#serving,
      kept: () => [...this.#serve, this.#control ?? [], logKeeper.facts ?? []].flat(),
      get predictionLog() {
        return logKeeper.facts === undefined ? undefined : logKeeper;
      },
      processCount: this.#options.processCount,
      change: (overrides, persist) => this.#changeOverrides(overrides, persist),
      persist: async (order) => {
        const process = this.#control?.process;
        if (process === undefined) throw new Error("Cannot keep the change: control has ended");
        await this.#answerOf(process, process.persist(order));
      },
      adoptKept: async () => {
        const process = this.#control?.process;
        if (process !== undefined) await this.#adoptKept(process);
      },
    });
    return new KeptProcess({
      name: "Control process",
      label: "control",
      clock,
      log,
      fork: () => new ControlProcess({ entry: controlEntry, methods: link.methods, onLine }),
      start: async (process, isRestart, ready) => {
        const report = await this.#startControl(process, isRestart);
        ready();
        return report;
      },
      onCrash: () => this.#metrics.controlRestarts.add(),
    });
  }

  /**
   * Starts every process and waits until their models are loaded or have failed.
   * @throws StartError when a port cannot be had or a process ends during its start.
   */
  async start(): Promise<UpReport> {
    return this.#changes.run(async () => {
      const { server } = this.#running.config;
      this.#ports = await holdPorts(server);
      this.#running.takePorts(this.#ports.taken);
      try {
        checkControlKeys(server);
        // They begin while control reads what was overridden.
        for (const kept of this.#serve) kept.fork();
        const control = await this.#control?.startFirst();
        const reports = await Promise.all(this.#serve.map((kept) => kept.startFirst()));
        const [first] = reports as [StartReport];
        // Predictions are answered without it, and it takes up what they left meanwhile.
        this.#options.logKeeper.apply(this.#running.config);
        return { ...first, controlPort: control?.port, config: this.#running.config };
      } catch (error) {
        const ended = this.#processes.map((process) => process.ended);
        this.kill();
        await Promise.all(ended);
        await this.#ports.release();
        throw error;
      }
    });
  }

  async #startControl(process: ControlProcess, isRestart: boolean): Promise<ControlReport> {
    const { config, layers } = this.#running;
    const { server } = config;
    const port = server.controlPort === "off" ? 0 : server.controlPort;
    const startedAtMs = this.#startedAtMs;
    // Nobody chose the default: a second Millrace on one machine should start.
    const isDefault = layers.file.origins.get("server.controlPort")?.kind === "default";
    const mayMove = isDefault && !isRestart;
    const report = await process.start({ config, port, mayMove, startedAtMs });
    if (isRestart) await this.#adoptKept(process);
    else {
      this.#running.takePorts({ controlPort: report.port });
      await this.#adopt(report.overrides);
    }
    return report;
  }

  /** Asked when it is its turn: a change may have been made since control runs again. */
  async #adoptKept(process: ControlProcess): Promise<void> {
    await this.#changes.run(async () => this.#adopt(await this.#answerOf(process, process.kept())));
  }

  /** Everything waits for it, so control that does not answer is killed; what it kept then is adopted when it runs again. */
  async #answerOf<Result>(process: ControlProcess, answer: Promise<Result>): Promise<Result> {
    const late = new MillraceError(
      "DEADLINE_EXCEEDED",
      `Cannot change: the control process did not answer in ${ANSWER_MS_MAX} ms and starts again; it may have kept the change, millrace get shows it`,
    );
    try {
      return await withLimit(answer, this.#options.clock, ANSWER_MS_MAX, late);
    } catch (error) {
      if (error === late) process.kill();
      throw error;
    }
  }

  /** What control has kept is in force from now on, as far as it fits the file. */
  async #adopt(overrides: OverrideState): Promise<void> {
    const before = this.#running.layers;
    if (overrides.version === before.overrides.version) return;
    const layers = await layWhatFits(before.file, overrides);
    logSetAside(layers.setAside, this.#options.log);
    await this.#switchTo(layers, () => Promise.resolve());
  }

  #order(index: number, isRestart: boolean): StartOrder {
    return { ...this.#running.order, index, processes: this.#serve.length, isRestart };
  }

  /** Whatever has changed while its models were loaded passed it by. */
  async #catchUp(process: ServeProcess, { config }: StartOrder, ready: () => void): Promise<void> {
    if (config !== this.#running.config) await process.apply(this.#running.order);
    ready();
  }

  /**
   * Hands a changed file to every process, with the overrides over it.
   * @returns what the first one has then. @throws StartError when it needs a restart, or an override does not fit it;
   * nothing is applied then.
   */
  async apply(file: LoadedConfig): Promise<ServeStatus> {
    return this.#changes.run(async () => {
      const { overrides, setAside } = this.#running.layers;
      // Who takes a finished experiment out of the file need not end what its ramp has set: control does that then.
      const traffic = trafficIn(file.config, file.config);
      const gone = goneOverrides(traffic, overrides).map(({ path, version }) => {
        return { path, version, why: "what it is of is gone from the file" };
      });
      const result = await layAll(file, overrides, [...setAside, ...gone]);
      if (result.kind === "invalid") {
        const problems = result.problems.map(renderProblem).join("; ");
        throw new StartError(
          `The file was not applied, an override does not fit it: ${problems}; millrace unset ends an override`,
        );
      }
      const next = this.#running.next(result.layers);
      this.#running.become(next);
      this.#options.logKeeper.apply(next.order.config);
      return (await applyAll(this.#serving, next.order)) ?? { models: [], graphs: [] };
    });
  }

  /** @throws INVALID_OVERRIDE and what a process has against it; nobody has changed then. */
  async #changeOverrides(
    lay: (layers: Layers) => Promise<Layers>,
    persist: (before: Layers) => Promise<void>,
  ): Promise<void> {
    await this.#changes.run(async () => {
      const before = this.#running.layers;
      await this.#switchTo(await lay(before), () => persist(before));
      this.#metrics.overridesApplied.add();
    });
  }

  async #switchTo(layers: Layers, persist: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    const next = this.#running.next(layers);
    const onDecided = (): void => {
      this.#running.become(next);
      this.#options.logKeeper.apply(next.order.config);
    };
    await switchAll(this.#serving, next.order, { clock, log, persist, onDecided });
  }

  /** A model is loaded or unloaded everywhere, whichever process was asked. */
  async #repository(order: RepositoryOrder): Promise<void> {
    await Promise.all(this.#serving.map((process) => process.repository(order)));
  }

  get #serving(): readonly ServeProcess[] {
    return this.#serve.flatMap((kept) => kept.running ?? []);
  }

  /** All there are, started or not. */
  get #processes(): readonly ForkedProcess[] {
    const kept = [...this.#serve, this.#control, this.#options.logKeeper];
    return kept.flatMap((one) => one?.process ?? []);
  }

  /** Metrics of all serve processes together, and of the supervisor. */
  async metrics(): Promise<readonly MetricSnapshot[]> {
    const reads = this.#serve.map(async ({ label, running }) => {
      const metrics = await (running && answerIfAny(running.metrics(), this.#options.clock));
      return [String(label), metrics] as const;
    });
    // In the order of the processes, whichever answered first.
    const byProcess = new Map<string, readonly MetricSnapshot[]>();
    for (const [label, metrics] of await Promise.all(reads)) {
      if (metrics !== undefined) byProcess.set(label, metrics);
    }
    const ofLog = await this.#options.logKeeper.metrics();
    return [...mergeSnapshots(byProcess), ...ofLog, ...this.#metrics.registry.snapshot()];
  }

  /** Ends every process at once, and starts none again. */
  kill(): void {
    this.#letGo();
    for (const process of this.#processes) process.kill();
  }

  /** Stops every process; one that is not done when `server.drain` has passed is killed. */
  async stop(lameDuckMs: number): Promise<void> {
    const { clock, log } = this.#options;
    this.#letGo();
    const ended = this.#processes.map((process) => process.ended);
    // The processes keep the limit themselves; this one is for a process that hangs.
    const cancel = clock.schedule(this.#running.config.server.drainMs + 1_000, () => {
      for (const { label, process } of this.#serve) {
        if (process === undefined) continue;
        log.error({ process: label }, `Serve process ${label} does not stop: killed`);
      }
      this.kill();
    });
    this.#control?.process?.stop();
    this.#options.logKeeper.process?.stop();
    for (const { process } of this.#serve) process?.stop(lameDuckMs);
    await Promise.all(ended);
    await this.#ports?.release();
    cancel();
  }

  #letGo(): void {
    this.#control?.letGo();
    this.#options.logKeeper.letGo();
    for (const kept of this.#serve) kept.letGo();
  }
}
