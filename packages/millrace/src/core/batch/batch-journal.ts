import {
  DROP_REASONS,
  LEAVE_REASONS,
  type BatchRecord,
  type DropReason,
  type LeaveReason,
} from "./batch.ts";

/** Batches that are remembered one by one. */
const RECORDS_MAX = 100;

/** What the scheduler did and why, to be read by people and metrics. */
export class BatchJournal {
  readonly #records: BatchRecord[] = [];
  #next = 0;
  readonly #left = new Map<LeaveReason, number>(LEAVE_REASONS.map((reason) => [reason, 0]));
  readonly #dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  #bisectCount = 0;

  /** Batches that left, by reason. */
  get leaveCounts(): ReadonlyMap<LeaveReason, number> {
    return this.#left;
  }

  /** Requests that were not predicted, by reason. */
  get dropCounts(): ReadonlyMap<DropReason, number> {
    return this.#dropped;
  }

  /** Batches that failed and were cut in halves. */
  get bisectCount(): number {
    return this.#bisectCount;
  }

  /** The last 100 batches, oldest first. */
  records(): BatchRecord[] {
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
  }

  ended(record: BatchRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % RECORDS_MAX;
  }

  left(reason: LeaveReason): void {
    this.#left.set(reason, (this.#left.get(reason) ?? 0) + 1);
  }

  dropped(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  bisected(): void {
    this.#bisectCount++;
  }
}
