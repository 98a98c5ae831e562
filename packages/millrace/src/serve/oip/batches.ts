import type { BatchRecord } from "../../core/batch/batch.ts";
import { ModelVersion } from "../../models/model-version.ts";
import type { Predictor } from "../../models/predictor.ts";

/** One run of a model and the requests that shared it. */
export interface BatchEntry extends Omit<BatchRecord, "endedAtMs"> {
  /** ISO 8601. */
  readonly endedAt: string;
}

/** The last runs of a version, oldest first; a graph has none of its own. */
export function recentBatches(predictor: Predictor): BatchEntry[] {
  if (!(predictor instanceof ModelVersion)) return [];
  return predictor
    .recentBatches()
    .map(({ endedAtMs, ...record }) => ({ endedAt: new Date(endedAtMs).toISOString(), ...record }));
}
