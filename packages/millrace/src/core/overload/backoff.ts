/** Longest wait before the first retry; it doubles with each, up to the second. */
const BACKOFF_MS = 25;
const BACKOFF_MS_MAX = 250;

/**
 * How long to wait before a retry: anything from 0 to 25 ms, 50 ms, 100 ms, … 250 ms, so that those who failed together
 * do not come back together (AWS calls it full jitter).
 * @param retry number of the retry, from 1. @param random in [0, 1).
 */
export function backoffMs(retry: number, random: number): number {
  return random * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (retry - 1));
}
