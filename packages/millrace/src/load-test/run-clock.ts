/** Tries to read two clocks at the same moment; the pair that lies closest together counts. */
const READINGS = 16;

/** The clock of a run in one thread: ms since the begin of the measured time, the same in all threads. */
export class RunClock {
  /** Until `begin` the measured time is never near. */
  #zeroMs = Number.MAX_SAFE_INTEGER;

  /** @param zeroNs begin of the measured time on the clock of process.hrtime, which all threads share. */
  begin(zeroNs: bigint): void {
    let gapMs = Infinity;
    for (let i = 0; i < READINGS; i++) {
      const beforeMs = performance.now();
      const nowNs = process.hrtime.bigint();
      const afterMs = performance.now();
      if (afterMs - beforeMs >= gapMs) continue;
      gapMs = afterMs - beforeMs;
      this.#zeroMs = (beforeMs + afterMs) / 2 + Number(zeroNs - nowNs) / 1e6;
    }
  }

  now(): number {
    return performance.now() - this.#zeroMs;
  }
}
