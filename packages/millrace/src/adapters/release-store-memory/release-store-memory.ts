import type { ReleaseEvent } from "../../core/release/release-report.ts";
import {
  RELEASE_EVENTS_MAX,
  type ReleaseStore,
  type StoredRelease,
} from "../../ports/release-store.ts";

interface Kept {
  readonly release: StoredRelease;
  /** The oldest first. */
  readonly events: readonly ReleaseEvent[];
}

/** Releases that last as long as the process: where there is no state folder. */
export class MemoryReleaseStore implements ReleaseStore {
  readonly #kept = new Map<string, Kept>();

  read(key: string): Promise<StoredRelease | undefined> {
    return Promise.resolve(this.#kept.get(key)?.release);
  }

  write(
    { key, state }: Pick<StoredRelease, "key" | "state">,
    versionBefore: number,
    events: readonly ReleaseEvent[],
  ): Promise<StoredRelease | undefined> {
    const kept = this.#kept.get(key);
    if ((kept?.release.version ?? 0) !== versionBefore) return Promise.resolve(undefined);
    const release = { key, version: versionBefore + 1, state };
    const all = [...(kept?.events ?? []), ...events].slice(-RELEASE_EVENTS_MAX);
    this.#kept.set(key, { release, events: all });
    return Promise.resolve(release);
  }

  events(key: string, limit: number): Promise<readonly ReleaseEvent[]> {
    const events = this.#kept.get(key)?.events ?? [];
    return Promise.resolve(events.toReversed().slice(0, limit));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
