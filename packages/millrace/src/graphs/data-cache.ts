import type { Sha256 } from "../core/cache/key-writer.ts";
import type { SharedRun } from "../core/cache/shared-run.ts";
import type { Clock } from "../core/clock.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { TensorCache } from "../ports/tensor-cache.ts";

/** What the steps gave for one row. */
export interface DataRow {
  /** By output of the steps, `[1, …]`; undefined for one that is missing. */
  readonly outputs: readonly (Tensor | undefined)[];
  readonly degraded: readonly Degradation[];
}

export interface DataCacheOptions {
  readonly store: TensorCache;
  readonly clock: Clock;
  readonly sha256: Sha256;
}

/**
 * The data of all services of a process: one that prepares the same data with the same steps finds what another one
 * has prepared, or waits while that one prepares it.
 */
export class DataCache {
  readonly store: TensorCache;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** By key, the runs that prepare rows now; a run prepares several. At most as many keys as rows in work. */
  readonly runs = new Map<string, SharedRun<ReadonlyMap<string, DataRow>>>();

  constructor({ store, clock, sha256 }: DataCacheOptions) {
    this.store = store;
    this.clock = clock;
    this.sha256 = sha256;
  }
}
