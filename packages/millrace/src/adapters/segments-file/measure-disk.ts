import { readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { WAL_FOLDER } from "../../core/predictions/log-folder.ts";
import type { DiskUse } from "./disk-guard.ts";

/** @param logFolder that exists. @throws what the file system throws. */
export function measureDisk(logFolder: string): DiskUse {
  const { bavail, bfree, blocks } = statfsSync(logFolder);
  // As df counts it: what is kept for the administrator is neither used nor free.
  const usableBlocks = blocks - bfree + bavail;
  return {
    walBytes: bytesIn(join(logFolder, WAL_FOLDER)),
    freeShare: usableBlocks > 0 ? bavail / usableBlocks : 1,
  };
}

/** Of the segments of all writers. */
function bytesIn(walFolder: string): number {
  let byteLength = 0;
  for (const writer of namesIn(walFolder)) {
    const folder = join(walFolder, writer);
    for (const name of namesIn(folder)) {
      byteLength += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return byteLength;
}

/** None of a folder that is not there: others create and remove them meanwhile. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
