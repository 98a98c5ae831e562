import { existsSync } from "node:fs";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { MillraceError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/one-at-a-time.ts";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import type { QueryEngine, QueryOrder, QueryResult } from "../../ports/query-engine.ts";
import type { SegmentStore } from "../../ports/segments.ts";
import { readBytes } from "./query-bytes.ts";
import { openQueryDatabase } from "./query-database.ts";
import { isFileGone, queryError } from "./query-error.ts";
import { readRows } from "./query-rows.ts";
import { takeSnapshot } from "./query-snapshot.ts";
import { prepareQuery } from "./query-statement.ts";
import { QueryTail } from "./query-tail.ts";
import { QueryTemporaryFolder } from "./query-temporary-folder.ts";
import { createViewSql } from "./query-views.ts";

export interface QueryEngineOptions {
  /** Of the prediction log. */
  readonly folder: string;
  readonly segments: SegmentStore;
  readonly memoryBytesMax: number;
  /** Longest time of a query that says nothing else, in milliseconds. */
  readonly timeoutMs: number;
  readonly threadCount: number;
  /** Rows outside Parquet files that are read at most; default: 5 million. */
  readonly tailRowsMax?: number;
}

interface Opened {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
  readonly tail: QueryTail;
}

/** Queries at once that may wait for their turn to look at the log. */
const LOOKS_WAITING_MAX = 16;

/** A look may be followed by a compaction that replaces its files; twice in a row is enough to give up. */
const ATTEMPTS_MAX = 3;

/** An interrupt that comes between two steps is lost; it is said again this often. */
const INTERRUPT_EVERY_MS = 20;

/**
 * Answers SQL over the log's folder with a DuckDB in this process. It is meant for a process of its own, which can be
 * killed when a query gets out of hand. `close` removes what it keeps on the disk.
 */
export class DuckDbQueryEngine implements QueryEngine {
  readonly #options: QueryEngineOptions;
  readonly #looks = new OneAtATime(LOOKS_WAITING_MAX);
  readonly #temporary: QueryTemporaryFolder;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #opened: Promise<Opened> | undefined;

  constructor(options: QueryEngineOptions) {
    this.#options = options;
    this.#temporary = new QueryTemporaryFolder(options.folder);
  }

  async query(order: QueryOrder, signal?: AbortSignal): Promise<QueryResult> {
    const { timeoutMs = this.#options.timeoutMs } = order;
    const timeout = AbortSignal.timeout(timeoutMs);
    const ends = [timeout, this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    const answer = this.#attempt(order, AbortSignal.any(ends));
    this.#running.add(answer);
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      if (timeout.aborted && !(error instanceof MillraceError)) throw tookTooLong(timeoutMs);
      throw queryError(error);
    } finally {
      this.#running.delete(answer);
    }
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    // A connection that is closed while it works takes the process with it.
    await Promise.allSettled(this.#running);
    const opened = await this.#opened?.catch(() => undefined);
    opened?.connection.closeSync();
    opened?.instance.closeSync();
    await this.#temporary.remove();
  }

  async #attempt(order: QueryOrder, signal: AbortSignal): Promise<QueryResult> {
    const startMs = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#withLog(signal, (connection) =>
          this.#answer(connection, order, startMs),
        );
      } catch (error) {
        if (!isFileGone(error) || attempt === ATTEMPTS_MAX) throw error;
        signal.throwIfAborted();
      }
    }
  }

  /** @param run is given a connection that sees the log as it is now, and nothing that comes after. */
  async #withLog<Result>(
    signal: AbortSignal,
    run: (connection: DuckDBConnection) => Promise<Result>,
  ): Promise<Result> {
    const { instance, tail } = await this.#open();
    const connection = await instance.connect();
    const stopInterrupting = interruptOn(signal, connection);
    try {
      await this.#whenFree(signal, () => this.#look(connection, tail, signal));
      signal.throwIfAborted();
      return await run(connection);
    } finally {
      stopInterrupting();
      connection.closeSync();
    }
  }

  /** One looks at a time; who waits for that goes when its signal says so, who looks stays until it has ended. */
  #whenFree(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let isLooking = false;
      const leave = (): void => {
        if (!isLooking) reject(signal.reason as Error);
      };
      signal.addEventListener("abort", leave, { once: true });
      const looked = this.#looks.run(() => {
        signal.throwIfAborted();
        isLooking = true;
        return look();
      });
      looked.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }

  async #look(connection: DuckDBConnection, tail: QueryTail, signal: AbortSignal): Promise<void> {
    const { folder, segments } = this.#options;
    await this.#temporary.make();
    const { files, unshipped, forgotten } = await takeSnapshot(folder, segments);
    await tail.refresh(unshipped, signal);
    for (const table of LOG_TABLES) {
      const relations = tail.relations(table);
      const view = createViewSql({ table, files: files[table], relations, forgotten });
      await connection.run(view);
    }
    // From here on, rows that are added to the tail or dropped from it are not this query's business.
    await connection.run("BEGIN TRANSACTION READ ONLY");
    await connection.run("SELECT count(*) FROM duckdb_tables()");
  }

  async #answer(
    connection: DuckDBConnection,
    { sql, parameters, format, rowsMax }: QueryOrder,
    startMs: number,
  ): Promise<QueryResult> {
    const statement = await prepareQuery(connection, sql, parameters);
    const result = await statement.stream();
    const tookMs = (): number => Math.round(performance.now() - startMs);
    if (format === "json") {
      return { kind: "rows", ...(await readRows(result, rowsMax)), tookMs: tookMs() };
    }
    const { instance } = await this.#open();
    const other = await instance.connect();
    try {
      const path = this.#temporary.newFile();
      const read = await readBytes(result, other, { format, rowsMax, path });
      return { kind: "bytes", ...read, tookMs: tookMs() };
    } finally {
      other.closeSync();
    }
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#openDatabase();
    this.#opened.catch(() => (this.#opened = undefined));
    return this.#opened;
  }

  async #openDatabase(): Promise<Opened> {
    const { folder, segments, memoryBytesMax, threadCount, tailRowsMax } = this.#options;
    if (!existsSync(folder)) {
      throw new MillraceError(
        "LOG_UNAVAILABLE",
        `Cannot query the log: there is none in ${folder}, it begins with the first prediction`,
      );
    }
    await this.#temporary.create();
    const temporaryFolder = this.#temporary.path;
    const instance = await openQueryDatabase({
      folder,
      temporaryFolder,
      memoryBytesMax,
      threadCount,
    });
    const connection = await instance.connect();
    const tail = new QueryTail({
      connection,
      segments,
      temporaryFolder,
      ...(tailRowsMax === undefined ? {} : { rowsMax: tailRowsMax }),
    });
    return { instance, connection, tail };
  }
}

/** @returns what ends it. */
function interruptOn(signal: AbortSignal, connection: DuckDBConnection): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return () => {
    signal.removeEventListener("abort", begin);
    clearInterval(timer);
  };
}

function closed(): MillraceError {
  return new MillraceError("LOG_UNAVAILABLE", "Cannot answer the query: its process is ending");
}

function tookTooLong(timeoutMs: number): MillraceError {
  return new MillraceError(
    "QUERY_TOO_LARGE",
    `Cannot answer the query: it takes longer than ${timeoutMs} ms, the limit is log.query.timeout; filter by dt, hour or model, or name fewer columns`,
  );
}
