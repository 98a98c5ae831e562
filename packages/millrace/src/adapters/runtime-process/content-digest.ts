import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { isPartOfModel, MODEL_FOLDER_ENTRIES_MAX } from "../../core/model-folder.ts";
import type { ModelFile, ModelProgram } from "../../ports/runtime.ts";

/** What a program serves, as it is on disk. */
export interface ModelContent {
  /** Of the source, the command and the files that it names: what a version is a version of. */
  readonly sha256: string;
  /** Of the source alone, as `sha256sum` has it; of a folder, over its files; undefined without a source. */
  readonly sourceSha256: string | undefined;
  readonly sizeBytes: number;
}

interface Part {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Read at a time: hashing that much holds the thread for less than a millisecond. */
const CHUNK_BYTES = 1024 * 1024;

/** @throws the error of the file system; an error that says why when it is neither file nor folder, or empty. */
export async function contentDigest(file: ModelFile, program: ModelProgram): Promise<ModelContent> {
  const source = program.hasSource ? await digestOf(file.path) : undefined;
  const whole = createHash("sha256").update(JSON.stringify(program.command));
  let sizeBytes = source?.sizeBytes ?? 0;
  for (const path of program.files) {
    const part = await digestOfFile(path);
    whole.update(`\n${relative(program.folder, path)} ${part.sha256}`);
    if (source === undefined) sizeBytes += part.sizeBytes;
  }
  if (source !== undefined) whole.update(`\n${source.sha256}`);
  return { sha256: whole.digest("hex"), sourceSha256: source?.sha256, sizeBytes };
}

async function digestOf(path: string): Promise<Part> {
  const info = await stat(path);
  if (info.isDirectory()) return digestOfFolder(path);
  if (!info.isFile()) throw new Error("it is neither a file nor a folder");
  if (info.size === 0) throw new Error("it is empty, 0 bytes");
  return digestOfFile(path);
}

/** Over the names and digests of all files in it, sorted by name. */
async function digestOfFolder(folder: string): Promise<Part> {
  const entries = await readdir(folder, { recursive: true });
  if (entries.length > MODEL_FOLDER_ENTRIES_MAX) {
    const limit = `at most ${MODEL_FOLDER_ENTRIES_MAX} are taken`;
    throw new Error(`the folder has ${entries.length} entries, ${limit}`);
  }
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for (const name of entries.filter(isPartOfModel).sort()) {
    const path = join(folder, name);
    if (!(await stat(path)).isFile()) continue;
    const part = await digestOfFile(path);
    hash.update(`${part.sha256}  ${name}\n`);
    sizeBytes += part.sizeBytes;
  }
  if (sizeBytes === 0) throw new Error("the folder has no files with anything in them");
  return { sha256: hash.digest("hex"), sizeBytes };
}

async function digestOfFile(path: string): Promise<Part> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}
