import {
  existsSync,
  closeSync,
  fdatasync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writevSync,
} from "node:fs";
import { promisify } from "node:util";

/** A file that is being written. */
export interface OpenFile {
  /** @returns bytes written, which may be fewer than there are. */
  write(parts: readonly Uint8Array[], position: number): number;
  truncate(byteLength: number): void;
  /** What is in it is on the disk when this resolves. */
  sync(): Promise<void>;
  close(): void;
}

/** What writing segments asks of the file system; a port, so that tests can make it slow, full and broken. */
export interface SegmentFiles {
  /** With those above it; for this user alone. */
  createFolder(path: string): void;
  /** @throws when it is there. */
  create(path: string): OpenFile;
  isThere(path: string): boolean;
  /** Fine when it is gone. */
  remove(path: string): void;
  /** The names in it are on the disk when this resolves. */
  syncFolder(path: string): Promise<void>;
}

const fdatasyncOf = promisify(fdatasync);
const fsyncOf = promisify(fsync);

/**
 * The file system. Writing blocks the thread, which is what the thread is for; forcing to the disk, which may take
 * seconds, does not, so that writing goes on meanwhile.
 */
export const systemFiles: SegmentFiles = {
  createFolder(path) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  },
  create(path) {
    const fd = openSync(path, "wx", 0o600);
    return {
      write: (parts, position) => writevSync(fd, parts, position),
      truncate: (byteLength) => ftruncateSync(fd, byteLength),
      sync: () => fdatasyncOf(fd),
      close: () => closeSync(fd),
    };
  },
  isThere: existsSync,
  remove(path) {
    rmSync(path, { force: true });
  },
  async syncFolder(path) {
    const fd = openSync(path, "r");
    try {
      await fsyncOf(fd);
    } finally {
      closeSync(fd);
    }
  },
};
