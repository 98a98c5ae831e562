import type { ModelVersion } from "../../models/model-version.ts";
import type { Duration } from "../../models/statistics.ts";

const NONE: Duration = { count: 0, ns: 0 };

/** One entry of the statistics extension. Counters Millrace does not have apart (conversion, cache) are zero. */
export function statisticsOf(name: string, version: ModelVersion): object {
  const { statistics } = version;
  const batches = [...statistics.batches].sort(([a], [b]) => a - b);
  return {
    name,
    version: String(version.version),
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: {
      success: statistics.success,
      fail: statistics.fail,
      queue: statistics.queue,
      compute_input: NONE,
      compute_infer: statistics.compute,
      compute_output: NONE,
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
