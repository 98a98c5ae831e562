import type { Clock } from "../../core/clock.ts";
import type { SegmentFile } from "./segment-file.ts";

export interface SegmentSyncerOptions {
  /** Time from a write to the sync that covers it; undefined syncs a segment only when it has ended. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
  readonly onSynced: () => void;
}

/** Time from a failed sync to the next. */
const RETRY_MS = 1_000;

/** Forces segments to the disk beside the writing, one after the other; closes those that have ended. */
export class SegmentSyncer {
  readonly #options: SegmentSyncerOptions;
  readonly #segments = new Set<SegmentFile>();
  #isSyncing = false;
  #isStopped = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: SegmentSyncerOptions) {
    this.#options = options;
  }

  /** When the oldest frame came that may not be on the disk; undefined when all are. */
  get unsyncedSinceMs(): number | undefined {
    let oldestMs: number | undefined;
    for (const { unsyncedSinceMs } of this.#segments) {
      if (unsyncedSinceMs !== undefined) oldestMs = Math.min(oldestMs ?? Infinity, unsyncedSinceMs);
    }
    return oldestMs;
  }

  /** Segments that have ended and are not closed yet. */
  get endedCount(): number {
    let count = 0;
    for (const { isEnded } of this.#segments) if (isEnded) count++;
    return count;
  }

  /** Something was written to it, or it has ended. */
  changed(segment: SegmentFile): void {
    this.#segments.add(segment);
    this.#plan(0);
  }

  /** What was written before is on the disk when this resolves. @throws the first failure, after all were tried. */
  async syncAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const segment of this.#segments) {
      try {
        if (segment.unsyncedSinceMs !== undefined) await segment.sync();
      } catch (error) {
        failures.push(error);
      }
      // Also when its sync failed: the system reports a failure once and would take the next one for a success.
      if (segment.isEnded && this.#segments.delete(segment)) await segment.close();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Plans nothing any more; `syncAll` still works. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  #plan(delayMsMin: number): void {
    if (this.#isStopped || this.#isSyncing || this.#cancelTimer !== undefined) return;
    if (!this.#hasWork()) return;
    const { everyMs = 0, clock } = this.#options;
    this.#cancelTimer = clock.schedule(Math.max(everyMs, delayMsMin), () => void this.#run());
  }

  #hasWork(): boolean {
    if (this.#options.everyMs === undefined) return this.endedCount > 0;
    return this.endedCount > 0 || this.unsyncedSinceMs !== undefined;
  }

  async #run(): Promise<void> {
    this.#cancelTimer = undefined;
    this.#isSyncing = true;
    let delayMs = 0;
    try {
      await this.syncAll();
      this.#options.onSynced();
    } catch (error) {
      delayMs = RETRY_MS;
      this.#options.onFailed(error);
    } finally {
      this.#isSyncing = false;
      this.#plan(delayMs);
    }
  }
}
