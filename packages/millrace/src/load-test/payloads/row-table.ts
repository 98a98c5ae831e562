import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { messageOf } from "../../core/message-of.ts";
import type { RowReader } from "../../ports/row-reader.ts";
import { boundedBytes } from "../bounded-bytes.ts";
import { LoadInputError } from "../load-input-error.ts";
import { addCsvRows } from "./csv-rows.ts";
import { addJsonLines } from "./json-lines.ts";
import type { RowTable } from "./load-target.ts";
import { RowTableBuilder } from "./row-table-builder.ts";

/** Of a csv or json lines file, which is read in one piece. */
const FILE_BYTES_MAX = 256 * 2 ** 20;

export interface RowTableOptions {
  readonly order: RowTable["order"];
  /** Called for a Parquet file only: it loads a database. */
  readonly openRowReader: () => Promise<RowReader>;
}

/**
 * Reads a .csv (with a header), .jsonl (objects or lists) or .parquet file.
 * @throws LoadInputError when it cannot be read, is empty, or has more than 256 MiB or 10 million values.
 */
export async function readRowTable(path: string, options: RowTableOptions): Promise<RowTable> {
  const { order } = options;
  switch (extname(path).toLowerCase()) {
    case ".csv":
      return addCsvRows(path, await readBounded(path)).finish(order);
    case ".jsonl":
    case ".ndjson":
      return addJsonLines(path, await readBounded(path)).finish(order);
    case ".parquet":
    case ".pq":
      return (await readParquet(path, await options.openRowReader())).finish(order);
    default:
      throw new LoadInputError(
        `${path}: rows come from a .csv, .jsonl, .ndjson, .parquet or .pq file`,
      );
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    const bytes = await boundedBytes(createReadStream(path), FILE_BYTES_MAX);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    throw new LoadInputError(`${path}: ${messageOf(error)}`, { cause: error });
  }
  throw new LoadInputError(
    `${path}: larger than ${FILE_BYTES_MAX / 2 ** 20} MiB, take fewer rows or a .parquet file`,
  );
}

async function readParquet(path: string, reader: RowReader): Promise<RowTableBuilder> {
  try {
    return await reader.withRows(path, async ({ columns, batches }) => {
      const builder = new RowTableBuilder(path, columns);
      for await (const batch of batches) for (const row of batch) builder.addRow(row);
      return builder;
    });
  } catch (error) {
    if (error instanceof LoadInputError) throw error;
    throw new LoadInputError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
