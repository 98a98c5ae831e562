import type { ForgetResult, SinkStatus, TableStatus } from "../shipping/log-messages.ts";
import type { LogReport } from "./control-messages.ts";

/** What `GET /api/v1/log` answers. */
export interface LogStatusAnswer {
  readonly folder: string;
  /** Is it this Millrace that ships? Another one of the same folder may. */
  readonly shipping: boolean;
  /** Why nothing is shipped. */
  readonly problem: string | null;
  readonly sinks: readonly SinkAnswer[];
  readonly segments: { readonly count: number; readonly bytes: number };
  readonly tables: readonly TableAnswer[];
  /** What the serve processes have left out since they started, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** What they have logged without inputs and prediction, likewise. */
  readonly without_payload: Readonly<Record<string, number>>;
  /** Processes that ended without ending their segments. */
  readonly unclean_writers: number;
  readonly damaged_blocks: number;
}

export interface SinkAnswer {
  readonly name: string;
  /** Taken since it started. */
  readonly rows: number;
  /** Since the oldest of what it has not got came. */
  readonly lag_seconds: number;
  readonly waiting: { readonly segments: number; readonly bytes: number };
  readonly errors: number;
  readonly problem: string | null;
  readonly unreadable: number;
  /** Segments it could never take. */
  readonly set_aside: number;
}

export interface TableAnswer {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** `2026-11-21` */
  readonly oldest: string | null;
  readonly newest: string | null;
}

/** What `POST /api/v1/log/forget` answers. */
export interface ForgetAnswer {
  readonly unit_hash: string;
  readonly rows: number;
  readonly files: number;
  readonly segments: number;
}

export function logStatusJson({ log, dropped, withoutPayload }: LogReport): LogStatusAnswer {
  return {
    folder: log.folder,
    shipping: log.isShipping,
    problem: log.problem ?? null,
    sinks: log.sinks.map(sinkJson),
    segments: log.segments,
    tables: log.tables.map(tableJson),
    dropped,
    without_payload: withoutPayload,
    unclean_writers: log.uncleanWriters,
    damaged_blocks: log.damagedBlocks,
  };
}

function sinkJson(sink: SinkStatus): SinkAnswer {
  return {
    name: sink.sink,
    rows: sink.rows,
    lag_seconds: sink.lagSeconds,
    waiting: { segments: sink.segments, bytes: sink.bytes },
    errors: sink.errors,
    problem: sink.problem ?? null,
    unreadable: sink.unreadable,
    set_aside: sink.setAside,
  };
}

function tableJson({ table, files, bytes, oldest, newest }: TableStatus): TableAnswer {
  return { name: table, files, bytes, oldest: oldest ?? null, newest: newest ?? null };
}

export function forgetJson({ unitHash, rows, files, segments }: ForgetResult): ForgetAnswer {
  return { unit_hash: unitHash, rows, files, segments };
}
