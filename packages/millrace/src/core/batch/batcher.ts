import type { Clock } from "../clock.ts";
import { Backlog } from "./backlog.ts";
import { BatchJournal } from "./batch-journal.ts";
import {
  BatchItem,
  type Arrival,
  type Batch,
  type BatchOutcome,
  type BatchSlice,
  type DropReason,
  type LeaveReason,
  type Refusal,
} from "./batch.ts";
import type { Bucket } from "./bucket.ts";
import type { BatcherActions, BatcherOptions } from "./batcher-options.ts";
import { Buckets } from "./buckets.ts";
import { ExecutorStates } from "./executor-states.ts";
import { Retries } from "./retries.ts";

/** Part of the time left that a predicted answer may take up, and part of the whole that may pass in the queue. */
const TIME_SHARE = 0.95;
const QUEUE_SHARE = 0.8;

/** Part of the objective that one run may take. */
const RUN_SHARE = 0.5;

/** What a priority class is worth, as time: so much of the objective, or this where there is none. */
const CLASS_STEP_SHARE = 0.25;
const CLASS_STEP_MS = 250;

/** Executors a request may lose before it is answered with an error. */
const LOST_MAX = 2;

/** Longest time a refused request is told to stay away. */
const DRAIN_MS_MAX = 60_000;

/** Weight of the newest batch in the mean time that a batch takes besides the run itself. */
const NEWEST_WEIGHT = 0.1;

/**
 * The scheduler of one model version: which requests run together, where and when, and which are refused. It is a
 * state machine without timers, threads or promises: events come in as calls, what is to be done goes out through
 * `BatcherActions`, and time comes from `clock`. So it is simulated, property-tested and replayed as it is.
 *
 * - It counts rows, and batches only what is equal in `bucket`.
 * - A batch leaves when an executor is free, with whatever waits by then: no timer, unless `delayMs` asks for one.
 *   While the executors are busy the next batch grows by itself.
 * - Earliest deadline first, see `BatchItem.orderMs`.
 * - Who could not be answered in time is refused on arrival, before it costs anything. Who is late nevertheless is
 *   dropped when its batch is to leave. A batch is never made smaller to save its first request: that spiral
 *   ends with batches of one and no throughput. Who waits alone always runs, so a wrong prediction cannot last.
 * - A batch that fails is run again in halves until what fails stands alone.
 */
export class Batcher<T> {
  readonly journal = new BatchJournal();
  readonly executors = new ExecutorStates<T>();
  readonly buckets: Buckets<T>;
  readonly #options: BatcherOptions<T>;
  readonly #actions: BatcherActions<T>;
  readonly #clock: Pick<Clock, "nowMs" | "wallMs">;
  /** Leave before anything else. */
  readonly #retries = new Retries<T>();
  readonly #backlog = new Backlog();
  #itemCount = 0;
  #bytes = 0;
  #sequence = 0;
  #batchCount = 0;
  /** Mean time from leaving to the outputs, beside the run. */
  #overheadMs = 0;
  #isPollDue = false;
  #hasSeenUrgent = false;
  #isClosed = false;
  /** Earliest moment at which something that waits or runs may expire; never too late. */
  #nextExpiryMs = Infinity;
  #pollAtMs = Infinity;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
    this.#actions = options.actions;
    this.#clock = options.clock;
    const { rowsMax, objectiveMs = Infinity } = options;
    const runMsMax = Math.min(options.runMsMax, RUN_SHARE * objectiveMs);
    this.buckets = new Buckets({ rowsMax, runMsMax });
  }

  /** Rows that wait. */
  get waitingRows(): number {
    return this.#backlog.rows;
  }

  /** Requests that wait or run. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** Memory of the requests that wait or run. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Teaches the latency model of a bucket before the first request, as a warm-up measured it. */
  learn(bucket: string, rows: number, tookMs: number): void {
    const { model, cap } = this.buckets.use(bucket);
    model.teach(rows, tookMs);
    cap.reconsider();
  }

  /** A request comes. @returns its place in the scheduler, or why it has none. */
  arrive(arrival: Arrival<T>): BatchItem<T> | Refusal {
    const nowMs = this.#clock.nowMs();
    const { objectiveMs } = this.#options;
    const objectiveAtMs =
      objectiveMs === undefined
        ? arrival.deadlineAtMs
        : Math.min(arrival.deadlineAtMs, arrival.receivedMs + objectiveMs);
    const bucket = this.buckets.use(arrival.bucket);
    const reason = this.#whyNot(arrival, objectiveAtMs, bucket, nowMs);
    if (reason !== undefined) {
      this.journal.dropped(reason);
      return { reason, retryAfterMs: this.#drainMs(nowMs) };
    }
    const capRows = bucket.cap.rows;
    const rowCostMs = bucket.model.expectMs(capRows) / capRows;
    const sequence = this.#sequence++;
    if (arrival.priority === 1) this.#hasSeenUrgent = true;
    const classStepMs = objectiveMs === undefined ? CLASS_STEP_MS : objectiveMs * CLASS_STEP_SHARE;
    const item = new BatchItem(arrival, { objectiveAtMs, rowCostMs, classStepMs, sequence });
    bucket.add(item);
    this.#backlog.add(item, item.rows);
    this.#itemCount++;
    this.#bytes += item.bytes;
    if (item.deadlineAtMs < this.#nextExpiryMs) {
      this.#nextExpiryMs = item.deadlineAtMs;
      this.#wakeAt(item.deadlineAtMs);
    }
    const mayGoAhead = this.executors.hasRoomAhead && bucket.rows >= bucket.cap.rows;
    if (this.executors.hasFree || mayGoAhead) this.pollSoon();
    return item;
  }

  /**
   * Would a request that is allowed `allowedMs` be refused now for what waits, whatever it holds? For front ends that
   * ask before they read a body. Where urgent requests occur, the body has to tell.
   */
  isTooLate(allowedMs: number): boolean {
    if (this.#itemCount === 0 || this.#hasSeenUrgent) return false;
    const { objectiveMs = Infinity } = this.#options;
    const waitMs = this.executors.readyInMs(this.#clock.nowMs(), this.#backlog.msAhead(2));
    return waitMs > QUEUE_SHARE * Math.min(allowedMs, objectiveMs);
  }

  /** The client has gone: the request frees its place now; a run it is in goes on without it. */
  cancel(item: BatchItem<T>): void {
    if (item.isGone) return;
    this.journal.dropped("cancelled");
    this.#forget(item);
  }

  /** An executor is ready for batches. @param depth batches it may hold at a time: one that runs, others sent ahead. */
  executorUp(executor: number, depth: number): void {
    this.executors.up(executor, depth);
    if (this.#backlog.rows > 0 || !this.#retries.isEmpty) this.pollSoon();
  }

  /**
   * An executor has died. What it ran is run again elsewhere or when it is back, once.
   * @param backAtMs when it is expected back; Infinity when it is not.
   * @param canRunAgain false for a batch that must not: all in it are answered now.
   */
  executorDown(
    executor: number,
    backAtMs: number,
    canRunAgain: (batch: Batch<T>) => boolean = () => true,
  ): void {
    const nowMs = this.#clock.nowMs();
    const batches = this.executors.down(executor, backAtMs);
    const items = new Set(batches.flatMap(({ slices }) => slices.map(({ item }) => item)));
    for (const item of items) item.lostCount++;
    for (const batch of batches) {
      const isLast = !canRunAgain(batch);
      for (const { item } of batch.slices) {
        if (isLast || item.lostCount >= LOST_MAX) this.#drop(item, "executor_lost");
      }
    }
    for (const batch of batches) {
      this.#record(batch, nowMs - batch.leftAtMs, "lost");
      this.#retries.add(batch.slices);
    }
    if (this.executors.isHopeless) this.dropAll("executor_lost");
    this.pollSoon();
  }

  /** @param runMs time of the run itself, in milliseconds. */
  batchDone(batch: Batch<T>, runMs: number): void {
    const nowMs = this.#clock.nowMs();
    const tookMs = nowMs - this.executors.finish(batch, nowMs);
    this.#overheadMs += NEWEST_WEIGHT * (Math.max(0, tookMs - runMs) - this.#overheadMs);
    const bucket = this.buckets.find(batch.bucket);
    bucket?.model.observe(batch.rows, runMs);
    bucket?.cap.observe(batch.rows, runMs);
    this.#record(batch, tookMs, "ok");
    let offset = 0;
    for (const slice of batch.slices) {
      const { item } = slice;
      if (!item.isGone) {
        item.answeredRows += slice.rows;
        const isLast = item.answeredRows === item.rows;
        if (isLast) this.#forget(item);
        this.#actions.answer(slice, offset, isLast);
      }
      offset += slice.rows;
    }
  }

  /** The run threw. @param cause what it threw. */
  batchFailed(batch: Batch<T>, cause: unknown): void {
    const nowMs = this.#clock.nowMs();
    this.#record(batch, nowMs - this.executors.finish(batch, nowMs), "failed");
    const slices = batch.slices.filter((slice) => !slice.item.isGone);
    const [first] = slices;
    if (batch.slices.length === 1) {
      if (first !== undefined) this.#drop(first.item, "model_failed", cause);
      return;
    }
    this.journal.bisected();
    this.#retries.addHalves(slices);
  }

  /** Polls once everything is read that has arrived by now. */
  pollSoon(): void {
    if (this.#isPollDue) return;
    this.#isPollDue = true;
    this.#actions.pollSoon();
  }

  /** Lets batches leave and drops what is late. Call it when asked to, and after each batch. */
  poll(): void {
    this.#isPollDue = false;
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#pollAtMs) this.#pollAtMs = Infinity;
    if (nowMs >= this.#nextExpiryMs) this.#dropExpired(nowMs);
    while (this.executors.hasFree && this.#leave(this.executors.free(), nowMs));
    if (this.executors.hasRoomAhead) this.#sendAhead(nowMs);
    if (this.#nextExpiryMs < this.#pollAtMs) this.#wakeAt(this.#nextExpiryMs);
  }

  /** Takes no more requests; those that are here are served. */
  close(): void {
    this.#isClosed = true;
  }

  /** Drops every request that is still here. */
  dropAll(reason: "shutdown" | "executor_lost" = "shutdown"): void {
    for (const item of this.#snapshot()) this.#drop(item, reason);
  }

  #whyNot(
    arrival: Arrival<T>,
    objectiveAtMs: number,
    bucket: Bucket<T>,
    nowMs: number,
  ): DropReason | undefined {
    const { receivedMs, deadlineAtMs, rows, bytes } = arrival;
    const { queuedRowsMax, queuedBytesMax, budget } = this.#options;
    if (this.#isClosed) return "shutdown";
    if (nowMs >= deadlineAtMs) return "expired";
    const isAlone = this.#itemCount === 0;
    // Who comes to an empty model is taken even if it should be late: somebody has to find out.
    if (!isAlone || !this.executors.hasUp) {
      const companyRows = this.#companyRows(arrival, bucket);
      const waitMs = this.#waitMs(arrival, companyRows, bucket, nowMs);
      const runMs = bucket.model.predictMs(companyRows + rows);
      const finishMs = waitMs + runMs + this.#overheadMs;
      if (
        finishMs > TIME_SHARE * (objectiveAtMs - nowMs) ||
        waitMs > QUEUE_SHARE * (objectiveAtMs - receivedMs)
      ) {
        if (!this.executors.hasUp) return "executor_lost";
        const isTooShort = bucket.model.predictMs(rows) > deadlineAtMs - nowMs;
        return isTooShort ? "deadline_too_short" : "predicted_deadline";
      }
      if (!isAlone && this.#backlog.rows + rows > queuedRowsMax) return "queue_rows";
      if (!isAlone && this.#bytes + bytes > queuedBytesMax) return "queue_bytes";
    }
    return budget.take(bytes) ? undefined : "memory";
  }

  /** Rows of its own bucket that leave together with a request: those that do not fill a batch, if it fits in. */
  #companyRows({ rows, priority }: Arrival<T>, bucket: Bucket<T>): number {
    const waitingRows = bucket.rowsAhead(priority) % bucket.cap.rows;
    return waitingRows + rows > bucket.cap.rows ? 0 : waitingRows;
  }

  /** Time until a request would leave that is joined by `companyRows` of those that wait. */
  #waitMs({ priority }: Arrival<T>, companyRows: number, bucket: Bucket<T>, nowMs: number): number {
    const capRows = bucket.cap.rows;
    const companyMs = (companyRows * bucket.model.expectMs(capRows)) / capRows;
    const waitingMs = Math.max(0, this.#backlog.msAhead(priority) - companyMs);
    return this.executors.readyInMs(nowMs, waitingMs);
  }

  /** Time until what is here now is done, as far as one can tell. */
  #drainMs(nowMs: number): number {
    return Math.min(DRAIN_MS_MAX, this.executors.readyInMs(nowMs, this.#backlog.msAhead(3)));
  }

  /** Sends the next batch to `executor`. @returns false when there is none. */
  #leave(executor: number, nowMs: number): boolean {
    const retry = this.#retries.next();
    if (retry !== undefined) {
      this.#run(retry, executor, "retry", nowMs);
      return true;
    }
    const bucket = this.#nextBucket(nowMs);
    if (bucket === undefined) return false;
    this.#dropLate(bucket, nowMs);
    const reason = this.#leaveReason(bucket, nowMs);
    this.#run(this.#take(bucket), executor, reason, nowMs);
    return true;
  }

  /**
   * A full batch does not get better by waiting: it may stand ready at an executor that is still busy. A thread then
   * has no pause between two runs; on the serving loop several short runs share a turn, which spares the others.
   */
  #sendAhead(nowMs: number): void {
    for (const executor of this.executors.withRoomAhead()) {
      while (this.executors.hasRoom(executor) && this.#sendOneAhead(executor, nowMs));
    }
  }

  /** @returns false when no full batch is there, or it would hold the executor for too long. */
  #sendOneAhead(executor: number, nowMs: number): boolean {
    const bucket = this.#nextBucket(nowMs);
    if (bucket === undefined) return false;
    this.#dropLate(bucket, nowMs);
    const capRows = bucket.cap.rows;
    const aheadMs = bucket.model.expectMs(capRows) * (this.executors.batchCount(executor) + 1);
    if (bucket.rows < capRows || aheadMs > this.#options.runMsMax) return false;
    this.#run(this.#take(bucket), executor, "full", nowMs);
    return true;
  }

  #run(
    slices: readonly BatchSlice<T>[],
    executor: number,
    reason: LeaveReason,
    nowMs: number,
  ): void {
    let rows = 0;
    let oldestMs = Infinity;
    for (const slice of slices) {
      rows += slice.rows;
      oldestMs = Math.min(oldestMs, slice.item.receivedMs);
    }
    const bucket = (slices[0] as BatchSlice<T>).item.bucket;
    const model = this.buckets.find(bucket)?.model;
    const batch: Batch<T> = {
      id: this.#batchCount++,
      executor,
      bucket,
      slices,
      rows,
      reason,
      headAgeMs: nowMs - oldestMs,
      leftAtMs: nowMs,
      predictedMs: (model?.predictMs(rows) ?? 0) + this.#overheadMs,
    };
    this.journal.left(reason);
    this.executors.start(batch);
    this.#actions.run(batch);
  }

  /** The bucket whose first request is most urgent, the fuller of equals, that need not wait for company. */
  #nextBucket(nowMs: number): Bucket<T> | undefined {
    let best: Bucket<T> | undefined;
    let bestMs = Infinity;
    for (const bucket of this.buckets) {
      const first = bucket.rows === 0 ? undefined : bucket.first();
      if (first === undefined) continue;
      const leaveAtMs = this.#leaveAtMs(bucket, first);
      if (leaveAtMs > nowMs) {
        if (leaveAtMs < this.#pollAtMs) this.#wakeAt(leaveAtMs);
        continue;
      }
      const latestMs =
        first.orderMs - bucket.model.predictMs(Math.min(bucket.rows, bucket.cap.rows));
      if (latestMs > bestMs || (latestMs === bestMs && bucket.rows <= (best?.rows ?? 0))) continue;
      best = bucket;
      bestMs = latestMs;
    }
    return best;
  }

  /** Until when the first request of a bucket may wait for company. */
  #leaveAtMs(bucket: Bucket<T>, first: BatchItem<T>): number {
    const { delayMs } = this.#options;
    if (delayMs === 0 || bucket.rows >= bucket.cap.rows) return 0;
    const endMs = first.receivedMs + TIME_SHARE * (first.objectiveAtMs - first.receivedMs);
    const latestMs = endMs - bucket.model.predictMs(bucket.rows) - this.#overheadMs;
    return Math.min(first.receivedMs + delayMs, latestMs);
  }

  #leaveReason(bucket: Bucket<T>, nowMs: number): LeaveReason {
    const { delayMs } = this.#options;
    if (bucket.rows >= bucket.cap.rows) return "full";
    const first = bucket.first();
    if (delayMs > 0 && first !== undefined) {
      return nowMs >= first.receivedMs + delayMs ? "delay" : "deadline";
    }
    return this.#backlog.rows > bucket.rows ? "shape" : "idle";
  }

  /** Takes as many requests as fit, in order; the first one always, in a part where it alone is too large. */
  #take(bucket: Bucket<T>): BatchSlice<T>[] {
    const { rowsMax, runMsMax } = this.#options;
    let room = bucket.cap.rows;
    // On the serving loop even one large request must not hold it for long.
    const partMax = runMsMax === Infinity ? rowsMax : Math.min(room, rowsMax);
    const slices: BatchSlice<T>[] = [];
    for (let item = bucket.first(); item !== undefined; item = bucket.first()) {
      const left = item.rows - item.sentRows;
      const rows = slices.length === 0 ? Math.min(left, partMax) : left;
      if (slices.length > 0 && rows > room) break;
      slices.push({ item, fromRow: item.sentRows, rows });
      bucket.send(item, rows);
      this.#backlog.add(item, -rows);
      room -= rows;
    }
    return slices;
  }

  /** Drops first requests that a batch leaving now would answer too late, unless nobody waits behind them. */
  #dropLate(bucket: Bucket<T>, nowMs: number): void {
    for (let first = bucket.first(); first !== undefined; first = bucket.first()) {
      const rows = Math.min(bucket.rows, bucket.cap.rows);
      const finishAtMs = nowMs + bucket.model.predictMs(rows) + this.#overheadMs;
      if (finishAtMs <= first.objectiveAtMs || bucket.waiting === 1) return;
      this.#drop(first, "early_drop");
    }
  }

  #dropExpired(nowMs: number): void {
    let nextMs = Infinity;
    for (const item of this.#snapshot()) {
      if (nowMs >= item.deadlineAtMs) this.#drop(item, "expired");
      else nextMs = Math.min(nextMs, item.deadlineAtMs);
    }
    this.#nextExpiryMs = nextMs;
  }

  /** Everything that waits or runs, as it is now; what runs in parts several times. */
  #snapshot(): BatchItem<T>[] {
    return [...this.#items()];
  }

  *#items(): Iterable<BatchItem<T>> {
    for (const bucket of this.buckets) yield* bucket.items();
    yield* this.#retries.items();
    for (const batch of this.executors.running()) {
      for (const { item } of batch.slices) if (!item.isGone) yield item;
    }
  }

  #drop(item: BatchItem<T>, reason: DropReason, cause?: unknown): void {
    if (item.isGone) return;
    this.journal.dropped(reason);
    this.#forget(item);
    const retryAfterMs = this.#drainMs(this.#clock.nowMs());
    this.#actions.drop(item, { reason, retryAfterMs }, cause);
  }

  #forget(item: BatchItem<T>): void {
    item.isGone = true;
    this.#backlog.add(item, item.sentRows - item.rows);
    this.buckets.find(item.bucket)?.drop(item);
    this.#itemCount--;
    this.#bytes -= item.bytes;
    this.#options.budget.give(item.bytes);
  }

  #record(batch: Batch<T>, actualMs: number, outcome: BatchOutcome): void {
    this.journal.ended({
      endedAtMs: this.#clock.wallMs(),
      rows: batch.rows,
      requests: batch.slices.length,
      bucket: batch.bucket,
      reason: batch.reason,
      headAgeMs: batch.headAgeMs,
      predictedMs: batch.predictedMs,
      actualMs,
      executor: batch.executor,
      outcome,
    });
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#pollAtMs) return;
    this.#pollAtMs = atMs;
    this.#actions.pollAt(atMs);
  }
}
