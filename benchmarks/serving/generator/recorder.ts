import { percentilesOf } from "../../percentiles.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";

/** Counts what becomes of each request that is due within the measured time. */
export class Recorder {
  readonly startMs = performance.now();
  readonly fromMs: number;
  readonly toMs: number;
  readonly #inTimeMs: number;
  readonly #latenciesMs: number[] = [];
  readonly #refusedMs: number[] = [];
  readonly #lagsMs: number[] = [];
  readonly #statuses: Record<string, number> = {};
  #due = 0;
  #okInTime = 0;
  #failed = 0;
  #missed = 0;
  #abandoned = 0;
  #answersInAll = 0;

  constructor({ warmupMs, durationMs, inTimeMs }: LoadPlan) {
    this.fromMs = this.startMs + warmupMs;
    this.toMs = this.fromMs + durationMs;
    this.#inTimeMs = inTimeMs;
  }

  due(dueMs: number, nowMs: number): void {
    if (!this.#isMeasured(dueMs)) return;
    this.#due++;
    this.#lagsMs.push(nowMs - dueMs);
  }

  replied(dueMs: number, status: number, nowMs: number): void {
    this.#answersInAll++;
    if (!this.#isMeasured(dueMs)) return;
    const takenMs = nowMs - dueMs;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status === 200) {
      this.#latenciesMs.push(takenMs);
      if (takenMs <= this.#inTimeMs) this.#okInTime++;
    } else if (status === 503 || status === 429) {
      this.#refusedMs.push(takenMs);
    } else {
      this.#failed++;
    }
  }

  failed(dueMs: number): void {
    if (this.#isMeasured(dueMs)) this.#failed++;
  }

  missed(dueMs: number): void {
    if (this.#isMeasured(dueMs)) this.#missed++;
  }

  abandoned(dueMs: number): void {
    if (this.#isMeasured(dueMs)) this.#abandoned++;
  }

  result(generator: Pick<LoadResult, "generatorBusy" | "connectionsPeak">): LoadResult {
    const [ok, refused] = [this.#latenciesMs.length, this.#refusedMs.length];
    const settled = ok + refused + this.#failed + this.#missed + this.#abandoned;
    return {
      due: this.#due,
      ok,
      okInTime: this.#okInTime,
      refused,
      failed: this.#failed,
      statuses: this.#statuses,
      missed: this.#missed,
      abandoned: this.#abandoned,
      unanswered: this.#due - settled,
      answersInAll: this.#answersInAll,
      okPerSecond: (ok * 1000) / (this.toMs - this.fromMs),
      latencyMs: percentilesOf(this.#latenciesMs),
      refusedMs: percentilesOf(this.#refusedMs),
      lagMs: percentilesOf(this.#lagsMs),
      ...generator,
    };
  }

  #isMeasured(dueMs: number): boolean {
    return dueMs >= this.fromMs && dueMs < this.toMs;
  }
}
