import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { messageOf } from "../../core/message-of.ts";

export interface DuckDbOptions {
  /** Where it puts what does not fit its memory. */
  readonly spillFolder: string;
  readonly memoryBytesMax: number;
}

/** After these DuckDB refuses everything until it is opened again. */
const BROKEN = /^(?:FATAL|INTERNAL) Error/i;

/** A DuckDB in memory, loaded when it is asked for the first time: it is 70 MB that many processes never need. */
export class DuckDb {
  readonly #options: DuckDbOptions;
  #opened: Promise<DuckDBInstance> | undefined;

  constructor(options: DuckDbOptions) {
    this.#options = options;
  }

  /** @throws an error that says what to install when it cannot be loaded. */
  async connect(): Promise<DuckDBConnection> {
    this.#opened ??= openDuckDb(this.#options);
    try {
      return await (await this.#opened).connect();
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  /** @param run what is done with a connection of its own. @param signal interrupts it. */
  async with<Result>(
    run: (connection: DuckDBConnection) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const connection = await this.connect();
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      signal?.throwIfAborted();
      return await run(connection);
    } catch (error) {
      if (BROKEN.test(messageOf(error))) this.#opened = undefined;
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", interrupt);
      connection.closeSync();
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    (await opened)?.closeSync();
  }
}

async function openDuckDb(options: DuckDbOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance: Instance } = await loadDuckDb();
  return Instance.create(":memory:", {
    memory_limit: `${Math.floor(options.memoryBytesMax / 2 ** 20)}MiB`,
    threads: "1",
    temp_directory: options.spillFolder,
    // It keeps the order anyway with one thread; without this it would hold whole row groups of any size in memory.
    preserve_insertion_order: "false",
    // Everything needed is built in: nothing is ever fetched from a network.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
}

/** @throws an error that says what to install when it cannot be loaded. */
export async function loadDuckDb(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import("@duckdb/node-api");
  } catch (error) {
    const hint = `install "@duckdb/node-api" with its part for ${process.platform}-${process.arch}`;
    throw new Error(
      `Cannot open the prediction log's tables: DuckDB cannot be loaded (${messageOf(error)}); ${hint}, or set log.sink to off`,
      { cause: error },
    );
  }
}

/** A text as SQL has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Several as a list of DuckDB. */
export function quotedList(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(", ")}]`;
}
