import type { ExposureRow } from "../../core/predictions/exposure-row.ts";
import type { LogBlock } from "../../core/predictions/log-block.ts";

/** Exposures on their way into a block: lines of JSON. */
export class ExposureBlock {
  #lines = "";
  #rowCount = 0;

  get recordCount(): number {
    return this.#rowCount;
  }

  /** About: names may have characters of several bytes. */
  get byteLength(): number {
    return this.#lines.length;
  }

  add(row: ExposureRow): void {
    this.#lines += `${JSON.stringify(row)}\n`;
    this.#rowCount++;
  }

  /** What is there, and begins anew. */
  take(): LogBlock {
    const bytes = new TextEncoder().encode(this.#lines);
    const recordCount = this.#rowCount;
    this.#lines = "";
    this.#rowCount = 0;
    return { table: "exposures", recordCount, bytes };
  }
}
