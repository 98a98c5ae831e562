import type { Clock } from "../../../core/clock.ts";
import type { LoopLoad } from "../../../core/overload/loop-load.ts";

/** Connections that may be held with a request; one more is refused at once. */
export const HELD_MAX = 4_096;

/** Longest time a request is held. */
export const HELD_MS_MAX = 1_000;

/** Requests of a turn that is worth measuring; smaller ones cost more per request, and need no protection. */
const LOADED_MIN = 16;

/** A connection whose next request waits, unread. */
export interface Holdable {
  /** Refuses that request, and reads on. */
  shed(): void;
}

export interface LaneTurnOptions {
  readonly clock: Clock;
  readonly load: LoopLoad;
  /** Time that the event loop has worked, in milliseconds; only differences mean something. */
  readonly busyMs: () => number;
  /** Smallest latency objective in force, in milliseconds. */
  readonly objectiveMs: () => number;
}

/**
 * The turns of the event loop, as the lane sees them: one begins with the first request and ends when everything
 * that had arrived by then was read. What is more than a turn can answer waits unread until it ends, and then is
 * refused as far as `LoopLoad` has time for it. A request within the allowance pays for a comparison.
 */
export class LaneTurn {
  readonly #options: LaneTurnOptions;
  readonly #load: LoopLoad;
  /** Oldest first, with the time since when. */
  readonly #held = new Map<Holdable, number>();
  /** Replies that leave at the end of the turn. */
  #replies: (() => void)[] = [];
  #isOpen = false;
  /** Which turn it is. */
  #number = 0;
  #allowance: number;
  #begun = 0;
  /** Of this turn's requests, those that were begun and refused by their head. */
  #refused = 0;
  /** When the loaded turn before this one was measured; undefined when that was not. */
  #measuredBusyMs: number | undefined;
  #isMeasured = false;
  #answersSince = 0;
  #refusalsSince = 0;

  constructor(options: LaneTurnOptions) {
    this.#options = options;
    this.#load = options.load;
    this.#allowance = options.load.allowance;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** Asked for each request before it is read. @returns false when it is beyond what this turn can answer. */
  begins(): boolean {
    if (!this.#isOpen) this.#open();
    if (this.#begun >= this.#allowance) return false;
    this.#begun++;
    if (this.#begun === LOADED_MIN) this.#measure();
    return true;
  }

  /** A request that has begun was refused: it cost little, and another one may begin. */
  refused(): void {
    this.#refused++;
    this.#allowance++;
  }

  /** Keeps a request of `connection` for the end of the turn. @returns false when there is no room. */
  hold(connection: Holdable): boolean {
    if (!this.#isMeasured) this.#measure();
    if (this.#held.size >= HELD_MAX) {
      this.#refusalsSince++;
      return false;
    }
    this.#held.set(connection, this.#options.clock.nowMs());
    return true;
  }

  /** The connection is gone. */
  forget(connection: Holdable): void {
    this.#held.delete(connection);
  }

  /** Which turn it is, to tell later whether it is still the same. */
  get number(): number {
    return this.#number;
  }

  /**
   * A request of turn `began` has its reply already. Others of the turn have theirs soon: written one after the other
   * at its end, they and the next requests of their clients meet again, and a system call finds more to do.
   * @returns false when it is to be sent now: it is alone, or comes from an earlier turn.
   */
  defer(began: number, send: () => void): boolean {
    if (!this.#isOpen || began !== this.#number || this.#begun < 2) return false;
    this.#replies.push(send);
    return true;
  }

  #open(): void {
    this.#isOpen = true;
    this.#number++;
    this.#options.clock.soon(this.#end);
  }

  readonly #end = (): void => {
    const replies = this.#replies;
    if (replies.length > 0) {
      this.#replies = [];
      for (const send of replies) send();
    }
    const answers = this.#begun - this.#refused;
    this.#answersSince += answers;
    this.#refusalsSince += this.#refused;
    if (!this.#isMeasured) this.#measuredBusyMs = undefined;
    this.#isMeasured = false;
    this.#begun = 0;
    this.#refused = 0;
    const refusals = this.#load.endTurn(answers, this.#held.size);
    this.#allowance = this.#load.allowance;
    this.#isOpen = false;
    if (refusals > 0) this.#shed(refusals);
  };

  /** Refuses the oldest, and those that have waited too long. */
  #shed(count: number): void {
    this.#open(); // what is still held needs a next turn, and what comes to light behind a refused one belongs to it
    const dueMs = this.#options.clock.nowMs() - HELD_MS_MAX;
    let refused = 0;
    for (const [connection, sinceMs] of this.#held) {
      if (refused >= count && sinceMs > dueMs) break;
      this.#held.delete(connection);
      refused++;
      connection.shed();
    }
    this.#refusalsSince += refused;
  }

  /** Learns from the time since the last measurement, when the turn before was loaded, too. */
  #measure(): void {
    this.#isMeasured = true;
    const busyMs = this.#options.busyMs();
    if (this.#measuredBusyMs !== undefined) {
      // Up to the same place in the turn before: a whole turn's work, and its number of requests.
      const tookMs = busyMs - this.#measuredBusyMs;
      this.#load.record(this.#answersSince, this.#refusalsSince, tookMs);
    }
    this.#load.setObjectiveMs(this.#options.objectiveMs());
    this.#measuredBusyMs = busyMs;
    this.#answersSince = 0;
    this.#refusalsSince = 0;
  }
}
