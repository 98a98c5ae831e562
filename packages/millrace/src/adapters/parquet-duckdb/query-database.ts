import { join } from "node:path";
import type { DuckDBInstance } from "@duckdb/node-api";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import { tableFolder } from "../../core/predictions/log-folder.ts";
import { loadDuckDb, quoted, quotedList } from "./open-duckdb.ts";

export interface QueryDatabaseOptions {
  /** Of the prediction log. */
  readonly folder: string;
  /** For what does not fit the memory, and for results on their way. */
  readonly temporaryFolder: string;
  readonly memoryBytesMax: number;
  readonly threadCount: number;
}

/** Disk space for what does not fit the memory, as a multiple of it. */
const SPILL_FACTOR = 8;

/** Where rows lie that are in no Parquet file yet: out of the way of `SHOW TABLES`. */
export const TAIL_SCHEMA = "unshipped";

/**
 * A database in memory for SQL that strangers write: nothing but the folders of the tables is within its reach, nothing
 * is loaded into it, and none of this can be changed again.
 */
export async function openQueryDatabase(options: QueryDatabaseOptions): Promise<DuckDBInstance> {
  const { folder, temporaryFolder, memoryBytesMax, threadCount } = options;
  const { DuckDBInstance: Instance } = await loadDuckDb();
  const instance = await Instance.create(":memory:", {
    memory_limit: mebibytes(memoryBytesMax),
    threads: String(threadCount),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  const reachable = LOG_TABLES.map((table) => `${join(folder, tableFolder(table))}/`);
  try {
    for (const statement of [
      `CREATE SCHEMA ${TAIL_SCHEMA}`,
      // As the folders and every time in them, wherever the machine is.
      "SET GLOBAL TimeZone = 'UTC'",
      `SET temp_directory = ${quoted(temporaryFolder)}`,
      `SET max_temp_directory_size = ${quoted(mebibytes(memoryBytesMax * SPILL_FACTOR))}`,
      // A month of hours is thousands of files: with the end of each kept, a query opens what it needs of them.
      "SET parquet_metadata_cache = true",
      "SET allow_community_extensions = false",
      "SET allow_persistent_secrets = false",
      `SET allowed_directories = ${quotedList([...reachable, `${temporaryFolder}/`])}`,
      "SET enable_external_access = false",
      "SET lock_configuration = true",
    ]) {
      await connection.run(statement);
    }
  } finally {
    connection.closeSync();
  }
  return instance;
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)}MiB`;
}
