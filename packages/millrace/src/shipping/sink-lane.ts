import { link, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../core/clock.ts";
import type { JsonValue } from "../core/json.ts";
import type { LineLimit } from "../core/line-limit.ts";
import { messageOf } from "../core/message-of.ts";
import { QUARANTINE_FOLDER, WAL_FOLDER } from "../core/predictions/log-folder.ts";
import { segmentFileName, type SegmentId } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import {
  UnusableBatchError,
  type PredictionSink,
  type SinkBatch,
} from "../ports/prediction-sink.ts";
import type { Segment, SegmentStore } from "../ports/segments.ts";
import {
  covers,
  streamOf,
  type Cursor,
  type CursorFile,
  type PendingBatch,
  type Position,
} from "./cursors.ts";
import { nextStep, type BatchSource } from "./next-batch.ts";

/** Time between two looks at the segments when nothing is to do. */
const LOOK_EVERY_MS = 500;

/** First wait after a failure; doubles with each that follows. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

/** Batches of one turn, after which the segments are looked at anew. */
const BATCHES_PER_TURN = 16;

/** Times a batch that is itself at fault is given before it is set aside. */
const UNUSABLE_TIMES_MAX = 8;

export interface SinkLaneOptions {
  readonly sink: PredictionSink;
  readonly store: SegmentStore;
  /** The log's. */
  readonly folder: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** Of what is said again and again. */
  readonly lines: LineLimit;
  readonly onDamage: BatchSource["onDamage"];
}

/** How a sink is doing. */
export interface LaneFacts {
  readonly sink: string;
  readonly rows: number;
  readonly unreadable: number;
  /** Failures since the start. */
  readonly errors: number;
  /** Segments set aside since the start. */
  readonly setAside: number;
  /** Of the last failure; undefined since it works. */
  readonly problem: string | undefined;
}

/** One sink and its way through the segments, which no other sink waits for. */
export class SinkLane {
  readonly #options: SinkLaneOptions;
  readonly #cursorFile: CursorFile;
  #isOpen = false;
  #failures = 0;
  #unusableTimes = 0;
  #errors = 0;
  #setAside = 0;
  #problem: string | undefined;

  constructor(cursorFile: CursorFile, options: SinkLaneOptions) {
    this.#cursorFile = cursorFile;
    this.#options = options;
  }

  get sink(): PredictionSink {
    return this.#options.sink;
  }

  get cursor(): Cursor {
    return this.#cursorFile.cursor;
  }

  get facts(): LaneFacts {
    const { name, counts } = this.sink;
    return {
      sink: name,
      ...counts,
      errors: this.#errors,
      setAside: this.#setAside,
      problem: this.#problem,
    };
  }

  /** Has the sink everything of a segment that has ended? */
  covers(id: SegmentId): boolean {
    return covers(this.cursor, id);
  }

  /**
   * Gives the sink what there is for it, up to a bound.
   * @returns how long to wait before the next turn, in milliseconds. Never rejects.
   */
  async turn(signal: AbortSignal): Promise<number> {
    try {
      const isDone = await this.#work(signal);
      this.#recover();
      return isDone ? LOOK_EVERY_MS : 0;
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#fail(error);
    }
  }

  /** @returns whether nothing is left to do for now. */
  async #work(signal: AbortSignal): Promise<boolean> {
    await this.#open();
    const segments = await this.#options.store.list();
    for (let count = 0; count < BATCHES_PER_TURN; count++) {
      signal.throwIfAborted();
      if (!(await this.#step(segments, signal))) return true;
    }
    return false;
  }

  async #open(): Promise<void> {
    if (this.#isOpen) return;
    await this.sink.open(this.cursor.state);
    this.#isOpen = true;
  }

  async #step(segments: readonly Segment[], signal: AbortSignal): Promise<boolean> {
    const { store, onDamage, sink } = this.#options;
    const step = await nextStep(sink.unit, this.cursor, segments, { store, onDamage });
    if (step === undefined) return false;
    if (step.kind === "pass") await this.#move(step.id, after(step.id), this.cursor.state);
    else await this.#give(step.batch, signal);
    return true;
  }

  async #give(batch: SinkBatch, signal: AbortSignal): Promise<void> {
    const { segment, fromOffset, toOffset, isWhole } = batch;
    if (!isWhole) await this.#note({ ...segment, fromOffset, toOffset });
    let state: JsonValue | undefined;
    try {
      state = await this.sink.write(batch, signal);
    } catch (error) {
      if (!(error instanceof UnusableBatchError)) throw error;
      if (++this.#unusableTimes < UNUSABLE_TIMES_MAX) throw error;
      await this.#putAside(segment, error);
      state = this.cursor.state;
    }
    this.#unusableTimes = 0;
    const position = isWhole ? after(segment) : { number: segment.number, offset: toOffset };
    await this.#move(segment, position, state);
  }

  /** A segment that grows would make another part of it the next time. */
  async #note(pending: PendingBatch): Promise<void> {
    if (isDeepStrictEqual(this.cursor.pending, pending)) return;
    await this.#cursorFile.save({ ...this.cursor, pending });
  }

  async #move(id: SegmentId, position: Position, state: JsonValue | undefined): Promise<void> {
    const segments = { ...this.cursor.segments, [streamOf(id)]: position };
    await this.#cursorFile.save({ segments, state, pending: undefined });
  }

  /** Kept for people to look at, so that what follows it need not wait. */
  async #putAside(id: SegmentId, error: UnusableBatchError): Promise<void> {
    const { folder, log } = this.#options;
    const name = `${id.writer}-${segmentFileName(id)}`;
    const path = join(folder, QUARANTINE_FOLDER, name);
    await mkdir(join(folder, QUARANTINE_FOLDER), { recursive: true });
    const isThere = (reason: NodeJS.ErrnoException): void => {
      if (reason.code !== "EEXIST") throw reason;
    };
    await link(join(folder, WAL_FOLDER, id.writer, segmentFileName(id)), path).catch(isThere);
    this.#setAside++;
    log.error(
      { sink: this.sink.name, path, err: error },
      `The sink "${this.sink.name}" cannot take ${name}: it was set aside, its rows are missing there`,
    );
  }

  #recover(): void {
    if (this.#failures > 0) {
      const { log, sink } = this.#options;
      log.info(
        { sink: sink.name, failures: this.#failures },
        `The sink "${sink.name}" works again`,
      );
    }
    this.#failures = 0;
    this.#problem = undefined;
  }

  #fail(error: unknown): number {
    const { log, lines, random, sink } = this.#options;
    this.#errors++;
    this.#problem = messageOf(error);
    const longestMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++);
    const heldBack = lines.pass(`sink ${sink.name}`);
    if (heldBack !== undefined) {
      const text = `The sink "${sink.name}" fails, what it has not got waits: ${this.#problem}`;
      log.error({ sink: sink.name, failures: this.#failures, heldBack }, text);
    }
    return longestMs * (0.5 + random() / 2);
  }

  async close(): Promise<void> {
    if (this.#isOpen) await this.sink.close();
    this.#isOpen = false;
  }
}

function after({ number }: SegmentId): Position {
  return { number: number + 1, offset: 0 };
}
