import type { Clock } from "../../core/clock.ts";
import { copyTensors } from "../../core/tensor/copy-tensors.ts";
import type { Logger } from "../../ports/logger.ts";
import { callError, threadLost, tookTooLong } from "./call-error.ts";
import type { FunctionCall } from "./function-call.ts";
import {
  describeEnd,
  type FunctionThread,
  type ThreadEnd,
  type WorkReport,
} from "./function-thread.ts";
import type { FunctionKind } from "./thread-messages.ts";

/** Wait before a thread that ended by itself twice in a row is started again; it doubles with every further time. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 5000;
/** A thread that has lived this long is started again at once. */
const STABLE_MS = 10_000;

export interface ThreadSlotOptions {
  readonly kind: FunctionKind;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Stand with every line of the log. */
  readonly fields: object;
  /** Starts a thread of the same file. */
  readonly start: () => Promise<FunctionThread>;
  /** The slot may take a call. */
  readonly onFree: () => void;
}

/**
 * `idle` waits for a call; `busy` is at one; `ending` has been stopped and is not gone yet: its thread is replaced only
 * then, so that there are never more threads than slots; `down` is started again at `backAtMs`, or just now.
 */
type State =
  | { readonly kind: "idle"; readonly thread: FunctionThread }
  | {
      readonly kind: "busy";
      readonly thread: FunctionThread;
      readonly call: FunctionCall;
      readonly stopTimer: () => void;
    }
  | { readonly kind: "ending"; readonly thread: FunctionThread }
  | { readonly kind: "down"; readonly backAtMs: number; readonly cancel: () => void }
  | { readonly kind: "closed" };

/** A place for one thread of a function. A thread that ends is replaced, ever more patiently. */
export class ThreadSlot {
  readonly #options: ThreadSlotOptions;
  #state: State = { kind: "closed" };
  #startedMs = 0;
  /** Times in a row that it ended by itself, or did not start. */
  #crashes = 0;

  constructor(options: ThreadSlotOptions, thread: FunctionThread) {
    this.#options = options;
    this.#use(thread);
  }

  get isFree(): boolean {
    return this.#state.kind === "idle";
  }

  /** When it can take a call at the earliest, as far as is known: in the past while a thread is there or starts. */
  get backAtMs(): number {
    return this.#state.kind === "down" ? this.#state.backAtMs : -Infinity;
  }

  /** Makes the call. The slot is free; it stays so when the call cannot be handed over, which fails it. */
  run(call: FunctionCall): void {
    if (this.#state.kind !== "idle") return;
    const { thread } = this.#state;
    try {
      post(thread, call);
    } catch (error) {
      call.fail(error);
      return;
    }
    const { clock, timeoutMs } = this.#options;
    const stopTimer = clock.schedule(timeoutMs, () => this.#stopLate(call));
    this.#state = { kind: "busy", thread, call, stopTimer };
    thread.setIdle(false);
  }

  /** Tells the function that nobody waits for it any more. It keeps its thread until it ends or its time is over. */
  abort(call: FunctionCall): void {
    if (this.#state.kind !== "busy" || this.#state.call !== call) return;
    this.#state.thread.post({ kind: "abort", id: call.id });
  }

  /** Waits for the call that is under way, at most its time, then ends the thread. */
  async close(): Promise<void> {
    if (this.#state.kind === "busy") await Promise.allSettled([this.#state.call.answered]);
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "down") state.cancel();
    if (state.kind === "busy") state.stopTimer();
    if (!("thread" in state)) return;
    state.thread.stop();
    await state.thread.ended;
  }

  #use(thread: FunctionThread): void {
    this.#startedMs = this.#options.clock.nowMs();
    this.#state = { kind: "idle", thread };
    thread.onReport((report) => this.#answer(report));
    void thread.ended.then((end) => this.#replace(end));
  }

  #answer(report: WorkReport): void {
    if (this.#state.kind !== "busy" || (report.kind !== "done" && report.kind !== "failed")) return;
    const { thread, call, stopTimer } = this.#state;
    if (report.id !== call.id) return;
    stopTimer();
    if (report.kind === "done") call.succeed(report.outputs);
    else call.fail(callError(this.#options.kind, report.failure, call.request.groups));
    this.#state = { kind: "idle", thread };
    thread.setIdle(true);
    this.#options.onFree();
  }

  #stopLate(call: FunctionCall): void {
    if (this.#state.kind !== "busy") return;
    const { kind, timeoutMs, log, fields } = this.#options;
    const { thread } = this.#state;
    this.#state = { kind: "ending", thread };
    call.fail(tookTooLong(kind, timeoutMs));
    log.warn(
      { ...fields, predictionId: call.facts.predictionId },
      `Thread is ended: a call took longer than ${timeoutMs} ms`,
    );
    thread.stop();
  }

  #replace(end: ThreadEnd): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    if (state.kind === "ending") return this.#restart(0);
    if (state.kind === "busy") {
      state.stopTimer();
      state.call.fail(threadLost(this.#options.kind, end));
    }
    const { log, fields } = this.#options;
    const afterMs = this.#patienceMs();
    log.error({ ...fields, err: end.error }, `Thread ${describeEnd(end)}; ${nextText(afterMs)}`);
    this.#restart(afterMs);
  }

  /** Wait after an end that was not ours. */
  #patienceMs(): number {
    if (this.#options.clock.nowMs() - this.#startedMs >= STABLE_MS) this.#crashes = 0;
    const afterMs = this.#crashes === 0 ? 0 : RESTART_MS_MIN * 2 ** (this.#crashes - 1);
    this.#crashes++;
    return Math.min(afterMs, RESTART_MS_MAX);
  }

  #restart(afterMs: number): void {
    const { clock } = this.#options;
    const cancel = clock.schedule(afterMs, () => void this.#start());
    this.#state = { kind: "down", backAtMs: clock.nowMs() + afterMs, cancel };
  }

  async #start(): Promise<void> {
    const { log, fields, start, onFree } = this.#options;
    this.#startedMs = this.#options.clock.nowMs();
    try {
      const thread = await start();
      if (this.#state.kind === "closed") return thread.stop();
      this.#use(thread);
      onFree();
    } catch (error) {
      if (this.#state.kind === "closed") return;
      const afterMs = this.#patienceMs();
      log.error({ ...fields, err: error }, `Thread did not start again; ${nextText(afterMs)}`);
      this.#restart(afterMs);
    }
  }
}

/** Others may read the inputs too, so the memory of copies moves. */
function post(thread: FunctionThread, { id, request, facts }: FunctionCall): void {
  const transfers: ArrayBuffer[] = [];
  const groups = request.groups.map((group) => {
    const { tensors, buffers } = copyTensors(group.tensors);
    transfers.push(...buffers);
    return { ...group, tensors };
  });
  thread.post({ kind: "call", id, groups, facts }, transfers);
}

function nextText(afterMs: number): string {
  return afterMs === 0 ? "it is started again" : `it is started again in ${afterMs} ms`;
}
