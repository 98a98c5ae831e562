import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { messageOf } from "../core/message-of.ts";
import type { QueryEngine, QueryOrder, QueryResult } from "../ports/query-engine.ts";
import { ForkedProcess } from "../supervisor/forked-process.ts";
import { ChannelClosedError } from "../supervisor/ipc-peer.ts";
import type { NumberedQuery, QuerySettings } from "./query-messages.ts";
import { QueryPlaces } from "./query-places.ts";

export interface QueryProcessOptions {
  /** Module the process runs. */
  readonly entry: string;
  readonly settings: QuerySettings;
  readonly clock: Clock;
  /** One line of its error stream. */
  readonly onLine: (line: string) => void;
}

/** Time the process may idle before it ends; to start again costs a quarter of a second. */
const IDLE_MS = 60_000;

/** Time an interrupted query has to end before its process is killed. */
const INTERRUPT_MS_MAX = 2_000;

/** Time the process has to start before it is given up. */
const START_MS_MAX = 20_000;

/**
 * Asks the prediction log through a process of its own, which is there while it is needed. What gets out of hand there,
 * in time or memory, costs that process and nothing else.
 */
export class QueryProcess implements QueryEngine {
  readonly #options: QueryProcessOptions;
  readonly #places = new QueryPlaces();
  #child: QueryChild | undefined;
  #cancelIdle = (): void => undefined;
  #lastId = 0;

  constructor(options: QueryProcessOptions) {
    this.#options = options;
  }

  async query(order: QueryOrder, signal?: AbortSignal): Promise<QueryResult> {
    const giveBack = await this.#places.take(signal);
    this.#cancelIdle();
    try {
      return await this.#ask(order, signal);
    } finally {
      giveBack();
      if (this.#places.isEmpty) {
        this.#cancelIdle = this.#options.clock.schedule(IDLE_MS, () => void this.#end());
      }
    }
  }

  async close(): Promise<void> {
    this.#cancelIdle();
    await this.#end();
  }

  async #ask(order: QueryOrder, signal: AbortSignal | undefined): Promise<QueryResult> {
    const { clock, settings } = this.#options;
    const { timeoutMs = settings.timeoutMs } = order;
    const child = (this.#child ??= this.#fork());
    const id = ++this.#lastId;
    let overdue = false;
    const kill = (): void => {
      overdue = true;
      this.#forget(child);
      child.kill();
    };
    const timers = [clock.schedule(START_MS_MAX + timeoutMs + INTERRUPT_MS_MAX, kill)];
    const cancel = (): void => {
      child.cancel(id);
      timers.push(clock.schedule(INTERRUPT_MS_MAX, kill));
    };
    try {
      await child.started;
      signal?.throwIfAborted();
      signal?.addEventListener("abort", cancel, { once: true });
      timers.push(clock.schedule(timeoutMs + INTERRUPT_MS_MAX, kill));
      return await child.query({ id, order });
    } catch (error) {
      signal?.throwIfAborted();
      if (overdue) throw tookTooLong(timeoutMs);
      throw await this.#explain(error, child);
    } finally {
      signal?.removeEventListener("abort", cancel);
      for (const cancelTimer of timers) cancelTimer();
    }
  }

  #fork(): QueryChild {
    const { entry, settings, onLine } = this.#options;
    const child = new QueryChild({ entry, methods: {}, onLine }, settings);
    void child.ended.then(() => this.#forget(child));
    return child;
  }

  /** The next query gets another one. */
  #forget(child: QueryChild): void {
    if (this.#child === child) this.#child = undefined;
  }

  async #explain(error: unknown, child: QueryChild): Promise<unknown> {
    if (error instanceof MillraceError) return error;
    // Nobody knows what state it is in now.
    this.#forget(child);
    if (!(error instanceof ChannelClosedError)) {
      child.stop();
      return unavailable(messageOf(error), error);
    }
    const why = await child.ended;
    const isMemory = why.startsWith("out of memory") || why.includes("SIGKILL");
    if (!isMemory) return unavailable(`its process ended, ${why}`, error);
    return new MillraceError(
      "QUERY_TOO_LARGE",
      `Cannot answer the query: its process was ${why}; group, filter or name fewer columns`,
    );
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.stop();
    const cancelKill = this.#options.clock.schedule(INTERRUPT_MS_MAX, () => child.kill());
    await child.ended;
    cancelKill();
  }
}

/** The process as it is seen from here. */
class QueryChild extends ForkedProcess {
  readonly started: Promise<void>;

  constructor(options: ConstructorParameters<typeof ForkedProcess>[0], settings: QuerySettings) {
    super(options);
    this.started = this.call("start", settings);
    this.started.catch(() => undefined); // whoever asks gets it
  }

  query(query: NumberedQuery): Promise<QueryResult> {
    return this.call("query", query);
  }

  cancel(id: number): void {
    this.call("cancel", id).catch(() => undefined); // it may have ended
  }

  stop(): void {
    this.call("stop", {}).catch(() => undefined); // it may end before it answers
  }
}

function unavailable(why: string, cause: unknown): MillraceError {
  return new MillraceError("LOG_UNAVAILABLE", `Cannot query the log: ${why}`, { cause });
}

function tookTooLong(timeoutMs: number): MillraceError {
  return new MillraceError(
    "QUERY_TOO_LARGE",
    `Cannot answer the query: it takes longer than ${timeoutMs} ms and could not be interrupted; filter by dt, hour or model, or name fewer columns`,
  );
}
