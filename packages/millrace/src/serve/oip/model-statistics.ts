import type { Predictor } from "../../models/predictor.ts";
import type { Duration } from "../../models/statistics.ts";
import type { DataPlane } from "../data-plane.ts";
import { versionsOf } from "./target-of.ts";

/**
 * One entry of the statistics extension, field by field. Every number is whole, so that it may become a bigint;
 * nanoseconds are cumulative and monotonic.
 */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0 before the first. */
  readonly last_inference: number;
  /** Rows. */
  readonly inference_count: number;
  /** Runs of the model. */
  readonly execution_count: number;
  readonly inference_stats: InferStatistics;
  /** By response index, for streamed responses: there are none. */
  readonly response_stats: Readonly<Record<string, never>>;
  readonly batch_stats: readonly BatchStatistics[];
  readonly memory_usage: readonly MemoryUsage[];
}

export interface InferStatistics {
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
  readonly cache_hit: Duration;
  readonly cache_miss: Duration;
}

export interface BatchStatistics {
  /** Rows of the run. */
  readonly batch_size: number;
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
}

export interface MemoryUsage {
  readonly type: "CPU" | "CPU_PINNED" | "GPU";
  readonly id: number;
  readonly byte_size: number;
}

const NONE: Duration = { count: 0, ns: 0 };

/**
 * Statistics of one version, of all versions of a model, or of everything.
 * @param model undefined takes all. @param version undefined and "" take all.
 * @throws MODEL_NOT_FOUND; MODEL_NOT_READY when a version is named.
 */
export function modelStatistics(
  plane: DataPlane,
  model?: string,
  version?: string,
): ModelStatistics[] {
  const names = model === undefined ? plane.services.all.map((service) => service.name) : [model];
  return names.flatMap((name) =>
    versionsOf(plane, name, version).map((found) => statisticsOf(name, found)),
  );
}

function statisticsOf(name: string, { version, statistics }: Predictor): ModelStatistics {
  const batches = [...statistics.batches].sort(([a], [b]) => a - b);
  return {
    name,
    version: String(version),
    last_inference: Math.round(statistics.lastInferenceMs),
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: {
      success: statistics.success,
      fail: statistics.fail,
      queue: statistics.queue,
      compute_input: statistics.computeInput,
      compute_infer: statistics.compute,
      compute_output: statistics.computeOutput,
      cache_hit: NONE,
      cache_miss: NONE,
    },
    response_stats: {},
    batch_stats: batches.map(([rows, compute]) => ({
      batch_size: rows,
      compute_input: NONE,
      compute_infer: compute,
      compute_output: NONE,
    })),
    memory_usage: [],
  };
}
