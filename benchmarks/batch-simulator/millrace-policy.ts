import type {
  Batch,
  BatchItem,
  BatchSlice,
  Refusal,
} from "../../packages/millrace/src/core/batch/batch.ts";
import { Batcher } from "../../packages/millrace/src/core/batch/batcher.ts";
import type { BatcherActions } from "../../packages/millrace/src/core/batch/batcher-options.ts";
import { ByteBudget } from "../../packages/millrace/src/core/batch/byte-budget.ts";
import type { Host, Policy } from "./simulate.ts";
import type { Workload } from "./workload.ts";

/** What a client waits at most; far more than the objective, so that only the objective decides. */
const TIMEOUT_MS = 30_000;

/** The scheduler of the server, as it is. It learns how long runs take; nobody tells it. */
export class MillracePolicy implements Policy, BatcherActions<number> {
  readonly #host: Host;
  readonly #batcher: Batcher<number>;
  #running: Batch<number> | undefined;
  #isPollDue = false;

  constructor(host: Host, { model }: Workload) {
    this.#host = host;
    this.#batcher = new Batcher<number>({
      clock: { nowMs: () => host.nowMs(), wallMs: () => host.nowMs() },
      actions: this,
      budget: new ByteBudget(1e9),
      rowsMax: model.rowsMax,
      delayMs: 0,
      objectiveMs: model.sloMs,
      runMsMax: Infinity,
      queuedRowsMax: 100_000,
      queuedBytesMax: 1e9,
    });
    // As the warm-up of a model does.
    for (let rows = 1; rows <= model.rowsMax; rows *= 2) {
      this.#batcher.learn("", rows, model.perRowMs * rows + model.fixedMs);
    }
    this.#batcher.executorUp(0, 1);
    this.#pollIfDue();
  }

  arrive(request: number): void {
    const receivedMs = this.#host.nowMs();
    this.#batcher.arrive({
      request,
      rows: 1,
      bytes: 16,
      bucket: "",
      priority: 2,
      receivedMs,
      deadlineAtMs: receivedMs + TIMEOUT_MS,
    });
    this.#pollIfDue();
  }

  runEnded(runMs: number): void {
    const batch = this.#running;
    this.#running = undefined;
    if (batch !== undefined) this.#batcher.batchDone(batch, runMs);
    this.#batcher.poll();
    this.#pollIfDue();
  }

  wake(): void {
    this.#batcher.poll();
  }

  run(batch: Batch<number>): void {
    this.#running = batch;
    this.#host.run(batch.rows);
  }

  answer({ item }: BatchSlice<number>): void {
    this.#host.answer(item.request);
  }

  drop(_item: BatchItem<number>, _drop: Refusal): void {
    // Who is not answered is counted by the simulation.
  }

  pollSoon(): void {
    this.#isPollDue = true;
  }

  pollAt(atMs: number): void {
    this.#host.wakeAt(atMs);
  }

  #pollIfDue(): void {
    if (!this.#isPollDue) return;
    this.#isPollDue = false;
    this.#batcher.poll();
  }
}
