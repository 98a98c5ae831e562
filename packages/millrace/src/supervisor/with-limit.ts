import type { Clock } from "../core/clock.ts";

/** @throws `late` when `work` is not done after `limitMs`; nothing stops it then. */
export async function withLimit<Result>(
  work: Promise<Result>,
  clock: Clock,
  limitMs: number,
  late: Error,
): Promise<Result> {
  let cancel = (): void => undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    cancel = clock.schedule(limitMs, () => reject(late));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
