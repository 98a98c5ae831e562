import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for the files that generators read, removed when this process ends. */
export class ScratchFolder {
  readonly path = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  #count = 0;

  constructor() {
    process.once("exit", () => rmSync(this.path, { recursive: true, force: true }));
  }

  /** @returns the path of a new file. */
  write(content: Buffer | string): string {
    const file = join(this.path, String(this.#count++));
    writeFileSync(file, content);
    return file;
  }
}
