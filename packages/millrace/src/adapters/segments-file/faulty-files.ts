import { systemFiles, type OpenFile, type SegmentFiles } from "./segment-files.ts";

/** Real files on a disk that a test makes full, slow or broken. It syncs nothing, and so takes no time of its own. */
export class FaultyFiles implements SegmentFiles {
  /** Bytes that still fit; a write takes what fits, and fails when nothing does. */
  bytesLeft = Infinity;
  /** Thrown by what it is named after, unless undefined. */
  syncError: Error | undefined;
  truncateError: Error | undefined;
  createError: Error | undefined;
  /** What a sync waits for. */
  syncGate: Promise<void> = Promise.resolve();
  syncCount = 0;
  writeCount = 0;
  syncsRunning = 0;
  syncsRunningMax = 0;

  createFolder(path: string): void {
    systemFiles.createFolder(path);
  }

  isThere(path: string): boolean {
    return systemFiles.isThere(path);
  }

  remove(path: string): void {
    systemFiles.remove(path);
  }

  syncFolder(): Promise<void> {
    return Promise.resolve();
  }

  create(path: string): OpenFile {
    if (this.createError !== undefined) throw this.createError;
    const file = systemFiles.create(path);
    return {
      write: (parts, position) => {
        this.writeCount++;
        const taken = firstBytes(parts, this.bytesLeft);
        if (taken.length === 0) throw codeError("ENOSPC: no space left on device, write");
        const written = file.write(taken, position);
        this.bytesLeft -= written;
        return written;
      },
      truncate: (byteLength) => {
        if (this.truncateError !== undefined) throw this.truncateError;
        file.truncate(byteLength);
      },
      sync: () => this.#sync(),
      close: () => file.close(),
    };
  }

  async #sync(): Promise<void> {
    this.syncCount++;
    this.syncsRunning++;
    this.syncsRunningMax = Math.max(this.syncsRunningMax, this.syncsRunning);
    try {
      await this.syncGate;
      if (this.syncError !== undefined) throw this.syncError;
    } finally {
      this.syncsRunning--;
    }
  }
}

export function codeError(message: string): Error {
  return Object.assign(new Error(message), { code: message.split(":")[0] });
}

function firstBytes(parts: readonly Uint8Array[], byteCount: number): readonly Uint8Array[] {
  const taken: Uint8Array[] = [];
  let left = byteCount;
  for (const part of parts) {
    if (left <= 0) break;
    taken.push(part.subarray(0, left));
    left -= part.length;
  }
  return taken;
}
