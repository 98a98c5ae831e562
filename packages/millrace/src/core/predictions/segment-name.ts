import { LOG_TABLES, type LogTable } from "./log-block.ts";

/** A file of blocks of one table, written by one process from its start to its end. */
export interface SegmentId {
  /** Process that wrote it, unlike every other one: `p0-01992f3c7a5e`. */
  readonly writer: string;
  readonly table: LogTable;
  /** From 1, in the order they were written. */
  readonly number: number;
}

/** `predictions-00000012.segment` */
export function segmentFileName({ table, number }: SegmentId): string {
  return `${table}-${String(number).padStart(8, "0")}.segment`;
}

const FILE_NAME = new RegExp(`^(${LOG_TABLES.join("|")})-(\\d{8})\\.segment$`);

/** @returns undefined for a file that is none. */
export function readSegmentFileName(writer: string, name: string): SegmentId | undefined {
  const [, table, digits] = FILE_NAME.exec(name) ?? [];
  if (table === undefined || digits === undefined) return undefined;
  return { writer, table: table as LogTable, number: Number(digits) };
}

/** Name of everything that is made of the segment, so that making it again replaces it: `p0-01992f3c7a5e-00000012`. */
export function segmentKey({ writer, number }: SegmentId): string {
  return `${writer}-${String(number).padStart(8, "0")}`;
}
