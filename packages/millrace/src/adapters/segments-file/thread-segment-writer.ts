import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/message-of.ts";
import type { LogBlock } from "../../core/predictions/log-block.ts";
import type {
  DiskLevel,
  SegmentWriter,
  SegmentWriterEvents,
  SegmentWriterUsage,
} from "../../ports/segments.ts";
import type { SegmentWriterSettings } from "./local-segment-writer.ts";
import type { ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

export interface ThreadSegmentWriterOptions extends SegmentWriterSettings {
  /** Program of the thread, which calls `runSegmentWriterThread`. */
  readonly entry: URL;
  /** A name unlike every other one there ever was; each thread that is started writes under one of its own. */
  readonly newWriter: () => string;
  readonly clock: Clock;
  readonly events: SegmentWriterEvents;
}

/** Wait before a thread that broke is started again, doubled with each that breaks before it has written anything. */
const RESTART_MS_MIN = 500;
const RESTART_MS_MAX = 60_000;

/** An append or a sync that is not answered yet. */
interface Pending {
  readonly atMs: number;
  readonly answer: PromiseWithResolvers<void>;
}

const NOTHING: SegmentWriterUsage = { writtenBytes: 0, walBytes: 0, durableLagMs: 0 };

/**
 * Writes segments on a thread of its own, so that neither the disk nor checksums hold up predictions. A thread that
 * breaks is started again. The memory of the blocks it had is gone with it, so those are rejected; what is given while
 * there is none waits for the next.
 */
export class ThreadSegmentWriter implements SegmentWriter {
  readonly #options: ThreadSegmentWriterOptions;
  /** By id, oldest first. */
  readonly #pending = new Map<number, Pending>();
  /** Orders for the next thread. */
  #waiting: ThreadOrder[] = [];
  #thread: Worker | undefined;
  #nextId = 1;
  #restartMs = RESTART_MS_MIN;
  #cancelRestart: (() => void) | undefined;
  #isFailing = false;
  /** Has a thread broken, and none written anything since? */
  #isBroken = false;
  #level: DiskLevel = "all";
  /** Of the threads before the current one. */
  #writtenBytesBefore = 0;
  #usage: SegmentWriterUsage = NOTHING;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: ThreadSegmentWriterOptions) {
    this.#options = options;
    this.#start();
  }

  get usage(): SegmentWriterUsage {
    const [oldest] = this.#pending.values();
    // A thread that hangs reports nothing.
    const waitedMs = oldest === undefined ? 0 : this.#options.clock.nowMs() - oldest.atMs;
    const { writtenBytes, walBytes, durableLagMs } = this.#usage;
    return {
      writtenBytes: this.#writtenBytesBefore + writtenBytes,
      walBytes,
      durableLagMs: Math.max(durableLagMs, waitedMs),
    };
  }

  append(block: LogBlock): Promise<void> {
    return this.#ask((id) => ({ kind: "append", id, block }));
  }

  sync(): Promise<void> {
    return this.#ask((id) => ({ kind: "sync", id }));
  }

  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      this.#cancelRestart?.();
      if (this.#thread === undefined) this.#ended("it is closed");
      else {
        this.#thread.ref();
        this.#post({ kind: "close" });
      }
    }
    return this.#closed.promise;
  }

  #ask(orderOf: (id: number) => ThreadOrder): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(lost("it is closed"));
    const id = this.#nextId++;
    const answer = Promise.withResolvers<void>();
    this.#pending.set(id, { atMs: this.#options.clock.nowMs(), answer });
    // A process may end when nothing is to be written, whether or not somebody closed this.
    if (this.#pending.size === 1) this.#thread?.ref();
    this.#give(orderOf(id));
    return answer.promise;
  }

  #give(order: ThreadOrder): void {
    try {
      this.#post(order);
    } catch (error) {
      // The memory of a block is somebody else's, or has moved before.
      if (order.kind !== "close") this.#settle(order.id, ({ answer }) => answer.reject(error));
    }
  }

  #post(order: ThreadOrder): void {
    if (this.#thread === undefined) this.#waiting.push(order);
    else this.#thread.postMessage(order, order.kind === "append" ? [order.block.bytes.buffer] : []);
  }

  #start(): void {
    const { entry, folder, newWriter } = this.#options;
    const { rollMs, durability, walBytesMax, diskFreeMin } = this.#options;
    const writer = newWriter();
    const start: ThreadStart = { folder, writer, rollMs, durability, walBytesMax, diskFreeMin };
    // Flags that say how the process reads its program, such as --input-type, would stop the thread.
    const thread = new Worker(entry, { name: "segment-writer", workerData: start, execArgv: [] });
    let why = "its thread ended";
    thread.on("error", (error: unknown) => {
      why = `its thread broke: ${error instanceof Error ? error.message : String(error)}`;
    });
    thread.on("message", (report: ThreadReport) => this.#take(report));
    thread.on("exit", () => this.#ended(why));
    this.#thread = thread;
    if (this.#pending.size === 0) thread.unref();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const order of waiting) this.#give(order);
  }

  /** What waits for a thread goes on waiting where the system gives none. */
  #startAgain(): void {
    try {
      this.#start();
    } catch (error) {
      this.#restart(`its thread cannot be started: ${messageOf(error)}`);
    }
  }

  #take(report: ThreadReport): void {
    switch (report.kind) {
      case "done":
        this.#restartMs = RESTART_MS_MIN;
        if (this.#isBroken) this.#works();
        this.#isBroken = false;
        for (const id of report.ids) this.#settle(id, ({ answer }) => answer.resolve());
        break;
      case "refused":
        this.#settle(report.id, ({ answer }) => answer.reject(new Error(report.why)));
        break;
      case "usage":
        this.#usage = report.usage;
        break;
      case "level":
        this.#level = report.level;
        this.#options.events.level(report.level, report.reason);
        break;
      case "failed":
        this.#fails(report.why);
        break;
      case "recovered":
        this.#works();
        break;
    }
  }

  #settle(id: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined) settle(pending);
    if (this.#pending.size === 0 && this.#closed === undefined) this.#thread?.unref();
  }

  /** @param why it ended, to stand behind a colon. */
  #ended(why: string): void {
    this.#cancelRestart = undefined;
    this.#thread = undefined;
    this.#waiting = [];
    this.#writtenBytesBefore += this.#usage.writtenBytes;
    this.#usage = { ...NOTHING, walBytes: this.#usage.walBytes };
    for (const { answer } of this.#pending.values()) answer.reject(lost(why));
    this.#pending.clear();
    if (this.#closed === undefined) this.#restart(why);
    else this.#closed.resolve();
  }

  #restart(why: string): void {
    this.#isBroken = true;
    this.#fails(lost(why).message);
    // The next thread finds out by itself.
    if (this.#level !== "all") this.#options.events.level("all", why);
    this.#level = "all";
    this.#cancelRestart = this.#options.clock.schedule(this.#restartMs, () => this.#startAgain());
    this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MS_MAX);
  }

  #fails(why: string): void {
    if (!this.#isFailing) this.#options.events.failed(new Error(why));
    this.#isFailing = true;
  }

  #works(): void {
    if (this.#isFailing) this.#options.events.recovered();
    this.#isFailing = false;
  }
}

function lost(why: string): Error {
  return new Error(`Cannot write the prediction log: ${why}`);
}
