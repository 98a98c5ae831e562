import { open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { WAL_FOLDER } from "../../core/predictions/log-folder.ts";
import {
  readSegmentFileName,
  segmentFileName,
  type SegmentId,
} from "../../core/predictions/segment-name.ts";
import type { ReadBlock, Segment, SegmentStore } from "../../ports/segments.ts";
import { isFileLocked } from "./file-lock.ts";
import { FRAME_HEADER_BYTES, readFrameHeader } from "./frame.ts";
import { readFrames } from "./read-frames.ts";
import { systemFiles } from "./segment-files.ts";
import { removeDeadFolders, WRITER_LOCK_FILE } from "./writer-folder.ts";

/** The segments in a log's folder, whoever wrote them; they may be written meanwhile. */
export class FileSegmentStore implements SegmentStore {
  readonly #walFolder: string;

  /** @param logFolder may come into being later. */
  constructor(logFolder: string) {
    this.#walFolder = join(logFolder, WAL_FOLDER);
  }

  async list(): Promise<readonly Segment[]> {
    const segments: Segment[] = [];
    for (const writer of (await namesIn(this.#walFolder)).toSorted()) {
      segments.push(...(await this.#listOf(writer)));
    }
    return segments;
  }

  async *read(
    id: SegmentId,
    fromOffset: number,
    onDamage: (text: string) => void,
  ): AsyncGenerator<ReadBlock> {
    const path = this.#pathOf(id);
    const file = await open(path, "r");
    try {
      yield* readFrames(file, fromOffset, (text) => onDamage(`"${path}" is damaged: ${text}`));
    } finally {
      await file.close();
    }
  }

  async remove(id: SegmentId): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
    await syncIfThere(join(this.#walFolder, id.writer));
    removeDeadFolders(this.#walFolder);
  }

  /** The order of the steps matters: names, then the lock, then the sizes. */
  async #listOf(writer: string): Promise<readonly Segment[]> {
    const folder = join(this.#walFolder, writer);
    const ids = (await namesIn(folder)).toSorted().flatMap((name) => {
      const id = readSegmentFileName(writer, name);
      return id === undefined ? [] : [id];
    });
    if (ids.length === 0) return [];
    // Whoever made a segment that was seen had the lock by then; who has none now adds nothing any more.
    const isDead = !isFileLocked(join(folder, WRITER_LOCK_FILE));
    const segments: Segment[] = [];
    for (const [i, id] of ids.entries()) {
      const isFollowed = ids[i + 1]?.table === id.table;
      const segment = await this.#look(id, isFollowed, isDead);
      if (segment !== undefined) segments.push(segment);
    }
    return segments;
  }

  /** @returns undefined when it is gone by now. */
  async #look(id: SegmentId, isFollowed: boolean, isDead: boolean): Promise<Segment | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#pathOf(id), "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const { size, mtimeMs } = await file.stat();
      const wasEnded = isFollowed || (await endsWithEndFrame(file, size));
      return {
        id,
        byteLength: size,
        isEnded: wasEnded || isDead,
        isUnclean: isDead && !wasEnded,
        changedAtMs: mtimeMs,
      };
    } finally {
      await file.close();
    }
  }

  #pathOf(id: SegmentId): string {
    return join(this.#walFolder, id.writer, segmentFileName(id));
  }
}

/** Its salt keeps apart an end frame and the end of a block that looks like one. */
async function endsWithEndFrame(file: FileHandle, byteLength: number): Promise<boolean> {
  if (byteLength < 2 * FRAME_HEADER_BYTES) return false;
  const bytes = Buffer.alloc(2 * FRAME_HEADER_BYTES);
  await file.read(bytes, 0, FRAME_HEADER_BYTES, 0);
  await file.read(bytes, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES, byteLength - FRAME_HEADER_BYTES);
  const first = readFrameHeader(bytes, 0);
  const last = readFrameHeader(bytes, FRAME_HEADER_BYTES);
  return last?.isEnd === true && first?.salt === last.salt;
}

async function syncIfThere(folder: string): Promise<void> {
  try {
    await systemFiles.syncFolder(folder);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
