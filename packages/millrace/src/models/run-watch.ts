import type { Batch } from "../core/batch/batch.ts";
import type { ExecutorStates } from "../core/batch/executor-states.ts";
import type { Clock } from "../core/clock.ts";

/** A run is given up when it takes longer than this, and so many times longer than predicted. */
const RUN_MS_MAX = 30_000;
const PREDICTIONS_MAX = 20;

/** Time between two looks while anything runs. */
const LOOK_MS = 1_000;

export interface RunWatchOptions<T> {
  readonly clock: Clock;
  readonly executors: Pick<ExecutorStates<T>, "computing">;
  /** Called once for each run that is given up; it takes the executor down. */
  readonly onHung: (batch: Batch<T>, ranMs: number) => void;
}

/**
 * Finds runs that do not end, which would keep their executor from everybody else.
 *
 * A run is given up only when two looks have found it overdue: if the whole process stood still, its answer may be
 * waiting to be read. One that cannot be predicted yet is not overdue while somebody waits for its answer.
 */
export class RunWatch<T> {
  readonly #options: RunWatchOptions<T>;
  #suspects: ReadonlySet<Batch<T>> = new Set();
  #isLooking = false;
  #cancelLook: () => void = () => undefined;

  constructor(options: RunWatchOptions<T>) {
    this.#options = options;
  }

  /** A run begins. */
  start(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookLater();
  }

  stop(): void {
    this.#isLooking = false;
    this.#cancelLook();
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.schedule(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { clock, executors, onHung } = this.#options;
    const nowMs = clock.nowMs();
    const running = [...executors.computing()];
    const overdue = running.filter(({ batch, startedMs }) => isOverdue(batch, nowMs - startedMs));
    const suspects = this.#suspects;
    this.#suspects = new Set(overdue.map(({ batch }) => batch));
    // Before anybody is told: who takes an executor down may let the next run start.
    if (running.length === 0) this.#isLooking = false;
    else this.#lookLater();
    for (const { batch, startedMs } of overdue) {
      if (suspects.has(batch)) onHung(batch, nowMs - startedMs);
    }
  }
}

function isOverdue<T>({ predictedMs, slices }: Batch<T>, ranMs: number): boolean {
  if (ranMs <= Math.max(RUN_MS_MAX, PREDICTIONS_MAX * predictedMs)) return false;
  return predictedMs > 0 || slices.every(({ item }) => item.isGone);
}
