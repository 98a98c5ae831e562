import { parseGoDuration } from "./parse-go-duration.ts";

/** Starts a second beyond any generator on one machine. */
export const RATE_MAX = 1_000_000;

/** `500`, `500/s`, `30000/1m`, `0.5`. */
const RATE = /^(\d+(?:\.\d+)?)(?:\/(.+))?$/;

const UNIT = /^(?:ns|us|µs|ms|s|m|h)$/;

/**
 * A rate as vegeta takes it: a number, and the time that it is for; a second unless another one is said.
 * @returns a second; undefined when `text` is none.
 */
export function parseRate(text: string): number | undefined {
  const [, amount, per = "1s"] = RATE.exec(text) ?? [];
  const perMs = parseGoDuration(UNIT.test(per) ? `1${per}` : per);
  if (amount === undefined || perMs === undefined || perMs <= 0) return undefined;
  return (Number(amount) * 1000) / perMs;
}
