import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import type { LogBlock } from "../../core/predictions/log-block.ts";
import { blockHeader, endFrame } from "./frame.ts";
import type { OpenFile, SegmentFiles } from "./segment-files.ts";

/**
 * A segment that is being written. It holds whole frames only: what of a write arrived before it failed is cut off
 * before anything else is written.
 */
export class SegmentFile {
  readonly path: string;
  readonly openedAtMs: number;
  readonly #files: SegmentFiles;
  readonly #file: OpenFile;
  readonly #salt = randomBytes(4).readUInt32LE();
  #byteLength = 0;
  #rowCount = 0;
  #isTailCut = true;
  #isEnded = false;
  #isNameSynced = false;
  /** When the oldest frame came that no sync has begun to cover. */
  #dirtySinceMs: number | undefined;
  /** The same of the sync that runs. */
  #syncingSinceMs: number | undefined;
  #lastSync: Promise<void> = Promise.resolve();

  /** Creates it. @throws what the file system throws; then there is none. */
  constructor(files: SegmentFiles, path: string, nowMs: number) {
    this.#files = files;
    this.path = path;
    this.openedAtMs = nowMs;
    this.#file = files.create(path);
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** Rows of the table; what was taken back counts too. */
  get rowCount(): number {
    return this.#rowCount;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** When the oldest frame came that may not be on the disk; undefined when all is. */
  get unsyncedSinceMs(): number | undefined {
    return this.#syncingSinceMs ?? this.#dirtySinceMs;
  }

  /** @param sinceMs when the oldest of them came. @throws what the file system throws; then none of them is in it. */
  append(blocks: readonly LogBlock[], sinceMs: number): void {
    const parts: Uint8Array[] = [];
    let rowCount = this.#rowCount;
    for (const block of blocks) {
      const { bytes, recordCount } = block;
      parts.push(blockHeader(this.#salt, recordCount, bytes), bytes);
      rowCount += rowCountOf(block);
    }
    this.#write(parts);
    this.#rowCount = rowCount;
    this.#dirtySinceMs ??= sinceMs;
  }

  /** Says in the file that nothing follows. @throws what the file system throws; then it is as before. */
  end(nowMs: number): void {
    this.#write([endFrame(this.#salt)]);
    this.#isEnded = true;
    this.#dirtySinceMs ??= nowMs;
  }

  /** Gives up a file that somebody deleted: what was in it is lost, and nothing more is to be. */
  abandon(): void {
    this.#isEnded = true;
  }

  /** Takes back what was appended since it had `byteLength` bytes. */
  rollBack(byteLength: number): void {
    this.#byteLength = byteLength;
    this.#isTailCut = false;
    this.#cutTail();
  }

  /** What was appended before is on the disk when this resolves. */
  sync(): Promise<void> {
    const sync = this.#lastSync.then(() => this.#sync());
    this.#lastSync = sync.catch(() => undefined);
    return sync;
  }

  /** Closes it, and deletes it when nothing was ever written. */
  async close(): Promise<void> {
    // The number of a closed file may be another one's while its sync still runs.
    await this.#lastSync;
    this.#file.close();
    if (this.#byteLength === 0) this.#files.remove(this.path);
  }

  #write(parts: readonly Uint8Array[]): void {
    this.#cutTail();
    this.#isTailCut = false;
    try {
      this.#byteLength = this.#writeAll(parts);
      this.#isTailCut = true;
    } catch (error) {
      try {
        this.#cutTail();
      } catch {
        // Tried again before the next write.
      }
      throw error;
    }
  }

  #cutTail(): void {
    if (this.#isTailCut) return;
    this.#file.truncate(this.#byteLength);
    this.#isTailCut = true;
  }

  /** @returns where it ends. */
  #writeAll(parts: readonly Uint8Array[]): number {
    let position = this.#byteLength;
    let left = parts;
    while (left.length > 0) {
      const written = this.#file.write(left, position);
      if (written === 0) throw new Error(`Cannot write "${this.path}": the system takes nothing`);
      position += written;
      left = withoutFirst(left, written);
    }
    return position;
  }

  async #sync(): Promise<void> {
    this.#syncingSinceMs = this.#dirtySinceMs;
    this.#dirtySinceMs = undefined;
    try {
      await this.#file.sync();
      if (!this.#isNameSynced) await this.#files.syncFolder(dirname(this.path));
      this.#isNameSynced = true;
    } catch (error) {
      this.#dirtySinceMs = this.#syncingSinceMs;
      throw error;
    } finally {
      this.#syncingSinceMs = undefined;
    }
  }
}

export function rowCountOf({ recordCount, rowCount = recordCount }: LogBlock): number {
  return rowCount;
}

function withoutFirst(parts: readonly Uint8Array[], byteCount: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [i, part] of parts.entries()) {
    if (skipped + part.length > byteCount) {
      return [part.subarray(byteCount - skipped), ...parts.slice(i + 1)];
    }
    skipped += part.length;
  }
  return [];
}
