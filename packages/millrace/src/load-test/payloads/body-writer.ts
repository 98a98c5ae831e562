import { SeededDraws } from "../../core/load/seeded-draws.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { BatchSize, BodyPart, LoadBody, RowTable } from "./load-target.ts";

/** Largest body of a request, in bytes. */
const BODY_BYTES_MAX = 256 * 2 ** 20;

/** Digits of the largest whole number that a double counts to. */
const SEQ_BYTES_MAX = 16;

const UUID_BYTES = 36;

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const HYPHEN = 0x2d;
const ZERO = 0x30;
/** `a` less 10. */
const HEX_LETTER = 0x57;

/** Fills in templates of bodies, one after the other in the same memory. */
export class BodyWriter {
  readonly #bodies: readonly Template[];
  readonly #memory: Buffer;
  readonly #table: OpenTable | undefined;
  readonly #rowDraws: SeededDraws;
  readonly #sizeDraws: SeededDraws;
  readonly #uuidDraws: SeededDraws;
  #at = 0;

  /** @throws LoadInputError when one of the bodies could be larger than 256 MiB. */
  constructor(bodies: readonly LoadBody[], rows: RowTable | undefined, seed: number) {
    this.#bodies = bodies.map(templateOf);
    this.#table = rows && openTable(rows);
    this.#rowDraws = new SeededDraws(seed, "row");
    this.#sizeDraws = new SeededDraws(seed, "size");
    this.#uuidDraws = new SeededDraws(seed, "uuid");
    const bytesMax = bodies.reduce((most, body) => Math.max(most, this.#bytesMax(body)), 0);
    if (bytesMax > BODY_BYTES_MAX) {
      throw new LoadInputError(
        `Cannot send bodies of up to ${Math.ceil(bytesMax / 2 ** 20)} MiB: at most ${BODY_BYTES_MAX / 2 ** 20} MiB are allowed; take fewer rows a batch`,
      );
    }
    // Pages nobody writes to take no memory.
    this.#memory = Buffer.allocUnsafeSlow(bytesMax);
  }

  /** @returns body `index` as this start sends it; valid until the next call. */
  write(index: number, seq: number): Uint8Array {
    const template = this.#bodies[index] as Template;
    this.#at = 0;
    const count = template.size ?? this.#drawSize(template, seq);
    const first = this.#firstRow(template.size, seq);
    for (const part of template.parts) this.#writePart(part, seq, first, count);
    return this.#memory.subarray(0, this.#at);
  }

  #writePart(part: BodyPart, seq: number, first: number, count: number): void {
    switch (part.kind) {
      case "bytes":
        this.#memory.set(part.bytes, this.#at);
        this.#at += part.bytes.length;
        return;
      case "row":
        this.#writeRow(first);
        return;
      case "rows":
        this.#writeRows(first, count);
        return;
      case "column":
        this.#writeCell(first, part.column);
        return;
      case "count":
        this.#at += this.#memory.write(String(count), this.#at, "latin1");
        return;
      case "seq":
        this.#at += this.#memory.write(String(seq), this.#at, "latin1");
        return;
      case "uuid":
        this.#writeUuid(seq);
    }
  }

  #drawSize({ sizes, weight }: Template, seq: number): number {
    this.#sizeDraws.startAt(seq);
    let left = this.#sizeDraws.next() * weight;
    // Rounding may leave something after the last one.
    let chosen = sizes.at(-1) as BatchSize;
    for (const size of sizes) {
      left -= size.weight;
      if (left < 0) {
        chosen = size;
        break;
      }
    }
    return chosen.min + this.#sizeDraws.below(chosen.max - chosen.min + 1);
  }

  /** In turn, each start before took as many rows; where their numbers are drawn, the first row is too. */
  #firstRow(size: number | undefined, seq: number): number {
    const table = this.#table;
    if (table === undefined) return 0;
    if (table.order === "in-turn" && size !== undefined) return (seq * size) % table.rowCount;
    this.#rowDraws.startAt(seq);
    return this.#rowDraws.below(table.rowCount);
  }

  #writeRows(first: number, count: number): void {
    const { rowCount, order } = this.#table as OpenTable;
    this.#memory[this.#at++] = OPEN_ARRAY;
    let row = first;
    for (let index = 0; index < count; index++) {
      if (index > 0) {
        this.#memory[this.#at++] = COMMA;
        if (order === "random") row = this.#rowDraws.below(rowCount);
        else row = row + 1 === rowCount ? 0 : row + 1;
      }
      this.#writeRow(row);
    }
    this.#memory[this.#at++] = CLOSE_ARRAY;
  }

  #writeRow(row: number): void {
    const { bytes, offsets, columnCount } = this.#table as OpenTable;
    this.#memory[this.#at++] = OPEN_ARRAY;
    const begin = offsets[row * columnCount] as number;
    const end = offsets[(row + 1) * columnCount] as number;
    this.#at += bytes.copy(this.#memory, this.#at, begin, end);
    // In the place of the comma behind the last cell.
    this.#memory[this.#at - 1] = CLOSE_ARRAY;
  }

  #writeCell(row: number, column: number): void {
    const { bytes, offsets, columnCount } = this.#table as OpenTable;
    const cell = row * columnCount + column;
    const end = (offsets[cell + 1] as number) - 1;
    this.#at += bytes.copy(this.#memory, this.#at, offsets[cell] as number, end);
  }

  /** RFC 9562, version 4. */
  #writeUuid(seq: number): void {
    const draws = this.#uuidDraws;
    draws.startAt(seq);
    for (let digit = 0, bits = 0; digit < 32; digit++) {
      if (digit % 8 === 0) bits = draws.nextBits();
      if (digit === 8 || digit === 12 || digit === 16 || digit === 20) {
        this.#memory[this.#at++] = HYPHEN;
      }
      const drawn = bits & 15;
      const value = digit === 12 ? 4 : digit === 16 ? 8 | (drawn & 3) : drawn;
      this.#memory[this.#at++] = value + (value < 10 ? ZERO : HEX_LETTER);
      bits >>>= 4;
    }
  }

  #bytesMax(body: LoadBody): number {
    const rowBytes = this.#table?.rowBytesMax ?? 0;
    let sum = 0;
    for (const part of body) {
      if (part.kind === "bytes") sum += part.bytes.length;
      else if (part.kind === "rows") sum += 2 + sizeMax(part.sizes) * (rowBytes + 1);
      else if (part.kind === "row" || part.kind === "column") sum += rowBytes;
      else if (part.kind === "uuid") sum += UUID_BYTES;
      else sum += SEQ_BYTES_MAX;
    }
    return sum;
  }
}

interface Template {
  readonly parts: LoadBody;
  /** Of its batches, which all have the same size: that of the first one. */
  readonly sizes: readonly BatchSize[];
  /** Of all sizes. */
  readonly weight: number;
  /** Rows of each batch; undefined where that is drawn. */
  readonly size: number | undefined;
}

interface OpenTable {
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
  readonly columnCount: number;
  readonly rowCount: number;
  readonly rowBytesMax: number;
  readonly order: RowTable["order"];
}

function openTable({ columns, bytes, offsets: shared, order }: RowTable): OpenTable {
  const offsets = new Uint32Array(shared);
  const columnCount = columns.length;
  const rowCount = (offsets.length - 1) / columnCount;
  let rowBytesMax = 0;
  for (let cell = columnCount; cell < offsets.length; cell += columnCount) {
    const rowBytes = (offsets[cell] as number) - (offsets[cell - columnCount] as number) + 1;
    if (rowBytes > rowBytesMax) rowBytesMax = rowBytes;
  }
  return { bytes: Buffer.from(bytes), offsets, columnCount, rowCount, rowBytesMax, order };
}

function templateOf(parts: LoadBody): Template {
  const batch = parts.find((part) => part.kind === "rows");
  const sizes = batch?.sizes ?? [{ min: 1, max: 1, weight: 1 }];
  const [only] = sizes;
  const isSame = sizes.length === 1 && only?.min === only?.max;
  const weight = sizes.reduce((sum, size) => sum + size.weight, 0);
  return { parts, sizes, weight, size: isSame ? only?.min : undefined };
}

function sizeMax(sizes: readonly BatchSize[]): number {
  return sizes.reduce((most, size) => Math.max(most, size.max), 0);
}
