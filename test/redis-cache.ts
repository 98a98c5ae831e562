import { setTimeout as sleep } from "node:timers/promises";
import { RedisTensorCache } from "../packages/millrace/src/adapters/cache-redis/redis-tensor-cache.ts";
import { systemClock } from "../packages/millrace/src/adapters/clock-system/clock-system.ts";
import type { Logger } from "../packages/millrace/src/ports/logger.ts";

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface OpenedCache {
  readonly cache: RedisTensorCache;
  /** All that was logged. */
  readonly lines: readonly LogLine[];
}

export interface OpenOptions {
  /** Waits until it is connected; default true. */
  readonly isAwaited?: boolean;
  /** By default more than a busy machine needs, so that no test depends on its speed. */
  readonly answerMsMax?: number;
}

/** A cache in a real Redis. */
export async function openTestCache(
  url: string,
  { isAwaited = true, answerMsMax = 5_000 }: OpenOptions = {},
): Promise<OpenedCache> {
  const lines: LogLine[] = [];
  const cache = await RedisTensorCache.open({
    url,
    clock: systemClock,
    log: recorder(lines),
    random: () => 0.5,
    answerMsMax,
  });
  if (isAwaited) await until(() => cache.isUp);
  return { cache, lines };
}

/** Until something holds that happens elsewhere. @throws after 10 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error("it does not hold after 10 s");
}

function recorder(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
