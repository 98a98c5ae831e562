import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MillraceError } from "../../core/errors.ts";
import { LOG_TABLES, type LogTable } from "../../core/predictions/log-block.ts";
import {
  CURSORS_FOLDER,
  FORGOTTEN_FILE,
  REWRITES_FOLDER,
  tableFolder,
} from "../../core/predictions/log-folder.ts";
import { segmentKey, type SegmentId } from "../../core/predictions/segment-name.ts";
import type { Segment, SegmentStore } from "../../ports/segments.ts";
import { readRewriteNotes, type RewriteNote } from "./rewrite-note.ts";

/** What a query reads: every row of the log is in it once. */
export interface LogSnapshot {
  /** Parquet files of each table, with their whole paths. */
  readonly files: Readonly<Record<LogTable, readonly string[]>>;
  /** Segments whose rows are in none of the files. */
  readonly unshipped: readonly Segment[];
  /** Rows that are to be left out of them. */
  readonly forgotten: readonly ForgottenUnit[];
}

export interface ForgottenUnit {
  readonly unitHash: string;
  /** Rows that came later stay. Microseconds since 1970-01-01 UTC. */
  readonly untilUs: number;
  /** Its predictions that feedback in segments names, without `#row`. */
  readonly predictionIds: readonly string[];
}

/** What says which files and segments count. */
interface LogState {
  readonly segments: readonly Segment[];
  readonly covered: ReadonlyMap<string, number>;
  readonly rewrites: readonly RewriteNote[];
  readonly forgotten: readonly ForgottenUnit[];
  /** Equal when nothing has happened in between. */
  readonly stamp: string;
}

/** Times that the log may change while it is looked at. Each change is a file that is shipped or rewritten. */
const LOOKS_MAX = 20;
const LOOK_AGAIN_MS = 10;

/** Sink whose files are read here. */
const CURSOR_FILE = "parquet.json";

/**
 * Looks until nothing has changed meanwhile: files and segments then belong together.
 *
 * A segment that is there and not covered by the cursor counts, and Parquet files named after it do not: they may be
 * half of it. Of a rewrite whose new files are there, the files they replace do not count.
 * @throws when it changes all the time.
 */
export async function takeSnapshot(folder: string, store: SegmentStore): Promise<LogSnapshot> {
  let before = await readState(folder, store);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const paths = await listFiles(folder);
    const after = await readState(folder, store);
    if (after.stamp === before.stamp) return snapshotOf(folder, paths, after);
    before = after;
    await delay(LOOK_AGAIN_MS);
  }
  throw new Error(
    `Cannot read the prediction log: it changed ${LOOKS_MAX} times while it was read`,
  );
}

function snapshotOf(
  folder: string,
  paths: ReadonlyMap<LogTable, readonly string[]>,
  { segments, covered, rewrites, forgotten }: LogState,
): LogSnapshot {
  const unshipped = segments.filter(({ id }) => id.number >= (covered.get(seriesOf(id)) ?? 1));
  const unshippedNames = new Set(
    unshipped.map(({ id }) => `${id.table}/${segmentKey(id)}.parquet`),
  );
  const all = new Set([...paths.values()].flat());
  const replaced = new Set(
    rewrites.flatMap(({ add, remove }) => (add.every((path) => all.has(path)) ? remove : [])),
  );
  const files = Object.fromEntries(
    LOG_TABLES.map((table) => {
      const counting = (paths.get(table) ?? []).filter((path) => {
        const name = path.slice(path.lastIndexOf("/") + 1);
        return !replaced.has(path) && !unshippedNames.has(`${table}/${name}`);
      });
      return [table, counting.map((path) => join(folder, path))];
    }),
  ) as unknown as Record<LogTable, readonly string[]>;
  return { files, unshipped, forgotten };
}

/** Paths relative to the folder, in their order. */
async function listFiles(folder: string): Promise<ReadonlyMap<LogTable, readonly string[]>> {
  const lists = LOG_TABLES.map(async (table) => {
    const root = tableFolder(table);
    const names = await ifThere(readdir(join(folder, root), { recursive: true }), []);
    const paths = names
      .filter((name) => name.endsWith(".parquet"))
      .map((name) => `${root}/${name}`);
    return [table, paths.toSorted()] as const;
  });
  return new Map(await Promise.all(lists));
}

async function readState(folder: string, store: SegmentStore): Promise<LogState> {
  // Its time tells of a rewrite that came and went between two looks.
  const rewritesFolder = stat(join(folder, REWRITES_FOLDER), { bigint: true });
  const rewrittenNs = await ifThere(
    rewritesFolder.then(({ mtimeNs }) => String(mtimeNs)),
    "never",
  );
  const rewrites = await readRewriteNotes(folder);
  const [cursorText, forgottenText, segments] = await Promise.all([
    textOf(join(folder, CURSORS_FOLDER, CURSOR_FILE)),
    textOf(join(folder, FORGOTTEN_FILE)),
    store.list(),
  ]);
  const keys = segments.map(({ id }) => `${id.table}/${segmentKey(id)}`);
  return {
    segments,
    covered: coveredBy(cursorText),
    rewrites,
    forgotten: forgottenBy(forgottenText),
    stamp: JSON.stringify([rewrittenNs, rewrites, cursorText, forgottenText, keys]),
  };
}

/**
 * First number of each series that is not covered. None is where the cursor is damaged: whoever ships then begins again
 * with what there is of segments.
 */
function coveredBy(text: string): ReadonlyMap<string, number> {
  const cursor = jsonIfPossible(text) as { segments?: Readonly<Record<string, unknown>> } | null;
  const covered = new Map<string, number>();
  for (const [series, position] of Object.entries(cursor?.segments ?? {})) {
    const { number } = (position ?? {}) as { readonly number?: unknown };
    if (typeof number !== "number") return new Map();
    covered.set(series, number);
  }
  return covered;
}

/** @throws LOG_UNAVAILABLE when it is damaged: without it rows would be seen that were to be forgotten. */
function forgottenBy(text: string): readonly ForgottenUnit[] {
  if (text === "") return [];
  const { units } = (jsonIfPossible(text) ?? {}) as { units?: Partial<ForgottenUnit>[] };
  const isRight = ({ unitHash, untilUs, predictionIds = [] }: Partial<ForgottenUnit>): boolean =>
    typeof unitHash === "string" &&
    typeof untilUs === "number" &&
    Array.isArray(predictionIds) &&
    predictionIds.every((id) => typeof id === "string");
  if (Array.isArray(units) && units.every(isRight)) {
    // Older versions noted none.
    return units.map((unit) => ({ predictionIds: [], ...unit }) as ForgottenUnit);
  }
  throw new MillraceError(
    "LOG_UNAVAILABLE",
    `Cannot query the log: "${FORGOTTEN_FILE}" is damaged, it says which units are to be forgotten`,
  );
}

function jsonIfPossible(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function seriesOf({ writer, table }: SegmentId): string {
  return `${writer}/${table}`;
}

/** These files are replaced whole, never written in place. @returns "" when it is not there. */
function textOf(path: string): Promise<string> {
  return ifThere(readFile(path, "utf8"), "");
}

async function ifThere<Found>(reading: Promise<Found>, otherwise: Found): Promise<Found> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw error;
  }
}
