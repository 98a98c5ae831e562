import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { MillraceError } from "../../core/errors.ts";
import { readBlock } from "../../core/predictions/block-reader.ts";
import { LOG_COLUMNS } from "../../core/predictions/columns.ts";
import type { LogTable } from "../../core/predictions/log-block.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { rowLines } from "../../core/predictions/row-lines.ts";
import { segmentFileName, type SegmentId } from "../../core/predictions/segment-name.ts";
import type { ReadBlock, Segment, SegmentStore } from "../../ports/segments.ts";
import { TAIL_SCHEMA } from "./query-database.ts";
import { selectLines } from "./table-sql.ts";

export interface QueryTailOptions {
  /** Not used by anybody else. */
  readonly connection: DuckDBConnection;
  readonly segments: SegmentStore;
  readonly temporaryFolder: string;
  /** More rows than this are refused; default: 5 million. */
  readonly rowsMax?: number;
}

interface TailSegment {
  /** Table of the database that has its rows. */
  readonly relation: string;
  readonly table: LogTable;
  /** What is before it is in the relation. */
  offset: number;
  /** Length of the segment when it was read last. */
  seenBytes: number;
  rowCount: number;
}

/** About 2 GB of rows with inputs of a few columns; 10 minutes of 8,000 a second. */
const ROWS_MAX_DEFAULT = 5_000_000;

/** Text of rows that goes into the database at once. */
const LOAD_CHARACTERS = 8 * 2 ** 20;

/**
 * The rows of segments, as tables of the database: one a segment, so that the memory of those that are gone is free
 * again. Only what was added since the last time is read.
 */
export class QueryTail {
  readonly #options: QueryTailOptions;
  readonly #segments = new Map<string, TailSegment>();
  #lastNumber = 0;

  constructor(options: QueryTailOptions) {
    this.#options = options;
  }

  /**
   * Holds the rows of these segments and of no others; what an earlier call read before it failed stays read.
   * @throws QUERY_TOO_LARGE when there are too many, or `signal` is aborted; ENOENT when one is gone.
   */
  async refresh(segments: readonly Segment[], signal: AbortSignal): Promise<void> {
    const names = new Set(segments.map(({ id }) => nameOf(id)));
    for (const name of this.#segments.keys()) if (!names.has(name)) await this.#drop(name);
    for (const { id, byteLength } of segments) {
      const segment = this.#segments.get(nameOf(id)) ?? (await this.#create(id));
      if (segment.seenBytes === byteLength) continue;
      await this.#read(id, segment, signal);
      segment.seenBytes = byteLength;
    }
  }

  /** Tables of the database with the rows of a table of the log. */
  relations(table: LogTable): readonly string[] {
    const held = [...this.#segments.values()];
    return held.filter((segment) => segment.table === table).map(({ relation }) => relation);
  }

  get rowCount(): number {
    return [...this.#segments.values()].reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  async #create(id: SegmentId): Promise<TailSegment> {
    const { table } = id;
    const relation = `${TAIL_SCHEMA}.${table}_${++this.#lastNumber}`;
    const columns = LOG_COLUMNS[table].map(({ name, type }) => `"${name}" ${type}`);
    await this.#options.connection.run(`CREATE TABLE ${relation} (${columns.join(", ")})`);
    const segment: TailSegment = { relation, table, offset: 0, seenBytes: 0, rowCount: 0 };
    this.#segments.set(nameOf(id), segment);
    return segment;
  }

  async #drop(name: string): Promise<void> {
    const relation = this.#segments.get(name)?.relation;
    this.#segments.delete(name);
    // A query that still reads it has its own view of the database.
    if (relation !== undefined) await this.#options.connection.run(`DROP TABLE ${relation}`);
  }

  async #read(id: SegmentId, segment: TailSegment, signal: AbortSignal): Promise<void> {
    let lines = "";
    let endOffset = segment.offset;
    for await (const block of this.#options.segments.read(id, segment.offset, () => undefined)) {
      if (signal.aborted) throw this.#outOfTime();
      lines += linesOf(block, id);
      endOffset = block.endOffset;
      if (lines.length < LOAD_CHARACTERS) continue;
      await this.#load(segment, lines, endOffset);
      lines = "";
    }
    await this.#load(segment, lines, endOffset);
  }

  /** What was read so far stays, so that asking again helps. */
  #outOfTime(): MillraceError {
    return new MillraceError(
      "QUERY_TOO_LARGE",
      `Cannot query the log: its time ran out while rows were read that are in no Parquet file yet, ${this.rowCount} so far; ask again, and it goes on from there`,
    );
  }

  async #load(segment: TailSegment, lines: string, endOffset: number): Promise<void> {
    if (lines !== "") segment.rowCount += await this.#insert(segment, lines);
    segment.offset = endOffset;
    const { rowsMax = ROWS_MAX_DEFAULT } = this.#options;
    if (this.rowCount <= rowsMax) return;
    throw new MillraceError(
      "QUERY_TOO_LARGE",
      `Cannot query the log: more than ${rowsMax} rows are not in Parquet files yet, millrace log status says why`,
    );
  }

  /** DuckDB reads text far faster than it takes single values from here. @returns the rows there were. */
  async #insert({ table, relation }: TailSegment, lines: string): Promise<number> {
    const { connection, temporaryFolder } = this.#options;
    const path = join(temporaryFolder, "tail.jsonl");
    try {
      await writeFile(path, lines);
      const rows = selectLines(LOG_COLUMNS[table], path);
      const { rowsChanged } = await connection.run(`INSERT INTO ${relation} ${rows}`);
      return rowsChanged;
    } finally {
      await rm(path, { force: true });
    }
  }
}

/** Rows as lines of JSON. Whoever ships the segment tells of what cannot be read. */
function linesOf({ bytes }: ReadBlock, { table, writer }: SegmentId): string {
  if (table !== "predictions") return Buffer.from(bytes).toString("utf8");
  let lines = "";
  for (const record of recordsIfPossible(bytes)) lines += linesIfPossible(record, writer);
  return lines;
}

function recordsIfPossible(bytes: Uint8Array): readonly LoggedPrediction[] {
  try {
    return readBlock(bytes);
  } catch {
    return [];
  }
}

function linesIfPossible(record: LoggedPrediction, writer: string): string {
  try {
    return rowLines(record, writer);
  } catch {
    return "";
  }
}

function nameOf(id: SegmentId): string {
  return `${id.writer}/${segmentFileName(id)}`;
}
