import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolderSynced, syncFolder } from "../../disk/synced-files.ts";

export interface TextFileOptions {
  readonly path: string;
  /** A file of this size is rotated before the next batch. */
  readonly sizeBytesMax: number;
  /** Old files beside it: `<path>.1` is the newest. */
  readonly keep: number;
}

/** Where the file ends, as it was left: told again by its last bytes, whatever the file is called by then. */
export interface TextFileEnd {
  readonly bytes: number;
  /** The bytes before, at most `TAIL_BYTES`, in base64. Lines have ids, so no two files end alike. */
  readonly tail: string;
}

/** Lines have what people sent; who ships logs reads them by the group. */
const MODE = 0o640;

const TAIL_BYTES = 256;
/** What is looked through for the first line of a batch where the end is not known. */
const SEARCH_BYTES_MAX = 64 * 1024 * 1024;

type End =
  | { readonly kind: "known"; readonly bytes: number }
  /** The process ended before it could note what it wrote; or somebody moved the file away. */
  | { readonly kind: "unknown" };

/**
 * A text file that batches are appended to, each of them whole or not at all, and only once: what a process wrote that
 * was killed before it noted it is cut off, and written again.
 *
 * open ─ begin ─► in a batch ─ append* ─► commit, or undo. One at a time.
 */
export class TextFile {
  readonly #options: TextFileOptions;
  #file: FileHandle | undefined;
  #end: End = { kind: "unknown" };
  /** Where the batch that is written begins. */
  #startBytes: number | undefined;

  constructor(options: TextFileOptions) {
    this.#options = options;
  }

  async open(kept: TextFileEnd | undefined): Promise<void> {
    const file = await this.#openFile();
    if (kept === undefined || !(await endsWith(file, kept))) return;
    await file.truncate(kept.bytes);
    this.#end = { kind: "known", bytes: kept.bytes };
  }

  /** @param firstLine of the batch: where it is there already, the file is cut before it. */
  async begin(firstLine: Buffer): Promise<void> {
    await this.undo();
    let file = await this.#current();
    let { size } = await file.stat();
    if (this.#end.kind === "unknown") {
      const found = await findLine(file, size, firstLine);
      if (found !== undefined) {
        await file.truncate(found);
        size = found;
      }
    }
    if (size >= this.#options.sizeBytesMax) {
      file = await this.#rotate(file);
      size = 0;
    }
    this.#startBytes = size;
  }

  async append(text: string): Promise<void> {
    await this.#file?.appendFile(text);
  }

  /** @returns the end, once the batch survives a power failure. */
  async commit(): Promise<TextFileEnd> {
    const file = await this.#openFile();
    await file.sync();
    const { size } = await file.stat();
    this.#startBytes = undefined;
    this.#end = { kind: "known", bytes: size };
    return { bytes: size, tail: (await readTail(file, size)).toString("base64") };
  }

  /** Takes back what there is of a batch that cannot be finished. */
  async undo(): Promise<void> {
    if (this.#startBytes === undefined) return;
    await this.#file?.truncate(this.#startBytes);
    this.#startBytes = undefined;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** The file at the path: somebody may have moved or removed the one that is open. */
  async #current(): Promise<FileHandle> {
    const file = await this.#openFile();
    const [own, there] = await Promise.all([
      file.stat(),
      stat(this.#options.path).catch(() => undefined),
    ]);
    if (there?.ino === own.ino && there.dev === own.dev) return file;
    await this.close();
    this.#end = { kind: "unknown" };
    return this.#openFile();
  }

  async #openFile(): Promise<FileHandle> {
    const { path } = this.#options;
    if (this.#file !== undefined) return this.#file;
    await makeFolderSynced(dirname(path));
    this.#file = await open(path, "a+", MODE);
    await syncFolder(dirname(path));
    return this.#file;
  }

  async #rotate(file: FileHandle): Promise<FileHandle> {
    const { path, keep } = this.#options;
    await file.sync();
    await this.close();
    for (let index = keep; index > 0; index--) {
      const older = `${path}.${index}`;
      const newer = index === 1 ? path : `${path}.${index - 1}`;
      await rename(newer, older).catch(ignoreMissing);
    }
    if (keep === 0) await rm(path, { force: true });
    return this.#openFile();
  }
}

async function endsWith(file: FileHandle, { bytes, tail }: TextFileEnd): Promise<boolean> {
  const { size } = await file.stat();
  if (bytes === 0 || size < bytes) return false;
  return (await readTail(file, bytes)).toString("base64") === tail;
}

async function readTail(file: FileHandle, endBytes: number): Promise<Buffer> {
  const length = Math.min(TAIL_BYTES, endBytes);
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(length),
    position: endBytes - length,
  });
  return buffer.subarray(0, bytesRead);
}

/** @returns where the line begins; also one that is cut off by the end of the file. */
async function findLine(file: FileHandle, size: number, line: Buffer): Promise<number | undefined> {
  const length = Math.min(size, SEARCH_BYTES_MAX);
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(length),
    position: size - length,
  });
  const text = buffer.subarray(0, bytesRead);
  const found = text.indexOf(line);
  if (found >= 0) return size - length + found;
  const lastLine = text.subarray(text.lastIndexOf("\n") + 1);
  const isPart = lastLine.length > 0 && line.subarray(0, lastLine.length).equals(lastLine);
  return isPart ? size - lastLine.length : undefined;
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
