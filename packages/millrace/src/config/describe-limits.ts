import type { LimitsConfig } from "./config.ts";
import { divideLimits } from "./divide-limits.ts";
import { rateText } from "../core/overload/rate-limit.ts";

/**
 * The limits that hold, in words: `concurrency auto, queue 500, rate 1000/s in each of 2 processes`. Where a number
 * does not divide, it is a span: `concurrency 3 to 4`.
 */
export function describeLimits(limits: LimitsConfig, processes: number): string {
  // The first process gets what does not divide, so the first and the last are the ends of the span.
  const most = divideLimits(limits, processes, 0);
  const least = divideLimits(limits, processes, processes - 1);
  const parts = [
    `concurrency ${span(least.concurrency, most.concurrency)}`,
    `queue ${span(least.queue, most.queue)}`,
    ...(most.ratePerSecond === undefined ? [] : [`rate ${rateText(most.ratePerSecond)}`]),
  ];
  const where = processes === 1 ? "" : ` in each of ${processes} processes`;
  return `${parts.join(", ")}${where}`;
}

function span(least: number | string, most: number | string): string {
  return least === most ? String(most) : `${least} to ${most}`;
}
