import type { LogTable } from "./log-block.ts";

/**
 * The folder of the prediction log, `<state.dir>/log`. People and foreign readers open the tables; everything else is
 * Millrace's own.
 *
 * predictions/dt=2026-11-21/hour=16/model=iris/<writer>-<number>.parquet
 * feedback/dt=2026-11-21/<writer>-<number>.parquet
 * wal/<writer>/<table>-<number>.segment      what was written first; deleted when every sink has it
 * wal/<writer>/lock                          held as long as its process lives
 * cursors/<sink>.json                        how far each sink is
 * rewrites/<id>.json                         files that are being replaced by others
 * forgotten.json                             units that are to be left out of what is still in segments
 * retention.json                             the time by which rows are old, which does not jump as a clock may
 * quarantine/                                segments a sink could not take, for people to look at
 * key                                        of keyed hashes, unless the file has one
 * tmp/                                       emptied at the start of whoever owns what is in it
 */
export const LOG_FOLDER = "log";

export function tableFolder(table: LogTable): string {
  return table;
}

export const WAL_FOLDER = "wal";
export const CURSORS_FOLDER = "cursors";
export const REWRITES_FOLDER = "rewrites";
export const TEMPORARY_FOLDER = "tmp";
export const QUARANTINE_FOLDER = "quarantine";
export const RETENTION_FILE = "retention.json";
export const FORGOTTEN_FILE = "forgotten.json";
export const KEY_FILE = "key";
/** Held by the one process that ships, compacts and forgets. */
export const SHIPPER_LOCK_FILE = "shipper.lock";
