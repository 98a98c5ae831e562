import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/message-of.ts";
import { LocalSegmentWriter } from "./local-segment-writer.ts";
import { systemFiles } from "./segment-files.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

const USAGE_MS = 1_000;

/**
 * The whole life of a thread that writes segments. It ends on order, or because of an error nobody handles, which the
 * other side sees.
 */
export function runSegmentWriterThread(clock: Clock): void {
  if (parentPort === null) throw new Error("Cannot write segments: this is no worker thread");
  new WriterServant(parentPort, workerData as ThreadStart, clock);
}

/** Obeys the orders of one port. */
class WriterServant {
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #writer: LocalSegmentWriter;
  /** Done and not reported yet: what is written together is reported together. */
  #done: number[] = [];
  #cancelUsage: () => void = () => undefined;

  constructor(port: MessagePort, start: ThreadStart, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    this.#writer = new LocalSegmentWriter({
      ...start,
      files: systemFiles,
      clock,
      events: {
        level: (level, reason) => this.#report({ kind: "level", level, reason }),
        failed: (error) => this.#report({ kind: "failed", why: error.message }),
        recovered: () => this.#report({ kind: "recovered" }),
      },
    });
    port.on("message", (order: ThreadOrder) => this.#obey(order));
    // The block that could not be read would wait for ever.
    port.on("messageerror", (error) => {
      throw error;
    });
    this.#reportUsage();
  }

  #obey(order: ThreadOrder): void {
    if (order.kind === "append") this.#answer(order.id, this.#writer.append(order.block));
    else if (order.kind === "sync") this.#answer(order.id, this.#writer.sync());
    else void this.#close();
  }

  #answer(id: number, work: Promise<void>): void {
    work.then(
      () => this.#reportDone(id),
      (error: unknown) => this.#report({ kind: "refused", id, why: messageOf(error) }),
    );
  }

  #reportDone(id: number): void {
    this.#done.push(id);
    if (this.#done.length > 1) return;
    queueMicrotask(() => this.#reportAllDone());
  }

  #reportAllDone(): void {
    if (this.#done.length > 0) this.#report({ kind: "done", ids: this.#done });
    this.#done = [];
  }

  #reportUsage(): void {
    this.#report({ kind: "usage", usage: this.#writer.usage });
    this.#cancelUsage = this.#clock.schedule(USAGE_MS, () => this.#reportUsage());
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#cancelUsage();
    this.#reportAllDone();
    this.#report({ kind: "usage", usage: this.#writer.usage });
    this.#port.close();
  }

  #report(report: ThreadReport): void {
    this.#port.postMessage(report);
  }
}
