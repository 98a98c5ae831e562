import type { Clock } from "../../core/clock.ts";

/** How far one step has come: "busy" when another process writes. */
export type WriteStep = "done" | "progress" | "busy";

/** Longest time without progress, and between attempts. */
const BUSY_MS_MAX = 2_000;
const RETRY_MS = 10;

/** Takes steps until one is the last. @throws what a step throws, or that other processes let none succeed. */
export async function untilWritten(clock: Clock, step: () => WriteStep): Promise<void> {
  let endMs = clock.nowMs() + BUSY_MS_MAX;
  for (let result = step(); result !== "done"; result = step()) {
    const nowMs = clock.nowMs();
    if (result === "progress") {
      endMs = nowMs + BUSY_MS_MAX;
      await new Promise<void>((resolve) => clock.soon(resolve));
    } else {
      if (nowMs >= endMs) {
        throw new Error(`Cannot keep units: other processes write, since ${BUSY_MS_MAX} ms`);
      }
      await new Promise<void>((resolve) => clock.schedule(RETRY_MS, resolve));
    }
  }
}
