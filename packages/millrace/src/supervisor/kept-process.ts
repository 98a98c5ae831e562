import type { Clock } from "../core/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { ForkedProcess } from "./forked-process.ts";

/** First wait before a crashed process is started again; doubles with every crash. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 30_000;
/** A process that lived this long starts again without the doubled wait. */
const HEALTHY_MS = 60_000;

export interface KeepOptions<Process extends ForkedProcess, Report> {
  /** Begins its log lines: `Serve process 0`. */
  readonly name: string;
  /** In its log lines: 0, 1, …, `control`. */
  readonly label: number | string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fork: () => Process;
  /** Tells it what to do, again after every crash; calls `ready` as soon as it takes orders. */
  readonly start: (process: Process, isRestart: boolean, ready: () => void) => Promise<Report>;
  readonly onCrash: () => void;
}

/** `down`: it waits for its next start. */
export type ProcessState = "down" | "starting" | "running";

/** What can be told of it. */
export interface KeptFacts {
  readonly label: number | string;
  readonly process: { readonly pid: number } | undefined;
  readonly state: ProcessState;
  readonly restartCount: number;
}

/**
 * Keeps one process running: a crashed one is started again after a wait that doubles, until `letGo`.
 *
 * down ─ fork ─► starting ─ ready ─► running; from both, when the process ends: down.
 */
export class KeptProcess<Process extends ForkedProcess, Report> implements KeptFacts {
  readonly label: number | string;
  readonly #options: KeepOptions<Process, Report>;
  #process: Process | undefined;
  #state: ProcessState = "down";
  #crashes = 0;
  #restartCount = 0;
  #isLetGo = false;
  #cancelRestart: () => void = () => undefined;

  constructor(options: KeepOptions<Process, Report>) {
    this.label = options.label;
    this.#options = options;
  }

  /** The process, started or not; undefined while there is none. */
  get process(): Process | undefined {
    return this.#process;
  }

  /** The process when it takes orders. */
  get running(): Process | undefined {
    return this.#state === "running" ? this.#process : undefined;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Times it was started again. */
  get restartCount(): number {
    return this.#restartCount;
  }

  /** Begins the process; what it does is told by `startFirst`. */
  fork(): void {
    this.#begin();
  }

  /** @throws what the start throws, and an error when the process ends meanwhile: then it is not kept. */
  async startFirst(): Promise<Report> {
    const { name } = this.#options;
    const process = this.#process ?? this.#begin();
    const early = process.ended.then((reason) => {
      throw new Error(`Cannot start ${name.toLowerCase()}: it ended, ${reason}`);
    });
    const started = this.#options.start(process, false, () => this.#ready(process));
    const report = await Promise.race([started, early]);
    this.#watch(process);
    return report;
  }

  /** Begins it beside everything else: nobody waits for it, and a first start that fails is tried again like later ones. */
  startAside(): void {
    this.#launch(false);
  }

  /** From now on it may end. */
  letGo(): void {
    this.#isLetGo = true;
    this.#cancelRestart();
  }

  #begin(): Process {
    this.#process = this.#options.fork();
    this.#state = "starting";
    return this.#process;
  }

  #ready(process: Process): void {
    if (this.#process === process) this.#state = "running";
  }

  #watch(process: Process): void {
    const { clock, log, name, label } = this.#options;
    const startedMs = clock.nowMs();
    void process.ended.then((reason) => {
      this.#process = undefined;
      this.#state = "down";
      if (this.#isLetGo) return;
      if (clock.nowMs() - startedMs >= HEALTHY_MS) this.#crashes = 0;
      const waitMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** this.#crashes);
      this.#crashes++;
      this.#restartCount++;
      this.#options.onCrash();
      log.error(
        { process: label, processPid: process.pid, reason, restartInMs: waitMs },
        `${name} ended: ${reason}; it starts again in ${waitMs} ms`,
      );
      this.#cancelRestart = clock.schedule(waitMs, () => this.#launch(true));
    });
  }

  #launch(isRestart: boolean): void {
    const { log, name, label } = this.#options;
    const process = this.#begin();
    this.#watch(process);
    this.#options
      .start(process, isRestart, () => this.#ready(process))
      .then(
        () => {
          if (isRestart)
            log.info({ process: label, processPid: process.pid }, `${name} runs again`);
        },
        (error: unknown) => {
          if (!this.#isLetGo) log.error({ process: label, err: error }, `${name} cannot start`);
          process.kill();
        },
      );
  }
}
