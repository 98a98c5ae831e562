import type { GrpcRow } from "./measure-grpc.ts";
import type { LatencyRow } from "./measure-latency.ts";
import type { MemoryRow } from "./measure-memory.ts";
import type { OverloadRow } from "./measure-overload.ts";
import type { ReloadRow } from "./measure-reload.ts";
import type { RuntimeRow } from "./measure-runtime.ts";
import type { StartRow } from "./measure-start.ts";
import type { ThroughputRow } from "./measure-throughput.ts";

/** Every single run, none averaged; reports take the medians. */
export interface Measurements {
  readonly runtime: RuntimeRow[];
  readonly throughput: ThroughputRow[];
  readonly latency: LatencyRow[];
  /** At half of what the server can do. */
  readonly half: LatencyRow[];
  readonly sustained: LatencyRow[];
  readonly overload: OverloadRow[];
  readonly grpc: GrpcRow[];
  readonly memory: MemoryRow[];
  readonly start: StartRow[];
  readonly reload: ReloadRow[];
  /** Servers that are missing, by model, and why. */
  readonly missing: { readonly server: string; readonly model: string; readonly reason: string }[];
}

export function noMeasurements(): Measurements {
  return {
    runtime: [],
    throughput: [],
    latency: [],
    half: [],
    sustained: [],
    overload: [],
    grpc: [],
    memory: [],
    start: [],
    reload: [],
    missing: [],
  };
}
