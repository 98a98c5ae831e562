import type { Target } from "../serving/targets.ts";
import type { FoundInProcess } from "./in-process.ts";
import type { LoadRow } from "./load-rows.ts";
import type { OverrideReach } from "./override-reach.ts";
import type { PredictionCacheCost } from "./prediction-cache.ts";
import type { SequenceOverHttp } from "./sequence-over-http.ts";

/** Everything that was measured. */
export interface Found {
  readonly inProcess: FoundInProcess;
  readonly sequence: SequenceOverHttp;
  readonly cache: PredictionCacheCost;
  readonly override: OverrideReach;
}

const SEQUENCE_RATIO_MAX = 1.15;
const HIT_RATE_MIN = 20;
const MATCH_US_MAX = 50;
const REACH_MS_MAX = 1000;

/** @returns the figures that graphs, caches, rules and live changes have to reach. */
export function limitsOf({ inProcess, sequence, cache, override }: Found): Target[] {
  const rate = (name: string, connections: number): number =>
    loadRow(cache, name, connections).answersPerSecond;
  const hitByMiss = (service: string): number =>
    rate(`${service}, hit`, 8) / rate(`${service}, miss`, 8);
  const matching = inProcess.rules.flatMap(({ matches, rules, us }) => [
    atMost(`${rules} rules, ${matches} matches, p50`, us.p50, MATCH_US_MAX, "µs"),
    atMost(`${rules} rules, ${matches} matches, p99`, us.p99, MATCH_US_MAX, "µs"),
  ]);
  const iris = [1, 64].flatMap((connections) => {
    const hit = rate("iris-cached, hit", connections);
    const at = `at ${connections} connection${connections === 1 ? "" : "s"}`;
    const miss = hit / rate("iris-cached, miss", connections);
    const without = hit / rate("iris, no cache", connections);
    return [
      atLeast(`iris, rate of hits by misses, ${at}`, miss, 1, "×"),
      atLeast(`iris, rate of hits by a service without cache, ${at}`, without, 1, "×"),
    ];
  });
  return [
    atMost(
      "sequence by the sum of its two, in process",
      inProcess.sequence.ratio,
      SEQUENCE_RATIO_MAX,
      "×",
    ),
    atMost("sequence by the sum of its two, over HTTP", sequence.ratio, SEQUENCE_RATIO_MAX, "×"),
    atMost(`model runs during ${cache.hits} hits`, cache.runsDuringHits, 0, "runs"),
    atLeast(
      "6 ms and a small body, rate of hits by misses",
      hitByMiss("colour-conv-cached"),
      HIT_RATE_MIN,
      "×",
    ),
    atLeast(
      "6 ms and a body of 602 kB, rate of hits by misses",
      hitByMiss("conv-cached"),
      HIT_RATE_MIN,
      "×",
    ),
    ...iris,
    ...matching,
    atMost(
      `override in all ${override.processes} processes, slowest of ${override.reachMs.n}`,
      override.reachMs.max,
      REACH_MS_MAX,
      "ms",
    ),
    atMost("failed requests meanwhile", override.failed, 0, "requests"),
  ];
}

function loadRow({ rows }: PredictionCacheCost, name: string, connections: number): LoadRow {
  const row = rows.find((one) => one.name === name && one.connections === connections);
  if (row === undefined) throw new Error(`${name} was not measured`);
  return row;
}

function atMost(name: string, value: number, limit: number, unit: string): Target {
  return { name, comparison: "≤", limit, unit, value, isMet: value <= limit };
}

function atLeast(name: string, value: number, limit: number, unit: string): Target {
  return { name, comparison: "≥", limit, unit, value, isMet: value >= limit };
}
