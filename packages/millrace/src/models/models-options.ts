import type { Clock } from "../core/clock.ts";
import type { ByteBudget } from "../core/batch/byte-budget.ts";
import type { BreakerKind } from "../core/overload/breaker.ts";
import type { MillraceError } from "../core/errors.ts";
import type { ModelVersion } from "./model-version.ts";
import type { Runtimes } from "./place-model.ts";
import type { VersionLedger } from "./version-ledger.ts";

/** What happens to models, for the log and the metrics. Must not throw. */
export interface ModelEvents {
  /** A version is loaded and warm, and does not serve yet. */
  loaded(version: ModelVersion, tookMs: number): void;
  /** Requests without a version go to `next` from now on. */
  switched(next: ModelVersion, previous: ModelVersion | undefined): void;
  /** What serves for a model is another one than before, or nothing: what was made from it is to be made again. */
  changed(modelName: string): void;
  /** A version has answered its last request and its memory is free. */
  released(version: ModelVersion): void;
  /** Something could not be loaded; `serving` is what answers nevertheless. */
  failed(modelName: string, reason: string, serving: ModelVersion | undefined): void;
  /** A run of the model has ended. */
  batchEnded(modelName: string, version: number, rows: number): void;
  /** A thread that ran a model died. @param backInMs time until another one is expected to be ready. */
  executorLost(modelName: string, reason: MillraceError, backInMs: number): void;
  /** The breaker of a version opened, tries, or closed. */
  breakerMoved(versionId: string, from: BreakerKind, to: BreakerKind): void;
  executorBack(modelName: string): void;
  /** It did not start again; the next try follows. */
  executorNotBack(modelName: string, reason: unknown, backInMs: number): void;
  /** Everything the source holds is loaded again after a failure. */
  recovered(serving: ModelVersion): void;
}

export interface ModelsOptions {
  readonly runtimes: Runtimes;
  /** Cores this process may use, at least 1. */
  readonly coreCount: number;
  /** Memory of the requests in this process. */
  readonly budget: ByteBudget;
  readonly ledger: VersionLedger;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly events: ModelEvents;
  /** Folder for models that come from a URL. */
  readonly downloadFolder: string;
}
