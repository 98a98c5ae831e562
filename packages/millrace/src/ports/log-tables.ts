import type { JsonValue } from "../core/json.ts";
import type { LogTable } from "../core/predictions/log-block.ts";

export interface TableFile {
  /** Relative to the log's folder: `predictions/dt=2026-11-21/hour=16/model=iris/p0-….parquet`. */
  readonly path: string;
  readonly table: LogTable;
  /** `2026-11-21` */
  readonly date: string;
  readonly byteLength: number;
}

/** What a rewrite leaves out. */
export type RewriteChange =
  | { readonly kind: "compact" }
  /** Inputs, prediction and attributes; labels, scores and times stay. */
  | { readonly kind: "drop_payload" }
  /** Rows with one of these hashes. */
  | { readonly kind: "forget"; readonly unitHashes: readonly string[] };

/** The files of the tables, for whoever keeps them tidy. Only one process at a time changes them. */
export interface LogTables {
  list(): Promise<readonly TableFile[]>;
  /**
   * Writes the rows of several files of one partition into one new file and deletes them. Killed at any point, it is
   * finished or undone by `recover`.
   * @returns rows that were left out.
   */
  rewrite(files: readonly TableFile[], change: RewriteChange): Promise<number>;
  /** Deletes files whole. */
  remove(files: readonly TableFile[]): Promise<void>;
  /** Finishes or undoes what a process that was killed was at. */
  recover(): Promise<void>;
  /** The row of a prediction; undefined when no file has it. */
  find(predictionId: string): Promise<JsonValue | undefined>;
  close(): Promise<void>;
}
