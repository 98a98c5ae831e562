import type { DueTimes } from "../core/load/arrivals.ts";
import type { StartSource } from "./start-source.ts";

/** Starts of an open loop: due when they are due, whatever becomes of those before. */
export class ScheduledStarts implements StartSource {
  readonly #times: DueTimes;
  dueMs: number;

  constructor(times: DueTimes) {
    this.#times = times;
    this.dueMs = times.next();
  }

  get isOver(): boolean {
    return this.dueMs === Infinity;
  }

  take(): number {
    const { seq } = this.#times;
    this.dueMs = this.#times.next();
    return seq;
  }

  ended(): void {
    // An answer changes nothing.
  }
}
