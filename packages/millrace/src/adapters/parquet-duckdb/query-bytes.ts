import { readFile, rm, stat } from "node:fs/promises";
import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult, DuckDBType } from "@duckdb/node-api";
import { MillraceError } from "../../core/errors.ts";
import type { QueryFormat } from "../../ports/query-engine.ts";
import { loadDuckDb, quoted } from "./open-duckdb.ts";

export interface BytesOrder {
  readonly format: Exclude<QueryFormat, "json">;
  readonly rowsMax: number;
  /** A file that is not there yet, and will not be any more. */
  readonly path: string;
}

export interface ReadBytes {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

/** A result travels between processes in one piece. */
const RESULT_BYTES_MAX = 256 * 2 ** 20;

const COPY_OPTIONS: Readonly<Record<BytesOrder["format"], string>> = {
  csv: "FORMAT csv, HEADER",
  jsonl: "FORMAT json",
  parquet: "FORMAT parquet, COMPRESSION zstd",
};

/**
 * The first rows of a result as a file. They become a table first, whatever the query was: nothing of its text is put
 * into a statement that writes.
 * @param connection another one than the result's.
 * @throws QUERY_TOO_LARGE when the file is.
 */
export async function readBytes(
  result: DuckDBResult,
  connection: DuckDBConnection,
  { format, rowsMax, path }: BytesOrder,
): Promise<ReadBytes> {
  const isCut = await fillTable(result, connection, rowsMax);
  try {
    await connection.run(`COPY result TO ${quoted(path)} (${COPY_OPTIONS[format]})`);
    const { size } = await stat(path);
    if (size > RESULT_BYTES_MAX) {
      throw new MillraceError(
        "QUERY_TOO_LARGE",
        `Cannot answer the query: the result has ${size} bytes, at most ${RESULT_BYTES_MAX} are sent`,
      );
    }
    return { bytes: await readFile(path), isCut };
  } finally {
    await rm(path, { force: true });
  }
}

/** @returns whether there were more rows than those. */
async function fillTable(
  result: DuckDBResult,
  connection: DuckDBConnection,
  rowsMax: number,
): Promise<boolean> {
  const names = result.deduplicatedColumnNames();
  const untyped = await untypedId();
  const columns = names.map((name, index) => {
    const type = result.columnType(index);
    return `"${name.replaceAll('"', '""')}" ${typeText(type, untyped)}`;
  });
  await connection.run(`CREATE TEMP TABLE result (${columns.join(", ")})`);
  const appender = await connection.createAppender("result", "main", "temp");
  let rowCount = 0;
  try {
    for (;;) {
      const chunk: DuckDBDataChunk | null = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return false;
      const isCut = rowCount + chunk.rowCount > rowsMax;
      if (isCut) chunk.rowCount = rowsMax - rowCount;
      if (chunk.rowCount > 0) appender.appendDataChunk(chunk);
      rowCount += chunk.rowCount;
      if (isCut) return true;
    }
  } finally {
    appender.closeSync();
  }
}

/** A column of nothing but NULL has a type that no table can have. */
function typeText(type: DuckDBType, untyped: number): string {
  return type.typeId === untyped ? "INTEGER" : String(type);
}

async function untypedId(): Promise<number> {
  return (await loadDuckDb()).DuckDBTypeId.SQLNULL;
}
