import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { FoundRows } from "../core/predictions/explanation.ts";
import type { Logger } from "../ports/logger.ts";
import type { ForgetOrder, ForgetResult, LogOrder, LogStatus } from "../shipping/log-messages.ts";
import { answerIfAny } from "./answer-if-any.ts";
import { ChannelClosedError } from "./ipc-peer.ts";
import { KeptProcess, type KeptFacts } from "./kept-process.ts";
import { LogProcess } from "./log-process.ts";
import { withLimit } from "./with-limit.ts";

/** Longest wait for what only reads. */
const ANSWER_MS_MAX = 5_000;

/** Forgetting goes through every file. */
const FORGET_MS_MAX = 15 * 60_000;

export interface LogKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Module the process runs. */
  readonly entry: string;
  /** One log line of it. */
  readonly onLine: (line: string) => void;
  /** May the program end while it runs? */
  readonly isDetached: boolean;
}

/** Keeps the log process running as long as the file asks for a prediction log; nobody waits for it. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  #order: LogOrder | undefined;
  #kept: KeptProcess<LogProcess, void> | undefined;
  #restarts = 0;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
  }

  /** Undefined where there is no log. */
  get facts(): KeptFacts | undefined {
    return this.#kept;
  }

  /** The process, started or not; undefined while there is none. */
  get process(): LogProcess | undefined {
    return this.#kept?.process;
  }

  /** Times it was started again after a crash. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Begins it, changes it, or ends it, as the configuration says. */
  apply(config: Config): void {
    const order = orderOf(config);
    if (isDeepStrictEqual(order, this.#order)) return;
    this.#order = order;
    if (order === undefined) this.#end();
    else if (this.#kept === undefined) this.#begin();
    else if (this.#kept.running !== undefined) this.#change(this.#kept.running, order);
  }

  #begin(): void {
    const { clock, log, entry, onLine, isDetached } = this.#options;
    this.#kept = new KeptProcess<LogProcess, void>({
      name: "Log process",
      label: "log",
      clock,
      log,
      fork: () => {
        const process = new LogProcess({ entry, methods: {}, onLine });
        if (isDetached) process.unref();
        return process;
      },
      start: async (process, _isRestart, ready) => {
        const order = this.#order;
        if (order === undefined) return;
        await process.start(order);
        ready();
        if (this.#order !== order && this.#order !== undefined) await process.apply(this.#order);
      },
      onCrash: () => this.#restarts++,
    });
    this.#kept.startAside();
  }

  /** One that cannot change ends, and begins again with what it was to change to. */
  #change(process: LogProcess, order: LogOrder): void {
    process.apply(order).catch((error: unknown) => {
      this.#options.log.error({ err: error }, "The log process cannot change: it starts again");
      process.kill();
    });
  }

  #end(): void {
    this.#kept?.letGo();
    this.#kept?.process?.stop();
    this.#kept = undefined;
  }

  /** The rows of a prediction; undefined when it is not known. @throws LOG_UNAVAILABLE when nobody can tell. */
  find(predictionId: string): Promise<FoundRows | undefined> {
    return this.#ask((process) => process.find(predictionId), ANSWER_MS_MAX);
  }

  /** @throws LOG_UNAVAILABLE when nobody can tell. */
  status(): Promise<LogStatus> {
    return this.#ask((process) => process.status(), ANSWER_MS_MAX);
  }

  /** @throws LOG_UNAVAILABLE when it cannot be done now; what was done of it by then is done. */
  forget(order: ForgetOrder): Promise<ForgetResult> {
    return this.#ask((process) => process.forget(order), FORGET_MS_MAX);
  }

  /** None while it does not run. */
  async metrics(): Promise<readonly MetricSnapshot[]> {
    const process = this.#kept?.running;
    if (process === undefined) return [];
    return (await answerIfAny(process.metrics(), this.#options.clock)) ?? [];
  }

  /** From now on it may end. */
  letGo(): void {
    this.#kept?.letGo();
  }

  /** Ends it; resolves when it has ended. */
  async stop(): Promise<void> {
    const process = this.process;
    this.#order = undefined;
    process?.ref();
    this.#end();
    await process?.ended;
  }

  async #ask<Result>(
    ask: (process: LogProcess) => Promise<Result>,
    limitMs: number,
  ): Promise<Result> {
    const process = this.#kept?.running;
    if (process === undefined) throw unavailable("the log process does not run");
    const late = unavailable(`the log process did not answer in ${limitMs} ms`);
    try {
      return await withLimit(ask(process), this.#options.clock, limitMs, late);
    } catch (error) {
      throw error instanceof ChannelClosedError ? unavailable("the log process ended") : error;
    }
  }
}

/** Undefined where nothing is logged, or nothing is written to the disk. */
function orderOf({ stateDir, log, server }: Config): LogOrder | undefined {
  if (stateDir === undefined || log.sink === "off") return undefined;
  return { stateDir, log, levels: server.log.levels };
}

function unavailable(why: string): MillraceError {
  return new MillraceError("LOG_UNAVAILABLE", `Cannot ask the prediction log: ${why}`);
}
