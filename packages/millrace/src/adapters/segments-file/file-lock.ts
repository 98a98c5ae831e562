import { chmodSync, existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Held until it is released, or the process, or the thread that took it, is gone in whatever way. */
export interface FileLock {
  release(): void;
}

/** What SQLite says when another connection has the lock. */
const SQLITE_BUSY = 5;
/** What it says of a file that is none of its own, after it found that nobody has locked it. */
const SQLITE_NOTADB = 26;

/** Longest wait for those who only ask whether it is locked, for which they share it for a moment. */
const PROBE_MS_MAX = 50;

/**
 * Takes a lock that lives exactly as long as its holder: the system frees it on kill -9, and no file has to be
 * cleaned up. It is an exclusive transaction of SQLite on an empty file, because Node has no file locks of its own.
 *
 * Such a lock belongs to the process: closing any file handle of the same file gives it up. SQLite knows its own and
 * keeps them open; nothing else in the process may open the file.
 * @param path file that is for the lock alone; created when it is not there, its folder is not.
 * @returns undefined when somebody has it, in this process or another.
 * @throws when the file cannot be created or is something else.
 */
export function acquireFileLock(path: string): FileLock | undefined {
  const db = new DatabaseSync(path, { timeout: PROBE_MS_MAX });
  try {
    chmodSync(path, 0o600);
    // Without it there is a journal beside the file, which a killed process leaves behind.
    db.exec("pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    db.close();
    if (hasCode(error, SQLITE_BUSY)) return undefined;
    throw error;
  }
  return { release: () => db.close() };
}

/** Has somebody the lock, in this process or another? Whoever damaged the file has not locked it. */
export function isFileLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = openIfThere(path);
  if (db === undefined) return false;
  try {
    db.exec("select count(*) from sqlite_schema");
    return false;
  } catch (error) {
    if (hasCode(error, SQLITE_BUSY)) return true;
    if (hasCode(error, SQLITE_NOTADB)) return false;
    throw error;
  } finally {
    db.close();
  }
}

/** @returns undefined when somebody has deleted it meanwhile. */
function openIfThere(path: string): DatabaseSync | undefined {
  try {
    return new DatabaseSync(path, { timeout: 0, readOnly: true });
  } catch (error) {
    if (existsSync(path)) throw error;
    return undefined;
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === code;
}
