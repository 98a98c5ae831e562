import type { JsonValue } from "../../core/json.ts";
import {
  HISTORY_BYTES_MAX,
  HISTORY_EVENTS_MAX,
  type HistoryQuery,
  type OverrideChange,
  type OverrideEvent,
  type OverrideState,
  type OverrideStore,
  type StoredOverride,
} from "../../ports/override-store.ts";

/** Overrides that last as long as the process: where there is no state folder. */
export class MemoryOverrideStore implements OverrideStore {
  #version = 0;
  readonly #overrides = new Map<string, StoredOverride>();
  /** The oldest first. */
  #events: OverrideEvent[] = [];

  read(): Promise<OverrideState> {
    return Promise.resolve(this.#state());
  }

  commit(change: OverrideChange, versionBefore: number): Promise<OverrideState | undefined> {
    if (versionBefore !== this.#version) return Promise.resolve(undefined);
    const version = ++this.#version;
    const { atMs, by, reason, expiresAtMs, steps } = change;
    for (const step of steps) {
      const { path, action, value } = step;
      if (action === "set" && value !== undefined) {
        const override = { path, value, version, by, reason, setAtMs: atMs, expiresAtMs };
        this.#overrides.set(path, override);
      } else {
        this.#overrides.delete(path);
      }
      this.#events.push({ ...step, version, atMs, by, reason, expiresAtMs });
    }
    this.#events = newestOf(this.#events);
    return Promise.resolve(this.#state());
  }

  history({ path, limit }: HistoryQuery): Promise<readonly OverrideEvent[]> {
    const events = this.#events.filter((event) => path === undefined || event.path === path);
    return Promise.resolve(events.toReversed().slice(0, limit));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #state(): OverrideState {
    const overrides = [...this.#overrides.values()];
    overrides.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { version: this.#version, overrides };
  }
}

/** As many of the newest as are kept. */
function newestOf(events: readonly OverrideEvent[]): OverrideEvent[] {
  let bytes = 0;
  const isFull = ({ old, value }: OverrideEvent): boolean => {
    bytes += byteLengthOf(old) + byteLengthOf(value);
    return bytes > HISTORY_BYTES_MAX;
  };
  const newest = events.slice(-HISTORY_EVENTS_MAX);
  return newest.slice(newest.findLastIndex(isFull) + 1);
}

function byteLengthOf(value: JsonValue | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}
