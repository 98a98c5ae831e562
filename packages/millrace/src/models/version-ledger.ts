import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../ports/logger.ts";

/**
 * Gives every file content of a model a version number of its own: the first digest seen is 1, the next new
 * one 2. The same content always has the same number, whichever process asks, so `x-model: iris@2` names one
 * model for good.
 */
export interface VersionLedger {
  versionOf(modelName: string, sha256: string): Promise<number>;
}

/** Numbers that last as long as the process. */
export class MemoryVersionLedger implements VersionLedger {
  readonly #digests = new Map<string, string[]>();

  versionOf(modelName: string, sha256: string): Promise<number> {
    const digests = this.#digests.get(modelName) ?? [];
    this.#digests.set(modelName, digests);
    if (!digests.includes(sha256)) digests.push(sha256);
    return Promise.resolve(digests.indexOf(sha256) + 1);
  }
}

/**
 * Numbers that last: one small file per version, `<folder>/<model>/<version>`, which holds the digest. Where
 * the folder cannot be written, numbers last as long as the process, and the log says so.
 */
export class FileVersionLedger implements VersionLedger {
  readonly #folder: string;
  readonly #log: Logger;
  #substitute: MemoryVersionLedger | undefined;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  async versionOf(modelName: string, sha256: string): Promise<number> {
    if (this.#substitute === undefined) {
      try {
        return await this.#lastingVersionOf(modelName, sha256);
      } catch (error) {
        this.#substitute = new MemoryVersionLedger();
        this.#log.warn(
          { err: error, folder: this.#folder },
          "Version numbers start at 1 with every start: state.dir cannot be written",
        );
      }
    }
    return this.#substitute.versionOf(modelName, sha256);
  }

  async #lastingVersionOf(modelName: string, sha256: string): Promise<number> {
    const folder = join(this.#folder, modelName);
    await mkdir(folder, { recursive: true });
    for (;;) {
      const versions = await this.#read(folder);
      const known = versions.get(sha256);
      if (known !== undefined) return known;
      const next = Math.max(0, ...versions.values()) + 1;
      if (await this.#claim(join(folder, String(next)), sha256)) return next;
    }
  }

  async #read(folder: string): Promise<Map<string, number>> {
    const versions = new Map<string, number>();
    for (const name of await readdir(folder)) {
      if (!/^[1-9]\d*$/.test(name)) continue;
      versions.set((await readFile(join(folder, name), "utf8")).trim(), Number(name));
    }
    return versions;
  }

  /** `link` fails when another process was first, and never shows a half-written file. */
  async #claim(path: string, sha256: string): Promise<boolean> {
    const draft = `${path}.${process.pid}.draft`;
    await writeFile(draft, `${sha256}\n`);
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
}
