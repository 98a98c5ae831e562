import type { LoadClient, Start } from "./clients/load-client.ts";
import type { StartSource } from "./start-source.ts";
import type { ThreadCpu } from "./thread-cpu.ts";

/** A timer may be a millisecond late, so the last stretch before a start is due is waited for busily. */
const SPIN_MS = 2;
/** Longest sleep: what has no answer in time is given up meanwhile, and results are handed over. */
const SLEEP_MS_MAX = 10;
/** A thread that is behind makes up for it at once, but so many starts at a time, so that it reads answers too. */
const TURN_STARTS_MAX = 64;
/** Between two looks at what has no answer in time. */
const LOOK_MS = 1;
/** A client that found no connection thinks at least so long. */
const DROPPED_PAUSE_MS = 10;
/** Starts that are still not sent so long after the time was over are given up. */
const LATE_MS_MAX = 1000;

export interface StartLoopOptions {
  readonly source: StartSource;
  readonly client: LoadClient;
  readonly cpu: ThreadCpu;
  /** Nothing is due later. */
  readonly durationMs: number;
}

/** What the loop asks and tells its owner. */
export interface StartLoopEvents {
  /** On the clock of the run. */
  now(): number;
  /** Index in the plan's targets of a start. */
  targetOf(seq: number): number;
  onSent(start: Start): void;
  /** It found no connection. */
  onDropped(start: Start): void;
  /** Once in a while, at least every 10 ms. */
  onLook(nowMs: number): void;
}

/**
 * Starts what is due, as precisely as a thread can: it sleeps until shortly before, then turns the event loop, which
 * reads answers, until the time has come. It is over when nothing is due any more and all that was sent has ended.
 */
export class StartLoop {
  readonly #options: StartLoopOptions;
  readonly #events: StartLoopEvents;
  readonly #over = Promise.withResolvers<void>();
  readonly #turn = (): void => this.#run();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isFinishing = false;
  #lookedMs = -Infinity;
  #turnedMs = 0;
  /** Something was started or has ended since the turn began. */
  #hasWorked = true;

  constructor(options: StartLoopOptions, events: StartLoopEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** @returns when all is over, or it was stopped. @throws what the client throws. */
  run(): Promise<void> {
    this.#run();
    return this.#over.promise;
  }

  /** One of the requests has ended. */
  ended(nowMs: number): void {
    this.#hasWorked = true;
    const { source } = this.#options;
    source.ended(nowMs);
    if (this.#timer === undefined || source.dueMs - nowMs > SPIN_MS) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    setImmediate(this.#turn);
  }

  /** Starts nothing more; it is over when all that was sent has ended. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** Starts nothing more and waits for nothing. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#over.resolve();
  }

  #run(): void {
    if (this.#isOver) return;
    try {
      this.#step(this.#events.now());
    } catch (error) {
      this.#over.reject(error);
      this.stop();
    }
  }

  #step(nowMs: number): void {
    const { source, client, durationMs } = this.#options;
    this.#countIdleTurn(nowMs);
    if (nowMs - this.#lookedMs >= LOOK_MS) this.#look(nowMs);
    const isLate = this.#isFinishing || nowMs > durationMs + LATE_MS_MAX;
    if (!isLate) this.#startDue(nowMs);
    if ((source.isOver || isLate) && client.underWay === 0) this.stop();
    else this.#turnAgain(isLate ? Infinity : source.dueMs - nowMs);
  }

  #startDue(nowMs: number): void {
    const { source } = this.#options;
    for (let i = 0; i < TURN_STARTS_MAX && source.dueMs <= nowMs; i++) {
      this.#hasWorked = true;
      this.#startOne();
    }
  }

  #startOne(): void {
    const { source, client } = this.#options;
    const intendedMs = source.dueMs;
    const seq = source.take();
    const start = { seq, target: this.#events.targetOf(seq), intendedMs };
    if (client.send(start)) return this.#events.onSent(start);
    this.#events.onDropped(start);
    // A client of a closed loop tries again, but not in this turn.
    source.ended(this.#events.now() + DROPPED_PAUSE_MS);
  }

  #turnAgain(waitMs: number): void {
    if (waitMs <= SPIN_MS) setImmediate(this.#turn);
    else this.#timer = setTimeout(this.#turn, Math.min(waitMs - SPIN_MS, SLEEP_MS_MAX));
  }

  #look(nowMs: number): void {
    this.#lookedMs = nowMs;
    this.#options.client.expire(nowMs);
    this.#events.onLook(nowMs);
  }

  #countIdleTurn(nowMs: number): void {
    const hasSlept = this.#timer !== undefined;
    if (!this.#hasWorked && !hasSlept) this.#options.cpu.idled(nowMs - this.#turnedMs);
    this.#timer = undefined;
    this.#hasWorked = false;
    this.#turnedMs = nowMs;
  }
}
