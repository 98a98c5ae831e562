import type { Clock } from "../core/clock.ts";
import type { LineLimit } from "../core/line-limit.ts";
import { segmentFileName, type SegmentId } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import type { Segment } from "../ports/segments.ts";
import { positionOf } from "./cursors.ts";
import type { SinkLane } from "./sink-lane.ts";

/** What waits for a sink. */
export interface SinkLag {
  readonly segments: number;
  readonly bytes: number;
  /** Time since the oldest of it was first seen or last written to, in milliseconds. */
  readonly ageMs: number;
}

/** What was seen of the segments: what waits in them for whom, what is damaged, whose writer was killed. */
export class SegmentWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lines: LineLimit;
  /** When each segment was first seen, by the monotonic clock. */
  #firstSeenMs = new Map<string, number>();
  #segments: readonly Segment[] = [];
  #uncleanWriters = new Set<string>();
  #uncleanCount = 0;
  #damagedCount = 0;

  constructor(clock: Clock, log: Logger, lines: LineLimit) {
    this.#clock = clock;
    this.#log = log;
    this.#lines = lines;
  }

  /** Those that are left. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get uncleanWriters(): number {
    return this.#uncleanCount;
  }

  get damagedBlocks(): number {
    return this.#damagedCount;
  }

  seen(segments: readonly Segment[]): void {
    const nowMs = this.#clock.nowMs();
    const before = this.#firstSeenMs;
    this.#segments = segments;
    this.#firstSeenMs = new Map(
      segments.map(({ id }) => [nameOf(id), before.get(nameOf(id)) ?? nowMs]),
    );
    this.#noticeUnclean();
  }

  /** What of them the sink has not got now. */
  lagOf({ cursor }: Pick<SinkLane, "cursor">): SinkLag {
    const waiting = this.#segments.filter(({ id, byteLength }) => {
      const { number, offset } = positionOf(cursor, id);
      return id.number > number || (id.number === number && byteLength > offset);
    });
    return {
      segments: waiting.length,
      bytes: waiting.reduce((sum, { byteLength }) => sum + byteLength, 0),
      ageMs: Math.max(0, ...waiting.map((segment) => this.#ageMs(segment))),
    };
  }

  #ageMs({ id, changedAtMs }: Segment): number {
    const seenMs = this.#clock.nowMs() - (this.#firstSeenMs.get(nameOf(id)) ?? 0);
    return Math.max(seenMs, this.#clock.wallMs() - changedAtMs);
  }

  #noticeUnclean(): void {
    const writers = new Set(
      this.#segments.filter(({ isUnclean }) => isUnclean).map(({ id }) => id.writer),
    );
    for (const writer of writers) {
      if (this.#uncleanWriters.has(writer)) continue;
      this.#uncleanCount++;
      this.#log.warn(
        { writer },
        `The process that wrote ${writer} was killed: rows it had in memory are lost, at most 10,000`,
      );
    }
    this.#uncleanWriters = writers;
  }

  damaged(id: SegmentId, text: string): void {
    this.#damagedCount++;
    const segment = nameOf(id);
    this.say(`damage ${segment}`, () => {
      this.#log.error({ segment, damage: text }, `Rows are lost, ${segment} is damaged: ${text}`);
    });
  }

  /** Now and then, of what happens again and again. */
  say(key: string, write: () => void): void {
    if (this.#lines.pass(key) !== undefined) write();
  }
}

function nameOf(id: SegmentId): string {
  return `${id.writer}/${segmentFileName(id)}`;
}
