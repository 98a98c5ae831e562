import type { Clock } from "../core/clock.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { ModelVersion } from "./model-version.ts";
import type { VersionLedger } from "./version-ledger.ts";

/** What happens to models, for the log and the metrics. Must not throw. */
export interface ModelEvents {
  /** A version is loaded and warm, and does not serve yet. */
  loaded(version: ModelVersion, tookMs: number): void;
  /** Requests without a version go to `next` from now on. */
  switched(next: ModelVersion, previous: ModelVersion | undefined): void;
  /** A version has answered its last request and its memory is free. */
  released(version: ModelVersion): void;
  /** Something could not be loaded; `serving` is what answers nevertheless. */
  failed(modelName: string, reason: string, serving: ModelVersion | undefined): void;
  /** Everything the source holds is loaded again after a failure. */
  recovered(serving: ModelVersion): void;
}

export interface ModelsOptions {
  readonly runtime: Runtime;
  readonly ledger: VersionLedger;
  readonly clock: Clock;
  readonly events: ModelEvents;
  /** Folder for models that come from a URL. */
  readonly downloadFolder: string;
}
