import type { Clock } from "../core/clock.ts";
import { LineLimit } from "../core/line-limit.ts";
import { messageOf } from "../core/message-of.ts";
import { OneAtATime } from "../core/one-at-a-time.ts";
import type { SegmentId } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import type { PredictionSink } from "../ports/prediction-sink.ts";
import type { Segment, SegmentStore } from "../ports/segments.ts";
import { CursorFile, streamOf } from "./cursors.ts";
import { SegmentWatch } from "./segment-watch.ts";
import { SinkLane } from "./sink-lane.ts";

/** What is said again and again is said once in this time. */
const SAY_EVERY_MS = 60_000;

/** Pieces of work that wait until a lane is between two turns. */
const WAITING_MAX = 100;

/** A turn, and one of these pieces. */
const TURNS_WAITING_MAX = 2;

export interface ShipperOptions {
  readonly store: SegmentStore;
  readonly sinks: readonly PredictionSink[];
  /** The log's. */
  readonly folder: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

interface Lane {
  readonly lane: SinkLane;
  /** A turn, or what must not happen during one. */
  readonly turns: OneAtATime;
  /** What must not, of which one at a time waits for the end of a turn: however much there is, the next turn comes. */
  readonly others: OneAtATime;
}

/**
 * Moves what is in segments to the sinks, to each at its own pace, and deletes the segments that all have. At least
 * once: the cursor of a sink is saved after the sink has taken a batch, and a sink takes a batch twice as it does once.
 */
export class Shipper {
  readonly watch: SegmentWatch;
  readonly #options: ShipperOptions;
  readonly #lanes: readonly Lane[];
  readonly #stopped = new AbortController();
  #loops: readonly Promise<void>[] = [];

  private constructor(options: ShipperOptions, lanes: readonly SinkLane[], watch: SegmentWatch) {
    this.#options = options;
    this.#lanes = lanes.map((lane) => ({
      lane,
      turns: new OneAtATime(TURNS_WAITING_MAX),
      others: new OneAtATime(WAITING_MAX),
    }));
    this.watch = watch;
  }

  /** Reads where each sink was. */
  static async open(options: ShipperOptions): Promise<Shipper> {
    const { store, sinks, folder, clock, log } = options;
    const lines = new LineLimit(clock, SAY_EVERY_MS);
    const watch = new SegmentWatch(clock, log, lines);
    const streams = new Set((await store.list()).map(({ id }) => streamOf(id)));
    const lanes: SinkLane[] = [];
    for (const [index, sink] of sinks.entries()) {
      const cursorFile = await CursorFile.open(folder, sink.name, log);
      await cursorFile.keepOnly(streams);
      // All read the same segments: one tells of the damage.
      const onDamage =
        index === 0 ? (id: SegmentId, text: string) => watch.damaged(id, text) : () => undefined;
      lanes.push(new SinkLane(cursorFile, { ...options, sink, lines, onDamage }));
    }
    return new Shipper(options, lanes, watch);
  }

  get lanes(): readonly SinkLane[] {
    return this.#lanes.map(({ lane }) => lane);
  }

  start(): void {
    this.#loops = this.#lanes.map((lane) => this.#run(lane));
  }

  /** One turn of every sink, of which none waits for another. @returns the shortest wait before the next. */
  async turn(): Promise<number> {
    return Math.min(...(await Promise.all(this.#lanes.map((lane) => this.#turn(lane)))));
  }

  /**
   * Between two turns of a sink: what must not happen while it is given something.
   * @throws OVERLOADED when too much waits for that, and what `run` throws.
   */
  async between<Result>(sink: string, run: () => Promise<Result>): Promise<Result> {
    const found = this.#lanes.find(({ lane }) => lane.sink.name === sink);
    return found === undefined ? run() : found.others.run(() => found.turns.run(run));
  }

  /** Aborts what is under way: it is given again after the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error("The shipper stops"));
    await Promise.all(this.#loops);
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  async #run(lane: Lane): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const waitMs = await this.#turn(lane);
      if (!signal.aborted) await this.#pause(waitMs);
    }
  }

  async #turn({ lane, turns }: Lane): Promise<number> {
    const waitMs = await turns.run(() => lane.turn(this.#stopped.signal));
    await this.#tidy();
    return waitMs;
  }

  /** Sees what there is, without shipping it. */
  async look(): Promise<void> {
    this.watch.seen(await this.#options.store.list());
  }

  /** Deletes what every sink has. A segment that cannot be deleted now is found again at the next turn. */
  async #tidy(): Promise<void> {
    const { store, log } = this.#options;
    try {
      const segments = await store.list();
      const isCovered = ({ id, isEnded }: Segment): boolean =>
        isEnded && this.lanes.every((lane) => lane.covers(id));
      for (const { id } of segments.filter(isCovered)) await store.remove(id);
      this.watch.seen(segments.filter((segment) => !isCovered(segment)));
    } catch (error) {
      this.watch.say("tidy", () => {
        log.error({ err: error }, `Segments that were shipped stay: ${messageOf(error)}`);
      });
    }
  }

  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#stopped;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#options.clock.schedule(delayMs, end);
      signal.addEventListener("abort", end);
    });
  }
}
