import type { Clock } from "../../core/clock.ts";

/** Longest delay a timer takes; a longer one would fire at once. Nothing here waits for more than 24 days. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's clocks. Its timers do not keep a process alive, and never run before `nowMs` says it is time. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, run) {
    const dueMs = performance.now() + delayMs;
    // Node counts from the beginning of its loop's turn, in whole milliseconds: its timers fire up to the length of
    // a turn too early, and whoever asks the clock then finds that nothing is due.
    const runWhenDue = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0 && delayMs <= DELAY_MS_MAX) timer = start(runWhenDue, leftMs);
      else run();
    };
    let timer = start(runWhenDue, delayMs);
    return () => clearTimeout(timer);
  },
  soon(run) {
    setImmediate(run);
  },
};

function start(run: () => void, delayMs: number): NodeJS.Timeout {
  return setTimeout(run, Math.min(Math.ceil(delayMs), DELAY_MS_MAX)).unref();
}
