import type { JsonValue } from "../core/json.ts";

/** A live key's value that is in force instead of the file's. */
export interface StoredOverride {
  /** `services.iris.parameters.activate` */
  readonly path: string;
  readonly value: JsonValue;
  /** Version of the change that set it. */
  readonly version: number;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly setAtMs: number;
  /** When it ends by itself; undefined lasts. */
  readonly expiresAtMs: number | undefined;
}

export interface OverrideState {
  /** Of the last change; 0 before the first one. Never used twice. */
  readonly version: number;
  /** By path. */
  readonly overrides: readonly StoredOverride[];
}

/** `replaced`: what it is a part of was set as a whole. */
export type OverrideAction = "set" | "unset" | "expired" | "replaced";

/** What one change does to one path: `set` gives it `value`, all else takes its override away. */
export interface OverrideStep {
  readonly path: string;
  readonly action: OverrideAction;
  /** In force before; undefined where there was none. */
  readonly old: JsonValue | undefined;
  /** In force afterwards; undefined where there is none. */
  readonly value: JsonValue | undefined;
}

/** A change of one or more paths: all of it happens, under one version, or nothing. */
export interface OverrideChange {
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
  /** Of what it sets. */
  readonly expiresAtMs: number | undefined;
  readonly steps: readonly OverrideStep[];
}

/** A step that was taken. */
export interface OverrideEvent extends OverrideStep {
  readonly version: number;
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
  readonly expiresAtMs: number | undefined;
}

export interface HistoryQuery {
  /** Only of this path; undefined is every one. */
  readonly path: string | undefined;
  /** Most events, at least 1. */
  readonly limit: number;
}

/** Events an implementation keeps; the oldest are forgotten first. */
export const HISTORY_EVENTS_MAX = 10_000;
/** Bytes of the old and new values in them, as JSON. */
export const HISTORY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Keeps the overrides and what happened to them. Every implementation passes test/contract/override-store-contract.ts.
 */
export interface OverrideStore {
  read(): Promise<OverrideState>;
  /**
   * Makes the change the next version, lastingly.
   * @param versionBefore the change was made for this state.
   * @returns the new state; undefined, with nothing changed, when the version is another one by now.
   */
  commit(change: OverrideChange, versionBefore: number): Promise<OverrideState | undefined>;
  /** The newest first. */
  history(query: HistoryQuery): Promise<readonly OverrideEvent[]>;
  close(): Promise<void>;
}
