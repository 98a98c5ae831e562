import type { LimitsConfig } from "./config.ts";

/**
 * The part of a service's limits that the serve process number `index`, from 0, keeps of `processes`. The parts add
 * up to the whole and differ by at most 1; the first ones get what does not divide. Every process runs at least one
 * request at a time, so a concurrency below `processes` becomes `processes`. `auto` and `off` stay.
 */
export function divideLimits(limits: LimitsConfig, processes: number, index: number): LimitsConfig {
  const { concurrency, queue, ratePerSecond } = limits;
  return {
    concurrency:
      typeof concurrency === "number"
        ? Math.max(1, partOf(concurrency, processes, index))
        : concurrency,
    queue: partOf(queue, processes, index),
    ratePerSecond: ratePerSecond === undefined ? undefined : ratePerSecond / processes,
  };
}

function partOf(whole: number, parts: number, index: number): number {
  return Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);
}
