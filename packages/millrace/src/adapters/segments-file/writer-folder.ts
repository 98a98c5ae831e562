import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { WAL_FOLDER } from "../../core/predictions/log-folder.ts";
import { acquireFileLock, isFileLocked, type FileLock } from "./file-lock.ts";
import type { SegmentFiles } from "./segment-files.ts";

/** In the folder of every writer; held as long as it lives. */
export const WRITER_LOCK_FILE = "lock";

/** The folder of one writer, which shows that it lives by a lock in it. It is there from its first block on. */
export class WriterFolder {
  readonly path: string;
  readonly #files: SegmentFiles;
  #lock: FileLock | undefined;

  constructor(files: SegmentFiles, logFolder: string, writer: string) {
    this.#files = files;
    this.path = join(logFolder, WAL_FOLDER, writer);
  }

  /** Creates and locks it, unless that is done. @throws when it cannot be now. */
  async open(): Promise<void> {
    const path = join(this.path, WRITER_LOCK_FILE);
    if (this.#lock !== undefined) {
      if (this.#files.isThere(path)) return;
      // Somebody deleted the folder of the log.
      this.#lock.release();
      this.#lock = undefined;
    }
    this.#files.createFolder(this.path);
    const lock = acquireFileLock(path);
    if (lock === undefined) throw new Error(`Cannot write to "${this.path}": another one does`);
    try {
      // Somebody may have taken it for the folder of a dead writer before it was locked.
      if (!this.#files.isThere(path))
        throw new Error(`Cannot write to "${this.path}": it was removed`);
      await this.#files.syncFolder(dirname(this.path));
    } catch (error) {
      lock.release();
      throw error;
    }
    this.#lock = lock;
  }

  /** Gives it up; removes it when nothing is in it. */
  close(): void {
    if (this.#lock === undefined) return;
    try {
      removeIfEmpty(this.path);
    } catch {
      // Whoever reads the segments removes it later.
    }
    this.#lock.release();
    this.#lock = undefined;
  }
}

/** Removes the folders of writers that are dead and whose segments are all gone. */
export function removeDeadFolders(walFolder: string): void {
  for (const entry of readdirSync(walFolder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeDeadFolder(join(walFolder, entry.name));
  }
}

/**
 * Whoever writes there has the lock; with the lock, nobody begins to. What cannot be removed now is when the next
 * segment is.
 */
function removeDeadFolder(path: string): void {
  const lockPath = join(path, WRITER_LOCK_FILE);
  try {
    if (!isEmpty(path) || isFileLocked(lockPath)) return;
    const lock = existsSync(lockPath) ? acquireFileLock(lockPath) : undefined;
    removeIfEmpty(path);
    lock?.release();
  } catch {
    // Gone by now, or not to be opened.
  }
}

/** One in which somebody begins to write at this moment stays, or goes: that one finds out, and begins again. */
function removeIfEmpty(path: string): void {
  if (!isEmpty(path)) return;
  rmSync(join(path, WRITER_LOCK_FILE), { force: true });
  rmdirSync(path);
}

function isEmpty(path: string): boolean {
  return readdirSync(path).every((name) => name === WRITER_LOCK_FILE);
}
