import { appendFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Lines in memory before they go to the files. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** Partitions of one batch: each is a file, and five minutes lie in few. */
const PARTITIONS_MAX = 20_000;

/** The lines of one partition. */
export interface PartitionLines {
  readonly partition: string;
  /** Absolute path of the file they are in. */
  readonly path: string;
  readonly rowCount: number;
}

interface Waiting {
  readonly path: string;
  rowCount: number;
  lines: string;
}

/** Spreads lines of JSON over a file for each partition, with bounded memory. */
export class PartitionSpreader {
  readonly #folder: string;
  readonly #partitions = new Map<string, Waiting>();
  #waitingBytes = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder for the files; emptied. */
  static async create(folder: string): Promise<PartitionSpreader> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return new PartitionSpreader(folder);
  }

  /** @param lines each with its line end. */
  add(partition: string, lines: string, rowCount: number): void {
    let waiting = this.#partitions.get(partition);
    if (waiting === undefined) {
      const { size } = this.#partitions;
      if (size >= PARTITIONS_MAX) {
        throw new Error(`Cannot spread a batch: it has ${size} partitions, limit is ${size}`);
      }
      waiting = { path: join(this.#folder, `${size}.ndjson`), rowCount: 0, lines: "" };
      this.#partitions.set(partition, waiting);
    }
    waiting.lines += lines;
    waiting.rowCount += rowCount;
    this.#waitingBytes += lines.length;
  }

  /** Between records: makes room where there is little. */
  async breathe(): Promise<void> {
    if (this.#waitingBytes >= WAITING_BYTES_MAX) await this.#flush();
  }

  async end(): Promise<readonly PartitionLines[]> {
    await this.#flush();
    return [...this.#partitions].map(([partition, { path, rowCount }]) => ({
      partition,
      path,
      rowCount,
    }));
  }

  async #flush(): Promise<void> {
    for (const waiting of this.#partitions.values()) {
      if (waiting.lines === "") continue;
      const { lines } = waiting;
      waiting.lines = "";
      await appendFile(waiting.path, lines);
    }
    this.#waitingBytes = 0;
  }
}
