import type { Ordered } from "./earliest-first.ts";

/** Priority classes: 1 is the most urgent, 2 the default, 3 what may wait. */
export type Priority = 1 | 2 | 3;

/** Why a batch left when it did, with the rows it had. */
export const LEAVE_REASONS = [
  /** The model was free, and this is all that waited. */
  "idle",
  /** It has as many rows as are worth it. */
  "full",
  /** Its first request has waited for company as long as `delayMs` allows. */
  "delay",
  /** The model was free, and the others that wait have another shape or want other outputs. */
  "shape",
  /** Waiting longer would have made its first request late. */
  "deadline",
  /** It holds one half of a batch that failed, or what a lost executor left. */
  "retry",
] as const;
export type LeaveReason = (typeof LEAVE_REASONS)[number];

/** Why a request was not predicted. */
export const DROP_REASONS = [
  /** On arrival: it would have been answered too late. */
  "predicted_deadline",
  /** On arrival: even alone the model takes longer than the time that is left. */
  "deadline_too_short",
  /** On arrival: too many rows wait. */
  "queue_rows",
  /** On arrival: the requests that wait for this model take too much memory. */
  "queue_bytes",
  /** On arrival: the requests that wait for all models take too much memory. */
  "memory",
  /** Its deadline has passed. */
  "expired",
  /** When its batch was to leave: it would have been answered too late, and others wait. */
  "early_drop",
  /** The client has gone. */
  "cancelled",
  /** The thread that ran it died, and there was no time or no point in another try. */
  "executor_lost",
  /** The model failed on it alone. */
  "model_failed",
  /** The version is being closed. */
  "shutdown",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface Refusal {
  readonly reason: DropReason;
  /** Time after which the requests that wait now are answered. */
  readonly retryAfterMs: number;
}

export interface Arrival<T> {
  readonly request: T;
  /** At least 1; what the model counts as one where requests cannot share a run. */
  readonly rows: number;
  /** Memory its inputs take. */
  readonly bytes: number;
  /** Requests share a run only when this is equal: shapes beside the batch axis, requested outputs. */
  readonly bucket: string;
  readonly priority: Priority;
  /** When it came, on the clock's `nowMs`. */
  readonly receivedMs: number;
  /** On the clock's `nowMs`: later nobody wants the answer. */
  readonly deadlineAtMs: number;
}

/**
 * One request in the scheduler.
 *
 * waiting (rows left to send) → running (all rows sent) → gone (answered, dropped or cancelled); a request with
 * more rows than a batch holds leaves in parts and waits with the rest.
 */
export class BatchItem<T> implements Ordered {
  readonly request: T;
  readonly rows: number;
  readonly bytes: number;
  readonly bucket: string;
  readonly priority: Priority;
  readonly receivedMs: number;
  readonly deadlineAtMs: number;
  /** The deadline, or earlier where the model has a latency objective. */
  readonly objectiveAtMs: number;
  /** Work each of its rows adds to the queue. */
  readonly rowCostMs: number;
  readonly orderMs: number;
  readonly sequence: number;
  isGone = false;
  sentRows = 0;
  answeredRows = 0;
  /** Executors that died while they ran it. */
  lostCount = 0;

  constructor(
    arrival: Arrival<T>,
    plan: {
      readonly objectiveAtMs: number;
      readonly rowCostMs: number;
      /** What a priority class is worth, as time. */
      readonly classStepMs: number;
      readonly sequence: number;
    },
  ) {
    this.request = arrival.request;
    this.rows = arrival.rows;
    this.bytes = arrival.bytes;
    this.bucket = arrival.bucket;
    this.priority = arrival.priority;
    this.receivedMs = arrival.receivedMs;
    this.deadlineAtMs = arrival.deadlineAtMs;
    this.objectiveAtMs = plan.objectiveAtMs;
    this.rowCostMs = plan.rowCostMs;
    this.sequence = plan.sequence;
    // Earliest deadline first, and a class is worth time: who may wait is overtaken only by urgent requests whose
    // deadline is not later by more than that. So nobody starves.
    this.orderMs = plan.objectiveAtMs + (arrival.priority - 1) * plan.classStepMs;
  }
}

/** The part of a request that is in a batch. */
export interface BatchSlice<T> {
  readonly item: BatchItem<T>;
  readonly fromRow: number;
  readonly rows: number;
}

export interface Batch<T> {
  readonly id: number;
  readonly executor: number;
  readonly bucket: string;
  readonly slices: readonly BatchSlice<T>[];
  readonly rows: number;
  readonly reason: LeaveReason;
  /** Age of the request that came first, when it left. */
  readonly headAgeMs: number;
  readonly leftAtMs: number;
  /** Time it was expected to take. */
  readonly predictedMs: number;
}

export type BatchOutcome = "ok" | "failed" | "lost";

/** What is kept of a batch, to explain why it had this size and took this time. */
export interface BatchRecord {
  /** On the clock's `wallMs`. */
  readonly endedAtMs: number;
  readonly rows: number;
  readonly requests: number;
  readonly bucket: string;
  readonly reason: LeaveReason;
  readonly headAgeMs: number;
  readonly predictedMs: number;
  readonly actualMs: number;
  readonly executor: number;
  readonly outcome: BatchOutcome;
}
