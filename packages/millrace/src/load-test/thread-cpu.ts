/** A turn of the event loop that finds nothing to do takes less; a longer one was spent elsewhere. */
const IDLE_TURN_MS_MAX = 0.02;

/**
 * Processor time of this thread. Between two starts that are close the event loop turns without rest; such turns are
 * no work and are not counted, so the figure says how much more the thread could do.
 */
export class ThreadCpu {
  #used = process.threadCpuUsage();
  #takenMs = performance.now();
  #idleMs = 0;

  /** One turn that did nothing. */
  idled(turnMs: number): void {
    this.#idleMs += Math.min(turnMs, IDLE_TURN_MS_MAX);
  }

  /** @returns the share of one core since it was last asked. */
  take(): number {
    const nowMs = performance.now();
    const used = process.threadCpuUsage();
    const usedMs =
      (used.user - this.#used.user + used.system - this.#used.system) / 1000 - this.#idleMs;
    const passedMs = nowMs - this.#takenMs;
    this.#used = used;
    this.#takenMs = nowMs;
    this.#idleMs = 0;
    return passedMs > 0 ? Math.max(0, usedMs) / passedMs : 0;
  }
}
