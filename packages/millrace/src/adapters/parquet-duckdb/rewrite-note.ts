import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolderSynced, syncFolder, writeFileSynced } from "../../disk/synced-files.ts";
import { REWRITES_FOLDER } from "../../core/predictions/log-folder.ts";

/** What replaces what; paths are relative to the log's folder. */
export interface RewriteNote {
  readonly id: string;
  /** None when no row is left. */
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

const EXTENSION = ".json";

/** Written before anything of the rewrite can be seen. */
export async function writeRewriteNote(
  logFolder: string,
  { id, add, remove }: RewriteNote,
): Promise<void> {
  const folder = join(logFolder, REWRITES_FOLDER);
  await makeFolderSynced(folder);
  await writeFileSynced(join(folder, id + EXTENSION), JSON.stringify({ add, remove }));
}

export async function removeRewriteNote(logFolder: string, id: string): Promise<void> {
  const folder = join(logFolder, REWRITES_FOLDER);
  await rm(join(folder, id + EXTENSION), { force: true });
  await syncFolder(folder);
}

/** Those of rewrites that were not finished. */
export async function readRewriteNotes(logFolder: string): Promise<readonly RewriteNote[]> {
  const folder = join(logFolder, REWRITES_FOLDER);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const notes: RewriteNote[] = [];
  for (const name of names) {
    if (!name.endsWith(EXTENSION)) continue; // a draft of a note that was never one
    const note = parseNote(
      name.slice(0, -EXTENSION.length),
      await readFile(join(folder, name), "utf8"),
    );
    if (note !== undefined) notes.push(note);
  }
  return notes;
}

/** One that cannot be read is not from here: notes appear whole. */
function parseNote(id: string, text: string): RewriteNote | undefined {
  try {
    const { add, remove } = JSON.parse(text) as Partial<RewriteNote>;
    return isPaths(add) && isPaths(remove) ? { id, add, remove } : undefined;
  } catch {
    return undefined;
  }
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string");
}
