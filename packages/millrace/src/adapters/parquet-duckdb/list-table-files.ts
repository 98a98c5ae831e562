import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import { tableFolder } from "../../core/predictions/log-folder.ts";
import type { TableFile } from "../../ports/log-tables.ts";
import { tableFileAt } from "./table-path.ts";

/** Folders within folders that are looked into: date, hour, model. */
const DEPTH_MAX = 3;

/** Every file of the tables, in the order of their paths; what is deleted meanwhile is left out. */
export async function listTableFiles(logFolder: string): Promise<readonly TableFile[]> {
  const files: TableFile[] = [];
  for (const table of LOG_TABLES) await collect(logFolder, tableFolder(table), DEPTH_MAX, files);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The files of one folder and of those in it. @param folder relative to the log's. */
export async function listFilesIn(
  logFolder: string,
  folder: string,
): Promise<readonly TableFile[]> {
  const files: TableFile[] = [];
  await collect(logFolder, folder, DEPTH_MAX, files);
  return files;
}

async function collect(
  logFolder: string,
  folder: string,
  depth: number,
  files: TableFile[],
): Promise<void> {
  for (const entry of await entriesOf(join(logFolder, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && depth > 0) await collect(logFolder, path, depth - 1, files);
    else if (entry.isFile() && entry.name.endsWith(".parquet")) {
      const size = await sizeOf(join(logFolder, path));
      const file = size === undefined ? undefined : tableFileAt(path, size);
      if (file !== undefined) files.push(file);
    }
  }
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
