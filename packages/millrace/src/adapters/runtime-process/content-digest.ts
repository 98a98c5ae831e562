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
  /** Of the source alone: of a file as `sha256sum` has it, of a folder over its files; undefined without a source. */
  readonly sourceSha256: string | undefined;
  /** Of the source; without one, of the files that the command names. */
  readonly sizeBytes: number;
  /** Differs when a file has been written or replaced since it was read. */
  readonly stamp: string;
}

/** A file of a model, by its path and by the name that counts. */
interface Part {
  readonly path: string;
  readonly name: string;
}

interface ModelParts {
  readonly source: readonly Part[];
  readonly isFolder: boolean;
  readonly files: readonly Part[];
}

interface Digest {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Read at a time: hashing that much holds the thread for less than a millisecond. */
const CHUNK_BYTES = 1024 * 1024;

/** @throws the error of the file system; an error that says why when the source is neither file nor folder, or empty. */
export async function contentDigest(file: ModelFile, program: ModelProgram): Promise<ModelContent> {
  const parts = await partsOf(file, program);
  const stamp = await stampOf(parts);
  const source = parts.source.length === 0 ? undefined : await digestOfSource(parts);
  const files = await digestOfAll(parts.files);
  const whole = createHash("sha256").update(JSON.stringify(program.command));
  whole.update(files.sha256).update(source?.sha256 ?? "");
  const { sizeBytes } = source ?? files;
  return { sha256: whole.digest("hex"), sourceSha256: source?.sha256, sizeBytes, stamp };
}

/** @throws when a file has been written or replaced since `content` was read: the program may have read another one. */
export async function checkUnchanged(
  { stamp }: ModelContent,
  file: ModelFile,
  program: ModelProgram,
): Promise<void> {
  if ((await stampOf(await partsOf(file, program))) === stamp) return;
  throw new Error("it was changed while it was loaded");
}

async function partsOf(file: ModelFile, program: ModelProgram): Promise<ModelParts> {
  const files = program.files.map((path) => ({ path, name: relative(program.folder, path) }));
  if (!program.hasSource) return { source: [], isFolder: false, files };
  const info = await stat(file.path);
  if (info.isDirectory()) {
    return { source: await partsOfFolder(file.path), isFolder: true, files };
  }
  if (!info.isFile()) throw new Error("it is neither a file nor a folder");
  if (info.size === 0) throw new Error("it is empty, 0 bytes");
  return { source: [{ path: file.path, name: "" }], isFolder: false, files };
}

async function partsOfFolder(folder: string): Promise<Part[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  if (entries.length > MODEL_FOLDER_ENTRIES_MAX) {
    const limit = `at most ${MODEL_FOLDER_ENTRIES_MAX} are taken`;
    throw new Error(`the folder has ${entries.length} entries, ${limit}`);
  }
  const parts = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(folder, path) }))
    .filter(({ name }) => isPartOfModel(name));
  if (parts.length === 0) throw new Error("the folder has no files");
  return parts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function stampOf({ source, files }: ModelParts): Promise<string> {
  const stamps = await Promise.all(
    [...source, ...files].map(async ({ path }) => {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${path}:${ino}:${size}:${mtimeNs}`;
    }),
  );
  return stamps.join("\n");
}

async function digestOfSource({ source, isFolder }: ModelParts): Promise<Digest> {
  const [only] = source;
  return only !== undefined && !isFolder ? digestOf(only.path) : digestOfAll(source);
}

/** Over the names and digests of several files. */
async function digestOfAll(parts: readonly Part[]): Promise<Digest> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for (const { path, name } of parts) {
    const part = await digestOf(path);
    hash.update(`${part.sha256}  ${name}\n`);
    sizeBytes += part.sizeBytes;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

async function digestOf(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}
