import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReleaseStore } from "../../ports/release-store.ts";
import type { OverrideChanges } from "../override-changes.ts";
import type { Analyses } from "./analyses.ts";

/** What every release is made with. */
export interface ReleaseParts {
  readonly store: ReleaseStore;
  readonly changes: OverrideChanges;
  /** Undefined where there is no prediction log. */
  readonly analyses: Analyses | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Why there are no numbers where nothing is logged. */
export const NO_LOG =
  "there is no prediction log to ask; log.sink: parquet and a folder in state.dir make one";

/** Who asks for something, and why. */
export interface ReleaseOrder {
  readonly by: string;
  /** May be empty. */
  readonly reason: string;
}

/** Commands that may wait for the look at their release. */
export const ORDERS_WAITING_MAX = 20;

/** Events that a status shows. */
export const EVENTS_SHOWN_MAX = 100;
