import type { Clock } from "../../core/clock.ts";

/** Longest delay a timer takes; a longer one would fire at once. Nothing here waits for more than 24 days. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's clocks. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, DELAY_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon(run) {
    setImmediate(run);
  },
};
