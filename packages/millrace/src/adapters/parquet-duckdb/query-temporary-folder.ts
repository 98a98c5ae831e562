import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { TEMPORARY_FOLDER } from "../../core/predictions/log-folder.ts";

/** `query-4711`, by the process it belongs to. */
const NAME = /^query-(\d+)$/;

/** Where a query process puts what does not fit its memory, and results on their way. */
export class QueryTemporaryFolder {
  readonly path: string;
  readonly #parent: string;
  #lastNumber = 0;

  /** @param logFolder the log's. */
  constructor(logFolder: string) {
    this.#parent = join(logFolder, TEMPORARY_FOLDER);
    this.path = join(this.#parent, `query-${process.pid}`);
  }

  /** Makes it, for this user alone, and removes those of processes that were killed. */
  async create(): Promise<void> {
    for (const name of await readdir(this.#parent).catch(() => [])) {
      const pid = Number(NAME.exec(name)?.[1]);
      if (Number.isNaN(pid) || isRunning(pid)) continue;
      await rm(join(this.#parent, name), { recursive: true, force: true });
    }
    await this.make();
  }

  /** Makes it again where somebody has deleted it. */
  async make(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  /** @returns a path where nothing is. */
  newFile(): string {
    return join(this.path, `result-${++this.#lastNumber}`);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
