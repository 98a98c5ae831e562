import type { BatchRecord } from "../../core/batch/batch.ts";
import type { ModelVersion } from "../../models/model-version.ts";

/** One run of a model and the requests that shared it. */
export interface BatchEntry extends Omit<BatchRecord, "endedAtMs"> {
  /** ISO 8601. */
  readonly endedAt: string;
}

/** The last runs of a version, oldest first. */
export function recentBatches(version: ModelVersion): BatchEntry[] {
  return version
    .recentBatches()
    .map(({ endedAtMs, ...record }) => ({ endedAt: new Date(endedAtMs).toISOString(), ...record }));
}
