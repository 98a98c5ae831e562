import type { LogConfig, PredictionLogConfig } from "../config/config.ts";
import type { LogTable } from "../core/predictions/log-block.ts";
import type { LaneFacts } from "./sink-lane.ts";

/** What the log process is told: at its start and when the file changes. */
export interface LogOrder {
  readonly stateDir: string;
  readonly log: PredictionLogConfig;
  readonly levels: LogConfig["levels"];
}

export interface SinkStatus extends LaneFacts {
  /** Segments that it has not got whole. */
  readonly segments: number;
  readonly bytes: number;
  /** Since the oldest of it came. */
  readonly lagSeconds: number;
}

export interface TableStatus {
  readonly table: LogTable;
  readonly files: number;
  readonly bytes: number;
  /** `2026-11-21`; undefined where there is no file. */
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
}

export interface LogStatus {
  /** The log's. */
  readonly folder: string;
  /** Is it this process that ships? Another one may. */
  readonly isShipping: boolean;
  /** Why nothing can be shipped; undefined when it can. */
  readonly problem: string | undefined;
  readonly sinks: readonly SinkStatus[];
  /** What no sink needs any more is not counted. */
  readonly segments: { readonly count: number; readonly bytes: number };
  readonly tables: readonly TableStatus[];
  readonly uncleanWriters: number;
  readonly damagedBlocks: number;
}

export interface ForgetOrder {
  /** Whom to forget, as the requests named it. One of the two is given. */
  readonly unit?: string;
  /** Or its keyed hash, as it is in the rows. */
  readonly unitHash?: string;
  readonly by: string;
  readonly reason: string;
}

export interface ForgetResult {
  readonly unitHash: string;
  /** Rows that were taken out of files. */
  readonly rows: number;
  /** Files that had some. */
  readonly files: number;
  /** Segments that may have more: it is left out of what is made of them. */
  readonly segments: number;
}
