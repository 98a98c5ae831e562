import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

/** How often the memory of a thread at work is looked at. */
const MEMORY_CHECK_MS = 100;
/**
 * V8's own limit, as a multiple of ours. It is far away, because V8 ends the whole process when one large array is
 * what does not fit any more; most of what grows is seen here before.
 */
const HEAP_LIMIT_FACTOR = 4;

export interface FunctionThreadOptions {
  /** Module that every thread starts with; it calls `runFunctionThread`. */
  readonly entry: URL;
  readonly clock: Clock;
  /** Gets what the function prints. */
  readonly log: Logger;
  /** Memory of one thread, its arrays included; one that takes more is ended. */
  readonly memoryBytesMax: number;
}

/** What is not only for the log. */
export type WorkReport = Exclude<ThreadReport, { readonly kind: "printed" }>;

/** How a thread came to its end. */
export interface ThreadEnd {
  readonly exitCode: number;
  /** What was thrown and not caught; undefined when the thread ended otherwise. */
  readonly error: unknown;
  readonly isOutOfMemory: boolean;
}

/** The worker thread of a function, seen from outside. Its code is JavaScript, so it may be stopped at any time. */
export class FunctionThread {
  /** Never rejects. Comes after the last report. */
  readonly ended: Promise<ThreadEnd>;
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #memoryBytesMax: number;
  #listener: (report: WorkReport) => void = () => undefined;
  #isOutOfMemory = false;
  #isIdle = true;
  #stopWatch = (): void => undefined;

  /** Starts the thread. It is at work, and keeps the process alive, until `setIdle`. */
  constructor(options: FunctionThreadOptions, start: ThreadStart) {
    this.#clock = options.clock;
    this.#memoryBytesMax = options.memoryBytesMax;
    const heapMb = Math.ceil((options.memoryBytesMax * HEAP_LIMIT_FACTOR) / 2 ** 20);
    this.#worker = new Worker(options.entry, {
      name: start.kind,
      workerData: start,
      // Flags that say how the process reads its program, such as --input-type, would stop the thread.
      execArgv: [],
      stdout: true, // the thread sends what it prints; nothing may reach the output of the process
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    let error: unknown;
    this.#worker.on("error", (thrown: unknown) => {
      error = thrown;
    });
    this.#worker.on("message", (report: unknown) => {
      if (!isReport(report)) return; // what the function imports may write to the same port
      if (report.kind === "printed") options.log[report.level]({ file: start.path }, report.line);
      else this.#listener(report);
    });
    // A call whose answer cannot be read would wait for ever.
    this.#worker.on("messageerror", (unreadable) => {
      error = unreadable;
      this.stop();
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on("exit", (exitCode) => {
        this.#stopWatch();
        const isOutOfMemory = this.#isOutOfMemory || isHeapLimit(error);
        resolve({ exitCode, error, isOutOfMemory });
      });
    });
    this.setIdle(false);
  }

  /** Replaces who gets the reports. */
  onReport(listener: (report: WorkReport) => void): void {
    this.#listener = listener;
  }

  post(order: ThreadOrder, transfers?: ArrayBuffer[]): void {
    this.#worker.postMessage(order, transfers);
  }

  /** An idle thread does not keep the process alive, and nobody looks at its memory. */
  setIdle(isIdle: boolean): void {
    if (isIdle === this.#isIdle) return;
    this.#isIdle = isIdle;
    this.#stopWatch();
    if (isIdle) this.#worker.unref();
    else {
      this.#worker.ref();
      this.#watchMemory();
    }
  }

  /** Ends the thread wherever its code is, loops without end included; `ended` tells when. */
  stop(): void {
    void this.#worker.terminate();
  }

  #watchMemory(): void {
    let isWatching = true;
    const check = async (): Promise<void> => {
      if (await this.#isMemoryOver()) {
        this.#isOutOfMemory = true;
        this.stop();
      } else if (isWatching) {
        cancel = this.#clock.schedule(MEMORY_CHECK_MS, () => void check());
      }
    };
    let cancel = this.#clock.schedule(MEMORY_CHECK_MS, () => void check());
    this.#stopWatch = () => {
      isWatching = false;
      cancel();
    };
  }

  async #isMemoryOver(): Promise<boolean> {
    try {
      const { used_heap_size, external_memory } = await this.#worker.getHeapStatistics();
      return used_heap_size + external_memory > this.#memoryBytesMax;
    } catch {
      return false; // it has ended meanwhile
    }
  }
}

const REPORT_KINDS: ReadonlySet<unknown> = new Set<ThreadReport["kind"]>([
  "loaded",
  "loadFailed",
  "done",
  "failed",
  "printed",
]);

function isReport(message: unknown): message is ThreadReport {
  const isObject = typeof message === "object" && message !== null && "kind" in message;
  return isObject && REPORT_KINDS.has(message.kind);
}

function isHeapLimit(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** @returns how a thread ended, to stand behind "its thread". */
export function describeEnd({ exitCode, error, isOutOfMemory }: ThreadEnd): string {
  if (isOutOfMemory) return "used more memory than it may";
  return error === undefined
    ? `ended with exit code ${exitCode}`
    : "ended because of an error nobody handled"; // whose text is for the log, not for callers
}
