import { messageOf } from "../core/message-of.ts";
import type { JsonValue } from "../core/json.ts";
import type { Logger } from "../ports/logger.ts";

export interface WarmCacheOptions {
  readonly service: string;
  /** Requests, rows as in a `/predict` body. */
  readonly requests: readonly JsonValue[];
  /** Predicts one as if a client had sent it, which stores it. */
  readonly predict: (rows: JsonValue) => Promise<unknown>;
  /** Ends it before the next request. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Under way at a time, so that callers find the models free. */
const CONCURRENCY = 2;

/** Failed requests that are logged one by one; the end says how many there were. */
const LOGGED_FAILURES_MAX = 5;

/** Predicts what will be asked for, before it is. What fails is logged and left. @returns how many were predicted. */
export async function warmCache(options: WarmCacheOptions): Promise<number> {
  const { service, requests, predict, signal, log } = options;
  const left = requests.entries();
  let failures = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (const [index, rows] of left) {
      if (signal.aborted) return;
      try {
        await predict(rows);
        done++;
      } catch (error) {
        failures++;
        if (failures > LOGGED_FAILURES_MAX) continue;
        const reason = messageOf(error);
        log.warn({ service, index, reason }, "a request of the cache's warm-up failed");
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  log.info({ service, predictions: done, failures }, "the prediction cache is warm");
  return done;
}
