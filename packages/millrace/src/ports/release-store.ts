import type { JsonValue } from "../core/json.ts";
import type { ReleaseEvent } from "../core/release/release-report.ts";

/** What is kept of one release: an experiment of one phase, or a shadow. */
export interface StoredRelease {
  /** `experiment/iris/rf-2026-11`, `shadow/iris/rf` */
  readonly key: string;
  /** Of the last change; never used twice. */
  readonly version: number;
  /** Plain JSON; whoever writes it knows its form. */
  readonly state: JsonValue;
}

/** Events kept of one release; the oldest are forgotten first. */
export const RELEASE_EVENTS_MAX = 1_000;

/**
 * Keeps where releases are and what happened to them, lastingly. Every implementation passes
 * test/contract/release-store-contract.ts.
 */
export interface ReleaseStore {
  read(key: string): Promise<StoredRelease | undefined>;
  /**
   * Keeps a state with the events that led to it, both or neither.
   * @param versionBefore the change was made for; 0 where nothing is kept yet.
   * @returns undefined, with nothing changed, when the version is another one by now.
   */
  write(
    release: Pick<StoredRelease, "key" | "state">,
    versionBefore: number,
    events: readonly ReleaseEvent[],
  ): Promise<StoredRelease | undefined>;
  /** The newest first. */
  events(key: string, limit: number): Promise<readonly ReleaseEvent[]>;
  close(): Promise<void>;
}
