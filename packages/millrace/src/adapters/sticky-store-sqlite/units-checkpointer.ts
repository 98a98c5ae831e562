import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../core/clock.ts";

export interface UnitsCheckpointerOptions {
  /** The file of `SqliteStickyStore`; it need not be there yet. */
  readonly path: string;
  readonly clock: Clock;
}

const EVERY_MS = 1_000;

/** Smaller logs are left as they are: to carry them costs waiting for the disk, however short they are. */
const LOG_BYTES_MIN = 4 * 1024 * 1024;

/**
 * Carries the write-ahead log of a file of units into the file, in a process that has the time to wait for the disk, so
 * that those that answer requests never do. It opens no file that nobody uses, and gives up until the next time whenever
 * anything is in its way.
 */
export class UnitsCheckpointer {
  readonly #path: string;
  readonly #clock: Clock;
  #cancel: () => void;
  /** When the log was last written to, as of the last time it was carried over. */
  #carriedMs = 0;

  constructor({ path, clock }: UnitsCheckpointerOptions) {
    this.#path = path;
    this.#clock = clock;
    this.#cancel = clock.schedule(EVERY_MS, () => this.#look());
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const log = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    // A log that was carried over keeps its length, and is written again from its beginning.
    if (log !== undefined && log.size >= LOG_BYTES_MIN && log.mtimeMs !== this.#carriedMs) {
      this.#carriedMs = log.mtimeMs;
      checkpoint(this.#path);
    }
    this.#cancel = this.#clock.schedule(EVERY_MS, () => this.#look());
  }
}

function checkpoint(path: string): void {
  try {
    const db = new DatabaseSync(path, { timeout: 0 });
    try {
      // As much as nobody still reads; the log begins anew when all of it was carried over.
      db.exec("pragma synchronous = normal; pragma wal_checkpoint(passive)");
    } finally {
      db.close();
    }
  } catch {
    // Whoever writes finds out what is wrong, and tells.
  }
}
