import { basename } from "node:path";
import { SHARE_ENV, Worker } from "node:worker_threads";
import type { ModelFile } from "../../ports/runtime.ts";
import { NativeCalls } from "./native-calls.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

/** How a thread came to its end. */
export interface ThreadEnd {
  readonly exitCode: number;
  /** What was thrown and not caught; undefined when the thread ended otherwise. */
  readonly error: unknown;
}

/**
 * The worker thread of one model, seen from outside. It ends on order or because it breaks, and is never stopped from
 * outside: `Worker.terminate` during a run or a load aborts the process, see NativeCalls.
 */
export class ModelThread {
  /** Never rejects. Comes after the last report, when the memory of the thread is free. */
  readonly ended: Promise<ThreadEnd>;
  readonly #worker: Worker;
  readonly #nativeCalls = new NativeCalls();
  #listener: (report: ThreadReport) => void = () => undefined;

  /** Starts the thread; it keeps the process alive until `setIdle`. */
  constructor(entry: URL, file: ModelFile) {
    const start: ThreadStart = { file, nativeCalls: this.#nativeCalls.memory };
    this.#worker = new Worker(entry, {
      name: basename(file.path),
      workerData: start,
      // A copy would keep from native libraries what the thread sets, such as that onnxruntime reports nothing.
      env: SHARE_ENV,
      // Flags that say how the process reads its program, such as --input-type, would stop the thread.
      execArgv: [],
    });
    let error: unknown;
    this.#worker.on("error", (thrown: unknown) => {
      error = thrown;
    });
    this.#worker.on("message", (report: ThreadReport) => this.#listener(report));
    // A run whose answer cannot be read would wait for ever.
    this.#worker.on("messageerror", (unreadable) => {
      error = unreadable;
      this.post({ kind: "close" });
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on("exit", (exitCode) => resolve({ exitCode, error }));
    });
  }

  /** Replaces who gets the reports. */
  onReport(listener: (report: ThreadReport) => void): void {
    this.#listener = listener;
  }

  /** @throws DataCloneError when memory cannot be transferred. */
  post(order: ThreadOrder, transfers?: ArrayBuffer[]): void {
    this.#worker.postMessage(order, transfers);
  }

  /** An idle thread does not keep the process alive. */
  setIdle(isIdle: boolean): void {
    if (isIdle) this.#worker.unref();
    else this.#worker.ref();
  }

  /**
   * Blocks until the thread can be ended without harm; it starts nothing more. For the end of the process.
   * @returns false when it cannot even after `waitMsMax`.
   */
  waitForExit(waitMsMax: number): boolean {
    return this.#nativeCalls.endAll(waitMsMax);
  }
}

/** @returns how a thread ended, to stand behind "its thread". */
export function describeEnd({ exitCode, error }: ThreadEnd): string {
  if (isOutOfMemory(error)) return "ran out of JavaScript memory";
  return error === undefined
    ? `ended with exit code ${exitCode}`
    : "ended because of an error nobody handled"; // whose text is for the log, not for callers
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}
