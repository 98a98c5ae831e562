import { writeExactJson } from "../../core/exact-json.ts";
import type { JsonValue } from "../../core/json.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { RowTable } from "./load-target.ts";

/** Of JSON text; every thread reads the same memory. */
const BYTES_MAX = 256 * 2 ** 20;

const CELLS_MAX = 10_000_000;

const BYTES_FIRST = 64 * 1024;
const CELLS_FIRST = 4096;

const COMMA = 0x2c;

/** Collects rows as JSON text. */
export class RowTableBuilder {
  readonly #path: string;
  readonly #columns: readonly string[];
  #bytes = Buffer.allocUnsafeSlow(BYTES_FIRST);
  #byteCount = 0;
  #offsets = new Uint32Array(CELLS_FIRST);
  #cellCount = 0;
  #rowCount = 0;

  /** @param path of the file, for messages. @throws LoadInputError when there is no column. */
  constructor(path: string, columns: readonly string[]) {
    this.#path = path;
    this.#columns = columns;
    if (columns.length === 0) throw new LoadInputError(`${path}: there are no columns`);
  }

  /** @param cells JSON text in UTF-8, or a value. @throws LoadInputError where there are too many or too few. */
  addRow(cells: readonly (JsonValue | Uint8Array)[]): void {
    this.#rowCount++;
    if (cells.length !== this.#columns.length) {
      throw new LoadInputError(
        `${this.#path}: row ${this.#rowCount} has ${cells.length} values, expected ${this.#columns.length}`,
      );
    }
    for (const cell of cells) this.#add(cell instanceof Uint8Array ? cell : jsonText(cell));
  }

  #add(cell: string | Uint8Array): void {
    this.#makeRoom(Buffer.byteLength(cell) + 1);
    this.#offsets[this.#cellCount++] = this.#byteCount;
    if (typeof cell === "string") {
      this.#byteCount += this.#bytes.write(cell, this.#byteCount, "utf8");
    } else {
      this.#bytes.set(cell, this.#byteCount);
      this.#byteCount += cell.length;
    }
    this.#bytes[this.#byteCount++] = COMMA;
  }

  /** For one cell more: twice as much as there is until that is enough. */
  #makeRoom(byteCount: number): void {
    const neededBytes = this.#byteCount + byteCount;
    if (this.#cellCount === CELLS_MAX || neededBytes > BYTES_MAX) throw this.#tooLarge();
    if (neededBytes > this.#bytes.length) {
      const size = Math.max(Math.min(this.#bytes.length * 2, BYTES_MAX), neededBytes);
      const larger = Buffer.allocUnsafeSlow(size);
      this.#bytes.copy(larger, 0, 0, this.#byteCount);
      this.#bytes = larger;
    }
    if (this.#cellCount === this.#offsets.length) {
      const larger = new Uint32Array(this.#offsets.length * 2);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
  }

  #tooLarge(): LoadInputError {
    return new LoadInputError(
      `${this.#path}: more than ${CELLS_MAX} values or ${BYTES_MAX / 2 ** 20} MiB of JSON by row ${this.#rowCount}: take fewer rows or columns`,
    );
  }

  /** @throws LoadInputError when there is no row. */
  finish(order: RowTable["order"]): RowTable {
    if (this.#rowCount === 0) throw new LoadInputError(`${this.#path}: there are no rows`);
    const bytes = new SharedArrayBuffer(this.#byteCount);
    new Uint8Array(bytes).set(this.#bytes.subarray(0, this.#byteCount));
    const offsets = new SharedArrayBuffer((this.#cellCount + 1) * Uint32Array.BYTES_PER_ELEMENT);
    const shared = new Uint32Array(offsets);
    shared.set(this.#offsets.subarray(0, this.#cellCount));
    shared[this.#cellCount] = this.#byteCount;
    return { columns: this.#columns, bytes, offsets, order };
  }
}

/** Numbers that JSON has not are null. */
function jsonText(value: JsonValue): string {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "string":
      return JSON.stringify(value);
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return value === null ? "null" : writeExactJson(value);
  }
}
