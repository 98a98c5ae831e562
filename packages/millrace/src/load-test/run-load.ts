import { LoadWorker } from "./load-worker.ts";
import type { LoadPlan } from "./load-plan.ts";
import type { ResultBlock } from "./result-block.ts";
import { threadsOf } from "./share-plan.ts";
import type { StartCounts } from "./thread-messages.ts";

/** From the order to begin to the first start: it reaches every thread in the meantime. */
const BEGIN_MS = 20;

export interface RunLoadOptions {
  /**
   * Ends the run at once; what has been measured until then stays. A plan without an end is over then: nothing more is
   * started, and the answers to what was sent are waited for, so that those that are slow or never come are counted.
   */
  readonly signal?: AbortSignal;
  /** Called when all threads have their connections, with the time at which the measured time begins, also when that is still to come. */
  onBegin?(startedAtMs: number): void;
  /**
   * Called with the results in the order each thread made them. While a promise is not kept, further blocks wait, up
   * to BLOCKS_WAITING_MAX of each thread.
   * @param startedAtMs begin of the measured time, in ms since 1970.
   */
  onBlock(block: ResultBlock, startedAtMs: number): void | Promise<void>;
}

/** What a run was, as a whole. Times in ms since the begin of the measured time. */
export interface RunFacts {
  /** Begin of the measured time, in ms since 1970, with fractions. */
  readonly startedAtMs: number;
  /** How long starts fell due: that of the plan, or until the interruption; 0 when that was in the warm-up. */
  readonly durationMs: number;
  /** When the last answer was there, or nothing was waited for any more. */
  readonly endedMs: number;
  /** The signal came before the time was over; a plan without an end is never interrupted. */
  readonly isInterrupted: boolean;
  /** `due − sent − dropped` never got their turn: the generator was too slow. */
  readonly starts: StartCounts;
  /** Those that ran; a thread without a client or a connection has nothing to do. */
  readonly threads: number;
}

/**
 * Carries out a plan with its threads, which begin together, and hands over what they measure.
 * @throws LoadInputError when the plan cannot be followed or nobody answers at its address; Error when a thread fails.
 */
export async function runLoad(plan: LoadPlan, options: RunLoadOptions): Promise<RunFacts> {
  const run = new LoadRun(plan, options);
  try {
    return await run.run();
  } finally {
    await run.end();
  }
}

class LoadRun {
  readonly #plan: LoadPlan;
  readonly #options: RunLoadOptions;
  readonly #workers: readonly LoadWorker[];
  readonly #interruption = Promise.withResolvers<void>();
  readonly #interrupt = (): void => this.#interrupted();
  /** On the clock of performance.now(). */
  #interruptedMs = Infinity;
  #startedAtMs = Date.now();
  /** Kept when every block so far has been taken. */
  #taken: Promise<void> = Promise.resolve();

  constructor(plan: LoadPlan, options: RunLoadOptions) {
    this.#plan = plan;
    this.#options = options;
    const threads = threadsOf(plan);
    this.#workers = Array.from(
      { length: threads },
      (_, thread) => new LoadWorker({ plan, thread, threads }, (block) => this.#take(block)),
    );
  }

  async run(): Promise<RunFacts> {
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#interrupt);
    if (signal?.aborted === true) this.#interrupt();
    const ready = Promise.all(this.#workers.map((worker) => worker.ready));
    await Promise.race([ready, this.#interruption.promise]);
    if (this.#isInterrupted()) return this.#facts([], performance.now());
    const zeroMs = this.#begin();
    void this.#interruption.promise.then(() => {
      const isOver = this.#plan.durationMs === Infinity;
      for (const worker of this.#workers) {
        if (isOver) worker.finish();
        else worker.stop();
      }
    });
    const starts = await Promise.all(this.#workers.map((worker) => worker.done));
    await this.#taken;
    return this.#facts(starts, zeroMs);
  }

  async end(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#interrupt);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #interrupted(): void {
    this.#interruptedMs = performance.now();
    this.#interruption.resolve();
  }

  #isInterrupted(): boolean {
    return this.#interruptedMs < Infinity;
  }

  /** @returns begin of the measured time on the clock of performance.now(). */
  #begin(): number {
    const delayMs = BEGIN_MS + this.#plan.warmupMs;
    const zeroNs = process.hrtime.bigint() + BigInt(Math.round(delayMs * 1e6));
    const zeroMs = performance.now() + delayMs;
    this.#startedAtMs = performance.timeOrigin + zeroMs;
    for (const worker of this.#workers) worker.begin(zeroNs);
    this.#options.onBegin?.(this.#startedAtMs);
    return zeroMs;
  }

  #take(block: ResultBlock): Promise<void> {
    this.#taken = this.#taken.then(() => this.#options.onBlock(block, this.#startedAtMs));
    return this.#taken;
  }

  #facts(starts: readonly StartCounts[], zeroMs: number): RunFacts {
    const { durationMs } = this.#plan;
    const ranMs = Math.max(0, this.#interruptedMs - zeroMs);
    return {
      startedAtMs: this.#startedAtMs,
      durationMs: Math.min(durationMs, ranMs),
      endedMs: Math.max(0, performance.now() - zeroMs),
      isInterrupted: ranMs < durationMs && durationMs < Infinity,
      starts: sumOf(starts),
      threads: this.#workers.length,
    };
  }
}

function sumOf(counts: readonly StartCounts[]): StartCounts {
  const sum = (name: keyof StartCounts) => counts.reduce((total, part) => total + part[name], 0);
  return {
    due: sum("due"),
    sent: sum("sent"),
    dropped: sum("dropped"),
    unanswered: sum("unanswered"),
  };
}
