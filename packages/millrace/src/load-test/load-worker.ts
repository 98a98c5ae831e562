import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { LoadInputError } from "./load-input-error.ts";
import type { ResultBlock } from "./result-block.ts";
import type { StartCounts, ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

/**
 * A thread that waits busily makes 50 MB of garbage a second, and collecting it holds up what is due. It has four
 * times the usual space for it, and so a quarter of the collections, for 10 MiB of memory.
 */
const YOUNG_SPACE = "--min-semi-space-size=4"; // in MiB

/** One thread of a load test, seen from outside. */
export class LoadWorker {
  readonly #worker: Worker;
  readonly #number: number;
  readonly #onBlock: (block: ResultBlock) => Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<StartCounts>();

  /** @param onBlock called with one block after the other; the thread counts those that are not taken yet. */
  constructor(start: ThreadStart, onBlock: (block: ResultBlock) => Promise<void>) {
    this.#number = start.thread;
    this.#onBlock = onBlock;
    for (const { promise } of [this.#ready, this.#done]) promise.catch(() => undefined); // both fail with the thread
    setFlagsFromString(YOUNG_SPACE); // of threads that begin from here on; Worker has no option for it
    this.#worker = new Worker(entry(), {
      name: `load-${start.thread}`,
      workerData: start,
      // Flags that say how the process reads its program, such as --input-type, would stop the thread.
      execArgv: [],
    });
    this.#worker.on("message", (report: ThreadReport) => this.#take(report));
    this.#worker.on("error", (error: unknown) => this.#failed(messageOf(error)));
    this.#worker.on("exit", (code) => this.#failed(`it ended with code ${code}`));
  }

  /** Kept when it has its connections. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Kept when everything it sent has ended, or it was stopped. */
  get done(): Promise<StartCounts> {
    return this.#done.promise;
  }

  begin(zeroNs: bigint): void {
    this.#tell({ kind: "begin", zeroNs });
  }

  /** It starts nothing more, and waits for the answers. */
  finish(): void {
    this.#tell({ kind: "finish" });
  }

  stop(): void {
    this.#tell({ kind: "stop" });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(order: ThreadOrder): void {
    this.#worker.postMessage(order);
  }

  #take(report: ThreadReport): void {
    switch (report.kind) {
      case "ready":
        this.#ready.resolve();
        break;
      case "block":
        this.#onBlock(report.block).then(
          () => this.#tell({ kind: "taken" }),
          (error: unknown) => this.#fail(error),
        );
        break;
      case "done":
        this.#done.resolve(report.starts);
        break;
      case "failed":
        if (report.isInput) this.#fail(new LoadInputError(report.why));
        else this.#failed(report.why);
        break;
    }
  }

  #failed(why: string): void {
    this.#fail(new Error(`Cannot go on with the load test: thread ${this.#number} failed: ${why}`));
  }

  #fail(error: unknown): void {
    this.#ready.reject(error);
    this.#done.reject(error);
  }
}

function entry(): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`../load-thread-entry.${extension}`, import.meta.url);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
