import type { JsonValue } from "../core/json.ts";
import type { LogTable } from "../core/predictions/log-block.ts";

export interface TableFile {
  /** Relative to the log's folder: `predictions/dt=2026-11-21/hour=16/model=iris/p0-….parquet`. */
  readonly path: string;
  readonly table: LogTable;
  /** Its folder: `predictions/dt=2026-11-21/hour=16/model=iris`. */
  readonly partition: string;
  /** `2026-11-21` */
  readonly date: string;
  /** 0 to 23; undefined where the table has no folders of hours. */
  readonly hour: number | undefined;
  /** Are inputs and predictions taken out of its rows? */
  readonly isWithoutPayload: boolean;
  readonly byteLength: number;
}

export interface HoldingFile {
  readonly file: TableFile;
  readonly rowCount: number;
}

/** Rows with one of these hashes, and feedback that names a prediction with one. */
export interface ForgetChange {
  readonly kind: "forget";
  readonly unitHashes: readonly string[];
  /** Predictions of theirs that may be in no file, without `#row`: feedback that names them goes too. */
  readonly predictionIds: readonly string[];
}

/** What a rewrite leaves out. */
export type RewriteChange =
  | { readonly kind: "compact" }
  /** Inputs, prediction and attributes; labels, scores and times stay. */
  | { readonly kind: "drop_payload" }
  | ForgetChange;

/** The files of the tables, for whoever keeps them tidy. Only one process at a time changes them. */
export interface LogTables {
  /** Without those that others have replaced. */
  list(): Promise<readonly TableFile[]>;
  /**
   * Writes the rows of several files of one partition into one new file and deletes them. Killed at any point, it is
   * finished or undone by `recover`.
   * @returns rows that were left out.
   * @throws when it cannot be done now, as when a file that was replaced earlier still cannot be deleted.
   */
  rewrite(files: readonly TableFile[], change: RewriteChange): Promise<number>;
  /** Deletes files whole. */
  remove(files: readonly TableFile[]): Promise<void>;
  /** Finishes or undoes what a process that was killed was at. */
  recover(): Promise<void>;
  /** Files of a table with rows that a change would leave out, and how many. */
  holding(table: LogTable, change: ForgetChange): Promise<readonly HoldingFile[]>;
  /** Those of some predictions, named without `#row`, that files say are of a unit. */
  predictionsOf(unitHash: string, predictionIds: readonly string[]): Promise<readonly string[]>;
  /**
   * The rows of a prediction, by row, at most 16: of `<id>` those of its whole request, of `<id>#3` that one. Columns as in
   * `LOG_COLUMNS`, `ts` in microseconds; JSON stays text.
   * @returns undefined when no file has it.
   */
  find(predictionId: string): Promise<readonly JsonValue[] | undefined>;
  close(): Promise<void>;
}
