import { readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonValue } from "../core/json.ts";
import { CURSORS_FOLDER } from "../core/predictions/log-folder.ts";
import type { SegmentId } from "../core/predictions/segment-name.ts";
import { makeFolderSynced, writeFileSynced } from "../disk/synced-files.ts";
import type { Logger } from "../ports/logger.ts";

/** Everything of a writer and table up to the segment `number - 1`, and of that one up to `offset`. */
export interface Position {
  readonly number: number;
  /** Bytes from the start of the segment. */
  readonly offset: number;
}

/** A part of a segment that a sink has been given and may have taken. */
export interface PendingBatch extends SegmentId {
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** How far a sink is. */
export interface Cursor {
  /** By `<writer>/<table>`. */
  readonly segments: Readonly<Record<string, Position>>;
  /** What the sink's last `write` returned; undefined before. */
  readonly state: JsonValue | undefined;
  /** Given before the end of the process and, for all that is known, not taken; given again exactly so. */
  readonly pending: PendingBatch | undefined;
}

const START: Position = { number: 1, offset: 0 };
const NOTHING: Cursor = { segments: {}, state: undefined, pending: undefined };

export function streamOf({ writer, table }: Pick<SegmentId, "writer" | "table">): string {
  return `${writer}/${table}`;
}

export function positionOf(cursor: Cursor, id: SegmentId): Position {
  return cursor.segments[streamOf(id)] ?? START;
}

/** Is there nothing of the segment, once it has ended, that the sink has not got? */
export function covers(cursor: Cursor, id: SegmentId): boolean {
  return positionOf(cursor, id).number > id.number;
}

/** The cursor of one sink, in `cursors/<sink>.json`: what is saved survives a power failure. */
export class CursorFile {
  readonly #path: string;
  #cursor: Cursor;

  private constructor(path: string, cursor: Cursor) {
    this.#path = path;
    this.#cursor = cursor;
  }

  /**
   * One that is damaged is set aside, and the sink begins with the oldest segment: what is older than that no longer
   * exists, and what it has had of the others it is given again.
   */
  static async open(logFolder: string, sink: string, log: Logger): Promise<CursorFile> {
    const folder = join(logFolder, CURSORS_FOLDER);
    await makeFolderSynced(folder);
    const path = join(folder, `${sink}.json`);
    const text = await readIfThere(path);
    if (text === undefined) return new CursorFile(path, NOTHING);
    const cursor = parseCursor(text);
    if (cursor !== undefined) return new CursorFile(path, cursor);
    await rename(path, `${path}.damaged`);
    log.error(
      { sink, path },
      `The cursor of the sink "${sink}" is damaged: it begins with the oldest segment again`,
    );
    return new CursorFile(path, NOTHING);
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  async save(cursor: Cursor): Promise<void> {
    await makeFolderSynced(dirname(this.#path)); // somebody may have deleted the log while it is written
    await writeFileSynced(this.#path, JSON.stringify(cursor));
    this.#cursor = cursor;
  }

  /** Forgets where it was in what no longer exists. Only at the start, when what a power failure brought back is seen. */
  async keepOnly(streams: ReadonlySet<string>): Promise<void> {
    const { segments } = this.#cursor;
    const kept = Object.entries(segments).filter(([stream]) => streams.has(stream));
    if (kept.length === Object.keys(segments).length) return;
    await this.save({ ...this.#cursor, segments: Object.fromEntries(kept) });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** @returns undefined when it is none. */
function parseCursor(text: string): Cursor | undefined {
  try {
    const value = JSON.parse(text) as Partial<Cursor> | null;
    const segments = value?.segments;
    if (typeof segments !== "object" || segments === null) return undefined;
    if (!Object.values(segments).every(isPosition)) return undefined;
    return { segments, state: value?.state, pending: value?.pending };
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): value is Position {
  const { number, offset } = (value ?? {}) as Partial<Position>;
  return Number.isSafeInteger(number) && Number.isSafeInteger(offset);
}
