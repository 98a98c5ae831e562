import type { Clock } from "../core/clock.ts";

/** Lets requests go at the times they came, or faster by a factor. */
export class Pace {
  readonly #clock: Clock;
  readonly #speed: number;
  #start: { readonly receivedUs: number; readonly nowMs: number } | undefined;
  #lateMsMax = 0;

  /** @param speed 1 is the pace at which they came. */
  constructor(clock: Clock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
  }

  /** Longest time that one went after its moment, in milliseconds. */
  get lateMsMax(): number {
    return this.#lateMsMax;
  }

  /**
   * Waits for the moment of a request; the first one's is now.
   * @param receivedUs when it came; not before those that were given earlier.
   */
  async wait(receivedUs: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    this.#start ??= { receivedUs, nowMs };
    const dueMs = this.#start.nowMs + (receivedUs - this.#start.receivedUs) / 1000 / this.#speed;
    if (dueMs > nowMs) await this.#sleep(dueMs - nowMs, signal);
  }

  /** Told when a request goes, after whatever else it had to wait for. */
  sent(receivedUs: number): void {
    if (this.#start === undefined) return;
    const sinceMs = this.#clock.nowMs() - this.#start.nowMs;
    const dueMs = (receivedUs - this.#start.receivedUs) / 1000 / this.#speed;
    this.#lateMsMax = Math.max(this.#lateMsMax, sinceMs - dueMs);
  }

  #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const stop = (): void => {
        cancel();
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const cancel = this.#clock.schedule(delayMs, stop);
      signal.addEventListener("abort", stop);
    });
  }
}
