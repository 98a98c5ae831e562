import type { StartSource } from "./start-source.ts";

export interface ClientStartsOptions {
  /** Those of this thread, at least 1. */
  readonly clients: number;
  readonly thinkMs: number;
  /** Their first requests are due so long before the measured time. */
  readonly warmupMs: number;
  /** Nothing is due from here on. */
  readonly durationMs: number;
  /** From 0. */
  readonly thread: number;
  readonly threads: number;
}

/**
 * Starts of a closed loop: a client's next one is due when it has thought about the end of its last one. All think
 * equally long, so the first to begin is the first to be done: a queue holds them in order.
 */
export class ClientStarts implements StartSource {
  readonly #thinkMs: number;
  readonly #durationMs: number;
  readonly #threads: number;
  /** Due times of clients that think, a ring with room for all of them. */
  readonly #thinking: Float64Array;
  #head = 0;
  #thinkingCount: number;
  /** Clients that have asked and wait. */
  #askingCount = 0;
  #seq: number;

  constructor({ clients, thinkMs, warmupMs, durationMs, thread, threads }: ClientStartsOptions) {
    this.#thinkMs = thinkMs;
    this.#durationMs = durationMs;
    this.#threads = threads;
    this.#thinking = new Float64Array(clients).fill(-warmupMs);
    this.#thinkingCount = clients;
    this.#seq = thread;
  }

  get dueMs(): number {
    return this.#thinkingCount === 0 ? Infinity : this.#thinking[this.#head]!;
  }

  get isOver(): boolean {
    return this.#thinkingCount === 0 && this.#askingCount === 0;
  }

  take(): number {
    this.#head = (this.#head + 1) % this.#thinking.length;
    this.#thinkingCount--;
    this.#askingCount++;
    const seq = this.#seq;
    this.#seq += this.#threads;
    return seq;
  }

  ended(nowMs: number): void {
    this.#askingCount--;
    const dueMs = nowMs + this.#thinkMs;
    if (dueMs >= this.#durationMs) return; // this client goes home
    this.#thinking[(this.#head + this.#thinkingCount) % this.#thinking.length] = dueMs;
    this.#thinkingCount++;
  }
}
