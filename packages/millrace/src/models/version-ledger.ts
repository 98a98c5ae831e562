import { randomUUID } from "node:crypto";
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
  /** By model name, then by digest. */
  readonly #numbers = new Map<string, Map<string, number>>();

  versionOf(modelName: string, sha256: string): Promise<number> {
    const numbers = this.#numbersOf(modelName);
    const known = numbers.get(sha256);
    const number = known ?? Math.max(0, ...numbers.values()) + 1;
    numbers.set(sha256, number);
    return Promise.resolve(number);
  }

  /** Keeps a number that was given elsewhere; new ones are higher. */
  remember(modelName: string, sha256: string, number: number): void {
    this.#numbersOf(modelName).set(sha256, number);
  }

  #numbersOf(modelName: string): Map<string, number> {
    const numbers = this.#numbers.get(modelName) ?? new Map<string, number>();
    this.#numbers.set(modelName, numbers);
    return numbers;
  }
}

/**
 * Numbers that last: one small file per version, `<folder>/<model>/<version>`, which holds the digest. Where
 * the folder cannot be written, new numbers last as long as the process, and the log says so.
 */
export class FileVersionLedger implements VersionLedger {
  readonly #folder: string;
  readonly #log: Logger;
  /** Every number seen so far: where the folder fails later on, these stay. */
  readonly #given = new MemoryVersionLedger();
  #isLasting = true;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  async versionOf(modelName: string, sha256: string): Promise<number> {
    if (!this.#isLasting) return this.#given.versionOf(modelName, sha256);
    try {
      return await this.#lastingVersionOf(modelName, sha256);
    } catch (error) {
      if (this.#isLasting) {
        this.#log.warn(
          { err: error, folder: this.#folder },
          "New version numbers do not outlast this process: state.dir cannot be written",
        );
      }
      this.#isLasting = false;
      return this.#given.versionOf(modelName, sha256);
    }
  }

  async #lastingVersionOf(modelName: string, sha256: string): Promise<number> {
    const folder = join(this.#folder, modelName);
    await mkdir(folder, { recursive: true });
    for (;;) {
      const digests = await this.#read(folder);
      for (const [number, digest] of digests) this.#given.remember(modelName, digest, number);
      for (const [number, digest] of digests) if (digest === sha256) return number;
      const next = Math.max(0, ...digests.keys()) + 1;
      if (!(await this.#claim(join(folder, String(next)), sha256))) continue;
      this.#given.remember(modelName, sha256, next);
      return next;
    }
  }

  async #read(folder: string): Promise<Map<number, string>> {
    const digests = new Map<number, string>();
    for (const name of await readdir(folder)) {
      if (!/^[1-9]\d*$/.test(name)) continue;
      digests.set(Number(name), (await readFile(join(folder, name), "utf8")).trim());
    }
    return digests;
  }

  /**
   * `link` fails when another process was first, and never shows a half-written file. The draft has a name of its
   * own: two containers that share the folder may have the same process id.
   */
  async #claim(path: string, sha256: string): Promise<boolean> {
    const draft = `${path}.${randomUUID()}.draft`;
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
