import type { GeneratorName } from "./generators.ts";

export interface Scene {
  readonly title: string;
  /** `timed` is no model: timed-server.ts. */
  readonly service: "iris" | "slow" | "timed";
  readonly rows: unknown;
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly generators: readonly GeneratorName[];
  /** Is this offered load above what the server can do? */
  readonly isOverload: boolean;
}

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly scenes: readonly Scene[];
}

const IRIS = { service: "iris", rows: [[5.1, 3.5, 1.4, 0.2]] } as const;
/** About 4 ms a run: 250 a second at most. */
const SLOW = { service: "slow", rows: [3000] } as const;
const OPEN = ["millrace load", "oha -q --latency-correction", "h2load --h1 --rps"] as const;
const ALL = [...OPEN, "oha -q", "wrk, closed loop"] as const;

const SCENES: readonly Scene[] = [
  {
    title:
      "A server that takes 20 ms, and 60 ms for one request in 40: 500 requests/s, 32 connections",
    service: "timed",
    rows: [],
    requestsPerSecond: 500,
    connections: 32,
    generators: OPEN,
    isOverload: false,
  },
  {
    ...IRIS,
    title: "A small model below saturation: 1,000 requests/s, 1 connection",
    requestsPerSecond: 1_000,
    connections: 1,
    generators: OPEN,
    isOverload: false,
  },
  {
    ...IRIS,
    title: "A small model at 10,000 requests/s, 16 connections",
    connections: 16,
    requestsPerSecond: 10_000,
    generators: OPEN,
    isOverload: false,
  },
  {
    ...SLOW,
    title: "A slow model with more than it can do: 400 requests/s, 16 connections",
    connections: 16,
    requestsPerSecond: 400,
    generators: ALL,
    isOverload: true,
  },
];

export const FULL: Plan = { rounds: 3, seconds: 8, warmupSeconds: 1, scenes: SCENES };
export const QUICK: Plan = { rounds: 1, seconds: 2, warmupSeconds: 1, scenes: SCENES };
