import type { Host, Policy } from "./simulate.ts";
import { meanRunMs, type SimulatedModel, type Workload } from "./workload.ts";

/** What a rule decides on. */
export interface QueueView {
  readonly model: SimulatedModel;
  readonly nowMs: number;
  /** Requests that wait. */
  readonly rows: number;
  readonly headAgeMs: number;
  readonly newestAgeMs: number;
  /** Expected rest of the run; 0 when the executor is free. */
  readonly runningMs: number;
}

/** What a policy with one queue does; it knows the model's mean times exactly. */
export interface FifoRule {
  /** Is a request taken that comes now? */
  admits(queue: QueueView): boolean;
  /** The executor is free: is the first request given up? */
  dropsFirst(queue: QueueView): boolean;
  /** The executor is free: rows to run now, 0 to wait. */
  rowsToRun(queue: QueueView): number;
  /** Time after which a rule that waits is asked again. */
  waitMs(queue: QueueView): number;
  /** A batch leaves. */
  left?(rows: number, meanQueueMs: number): void;
}

/** One queue in order of arrival. */
export class FifoPolicy implements Policy {
  readonly #host: Host;
  readonly #model: SimulatedModel;
  readonly #rule: FifoRule;
  #waiting: number[] = [];
  #arrivedMs: number[] = [];
  /** Where the queue begins in both arrays. */
  #head = 0;
  #running: readonly number[] = [];
  #runEndMs = 0;

  constructor(host: Host, { model }: Workload, rule: FifoRule) {
    this.#host = host;
    this.#model = model;
    this.#rule = rule;
  }

  arrive(request: number): void {
    if (!this.#rule.admits(this.#view())) return;
    this.#waiting.push(request);
    this.#arrivedMs.push(this.#host.nowMs());
    this.#decide();
  }

  runEnded(): void {
    for (const request of this.#running) this.#host.answer(request);
    this.#running = [];
    this.#decide();
  }

  wake(): void {
    this.#decide();
  }

  #decide(): void {
    if (this.#running.length > 0) return;
    while (this.#size > 0 && this.#rule.dropsFirst(this.#view())) this.#take(1);
    if (this.#size === 0) return;
    const view = this.#view();
    const rows = this.#rule.rowsToRun(view);
    if (rows === 0) {
      this.#host.wakeAt(view.nowMs + this.#rule.waitMs(view));
      return;
    }
    if (this.#rule.left !== undefined) {
      let queueMs = 0;
      for (let i = 0; i < rows; i++) queueMs += view.nowMs - this.#arrivedAt(i);
      this.#rule.left(rows, queueMs / rows);
    }
    this.#running = this.#take(rows);
    this.#runEndMs = view.nowMs + meanRunMs(this.#model, rows);
    this.#host.run(rows);
  }

  get #size(): number {
    return this.#waiting.length - this.#head;
  }

  #arrivedAt(index: number): number {
    return this.#arrivedMs[this.#head + index] ?? NaN;
  }

  #view(): QueueView {
    const nowMs = this.#host.nowMs();
    const rows = this.#size;
    return {
      model: this.#model,
      nowMs,
      rows,
      headAgeMs: rows === 0 ? 0 : nowMs - this.#arrivedAt(0),
      newestAgeMs: rows === 0 ? 0 : nowMs - this.#arrivedAt(rows - 1),
      runningMs: this.#running.length === 0 ? 0 : Math.max(0, this.#runEndMs - nowMs),
    };
  }

  #take(rows: number): number[] {
    const taken = this.#waiting.slice(this.#head, this.#head + rows);
    this.#head += rows;
    if (this.#head > 10_000) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#arrivedMs = this.#arrivedMs.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
