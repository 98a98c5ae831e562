import { parseDuration } from "../config/duration.ts";
import { UsageError } from "./command.ts";

/**
 * A time, or how long it is ago.
 * @param nowMs since 1970-01-01 UTC.
 * @returns milliseconds since 1970-01-01 UTC; undefined when it is not given. @throws UsageError that names the option.
 */
export function readTime(
  option: string,
  text: string | undefined,
  nowMs: number,
): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return nowMs - ago;
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new UsageError(
    `--${option}: expected a duration such as 24h or a time such as 2026-11-20T12:00:00Z, found ${JSON.stringify(text)}`,
  );
}
