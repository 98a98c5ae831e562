/** How long and how often everything is measured. */
export interface Plan {
  readonly repetitions: number;
  readonly warmupMs: number;
  readonly throughputMs: number;
  readonly connections: readonly number[];
  readonly rates: readonly number[];
  readonly latency: { readonly warmupMs: number; readonly durationMs: number };
  readonly overload: { readonly warmupMs: number; readonly durationMs: number };
  readonly sustained: { readonly warmupMs: number; readonly durationMs: number };
  readonly runtimeMs: number;
  readonly starts: number;
  readonly reloads: number;
  readonly restarts: number;
}

export const SUSTAINED_RATE = 1000;
export const IMAGE_CONNECTIONS = 8;
export const GRPC_IN_FLIGHT = 64;
/** Of a server's own capacity: the load at which latency is compared with the bare runtime. */
export const HALF = 0.5;

export const FULL: Plan = {
  repetitions: 2,
  warmupMs: 3_000,
  throughputMs: 4_000,
  connections: [1, 16, 64],
  rates: [100, 500, 1000],
  latency: { warmupMs: 1_000, durationMs: 5_000 },
  overload: { warmupMs: 500, durationMs: 5_000 },
  sustained: { warmupMs: 2_000, durationMs: 60_000 },
  runtimeMs: 2_000,
  starts: 3,
  reloads: 100,
  restarts: 4,
};

/** Tries the harness; its numbers are no evidence. */
export const QUICK: Plan = {
  repetitions: 1,
  warmupMs: 1_000,
  throughputMs: 1_000,
  connections: [1, 16, 64],
  rates: [100, 1000],
  latency: { warmupMs: 200, durationMs: 1_000 },
  overload: { warmupMs: 500, durationMs: 1_000 },
  sustained: { warmupMs: 500, durationMs: 2_000 },
  runtimeMs: 500,
  starts: 1,
  reloads: 10,
  restarts: 1,
};
