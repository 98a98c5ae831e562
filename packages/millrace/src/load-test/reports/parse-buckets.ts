import { parseGoDuration } from "../../core/load/parse-go-duration.ts";
import { LoadInputError } from "../load-input-error.ts";

const BUCKETS_MAX = 1000;

/**
 * Buckets of a histogram of latencies as vegeta takes them: `[0,2ms,4ms]`.
 * @param flag that they were given with.
 * @returns where each begins, in ns, rising from 0, which need not be named. @throws LoadInputError for anything else.
 */
export function parseBuckets(text: string, flag: string): readonly number[] {
  const [, inner] = /^\[(.*)\]$/su.exec(text) ?? [];
  const bounds = inner?.split(",").map(boundNs) ?? [];
  if ((bounds[0] ?? 0) > 0) bounds.unshift(0);
  const isRising = bounds.every((ns, i) => ns > (bounds[i - 1] ?? -1));
  if (bounds.length > 0 && bounds.length <= BUCKETS_MAX && isRising) return bounds;
  throw new LoadInputError(
    `${flag}: expected at most ${BUCKETS_MAX} rising durations such as [0,2ms,4ms,6ms], found ${JSON.stringify(text)}`,
  );
}

/** @returns NaN of what is no duration. */
function boundNs(text: string): number {
  return Math.round((parseGoDuration(text.trim()) ?? NaN) * 1e6);
}
