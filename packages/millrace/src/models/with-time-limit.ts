import type { Clock } from "../core/clock.ts";

export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
  /** What it rejects with when the time is over. */
  readonly error: () => Error;
}

/** Waits for `work`, but not longer than `limit` says: work that cannot be stopped goes on, and nobody hears of it. */
export async function withTimeLimit<T>(work: Promise<T>, limit: TimeLimit): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    cancel = limit.clock.schedule(limit.ms, () => reject(limit.error()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
