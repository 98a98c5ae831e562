import type { Clock } from "../core/clock.ts";
import type { MillraceError } from "../core/errors.ts";
import type { LoadedModel } from "../ports/runtime.ts";

/** Wait before an executor that died is started again; it doubles with every death in a row. */
const RESTART_MS = 100;
const RESTART_MS_MAX = 30_000;

/** An executor that has lived this long starts from the first wait again. */
const STABLE_MS = 60_000;

/** Abandoned executors that are replaced, at a time: the thread of each keeps a core and its memory. */
const ABANDONED_MAX = 2;

export interface ExecutorEvents {
  /** An executor may be used, for the first time or again. */
  up(index: number): void;
  /**
   * An executor died, or was abandoned.
   * @param backAtMs when it is expected back, on the clock's `nowMs`; Infinity when an abandoned one must end first.
   */
  down(index: number, backAtMs: number, reason: MillraceError): void;
  /** It died and did not start again; another try follows at `backAtMs`. */
  restartFailed(index: number, backAtMs: number, reason: unknown): void;
}

interface Executor {
  model: LoadedModel | undefined;
  startedMs: number;
  restarts: number;
  /** Is it not started again before an abandoned one has ended? */
  isHeld: boolean;
}

/** The copies of a model that run side by side. One that dies is started again, ever more patiently. */
export class ExecutorPool {
  readonly #clock: Clock;
  readonly #events: ExecutorEvents;
  readonly #start: () => Promise<LoadedModel>;
  readonly #executors: Executor[];
  #isClosed = false;
  #abandonedCount = 0;
  /** Time the last start took. */
  #startMs = 0;

  /**
   * @param models running already, at least one.
   * @param start makes another one of the same.
   */
  constructor(
    models: readonly LoadedModel[],
    options: {
      readonly clock: Clock;
      readonly events: ExecutorEvents;
      readonly start: () => Promise<LoadedModel>;
    },
  ) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#start = options.start;
    this.#executors = models.map(() => ({
      model: undefined,
      startedMs: 0,
      restarts: 0,
      isHeld: false,
    }));
    for (const [index, model] of models.entries()) this.#use(index, model);
  }

  /** @returns undefined while it is down. */
  model(index: number): LoadedModel | undefined {
    return this.#executors[index]?.model;
  }

  get count(): number {
    return this.#executors.length;
  }

  /**
   * Gives up an executor whose run does not end, and starts another. Its thread cannot be stopped from outside
   * without harm to the process: it is left behind, and frees its memory when the run ends after all.
   */
  abandon(index: number, reason: MillraceError): void {
    const executor = this.#executors[index] as Executor;
    const { model } = executor;
    if (model === undefined || this.#isClosed) return;
    this.#takeDown(executor);
    executor.isHeld = this.#abandonedCount >= ABANDONED_MAX;
    this.#abandonedCount++;
    const ended = (): void => this.#abandonedEnded();
    void model.close().then(ended, ended);
    this.#events.down(index, executor.isHeld ? Infinity : this.#scheduleRestart(index), reason);
  }

  /** Frees every copy that is not abandoned. The caller has waited for all runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#executors.map(async ({ model }) => model?.close()));
  }

  #abandonedEnded(): void {
    this.#abandonedCount--;
    const index = this.#executors.findIndex(({ isHeld }) => isHeld);
    if (index === -1 || this.#isClosed) return;
    (this.#executors[index] as Executor).isHeld = false;
    this.#scheduleRestart(index);
  }

  #use(index: number, model: LoadedModel): void {
    const executor = this.#executors[index] as Executor;
    executor.model = model;
    executor.startedMs = this.#clock.nowMs();
    model.onLost((reason) => {
      if (this.#isClosed || executor.model !== model) return;
      this.#takeDown(executor);
      this.#events.down(index, this.#scheduleRestart(index), reason);
    });
  }

  #takeDown(executor: Executor): void {
    executor.model = undefined;
    if (this.#clock.nowMs() - executor.startedMs > STABLE_MS) executor.restarts = 0;
  }

  /** @returns when it is expected back. */
  #scheduleRestart(index: number): number {
    const executor = this.#executors[index] as Executor;
    const waitMs = Math.min(RESTART_MS * 2 ** executor.restarts, RESTART_MS_MAX);
    executor.restarts++;
    this.#clock.schedule(waitMs, () => void this.#restart(index));
    return this.#clock.nowMs() + waitMs + this.#startMs;
  }

  async #restart(index: number): Promise<void> {
    if (this.#isClosed) return;
    const beganMs = this.#clock.nowMs();
    try {
      const model = await this.#start();
      this.#startMs = this.#clock.nowMs() - beganMs;
      if (this.#isClosed) return await model.close();
      this.#use(index, model);
      this.#events.up(index);
    } catch (error) {
      if (!this.#isClosed) this.#events.restartFailed(index, this.#scheduleRestart(index), error);
    }
  }
}
