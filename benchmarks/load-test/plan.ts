import type { GeneratorName } from "./generators.ts";

export interface Scene {
  readonly title: string;
  readonly service: "iris" | "slow";
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
    ...SLOW,
    title: "A slow model below saturation: 100 requests/s, 1 connection",
    requestsPerSecond: 100,
    connections: 1, // with more of them oha and h2load send bursts
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

export const FULL: Plan = { rounds: 3, seconds: 10, warmupSeconds: 1, scenes: SCENES };
export const QUICK: Plan = { rounds: 1, seconds: 2, warmupSeconds: 1, scenes: SCENES };
