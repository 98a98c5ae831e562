import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonReader, NumberArray } from "../json-reader.ts";
import { allocate, DATATYPES, type Datatype, type TensorData } from "./datatype.ts";

/** Most axes a tensor may have in JSON. */
export const RANK_MAX = 32;

export interface JsonArray {
  readonly data: TensorData;
  /** Extents as nested; `[0]` for `[]`. */
  readonly shape: number[];
}

/**
 * Reads a nested JSON array and packs it into typed storage in one pass over the bytes.
 *
 * @param location path of the array in the request, for problems.
 * @param problems wrong elements are added here, at most `PROBLEMS_MAX`; reading goes on behind each.
 * @throws INVALID_JSON when the text is not JSON, INVALID_TENSOR when arrays of one axis differ in length.
 */
export function readJsonArray(
  reader: JsonReader,
  datatype: Datatype,
  location: readonly (string | number)[],
  problems: Problem[],
): JsonArray {
  const elements = new Elements(datatype);
  /** Extent of each axis, known once the first array of that axis has ended. */
  const shape: number[] = [];
  /** Elements read so far of the array that is open at each axis. */
  const counts: number[] = [0];
  let depth = 1;
  reader.enterArray();
  while (depth > 0) {
    const axis = depth - 1;
    const count = counts[axis] as number;
    if (!reader.nextElement(count === 0)) {
      checkExtent(shape, counts, axis, location);
      counts.pop();
      depth--;
      continue;
    }
    counts[axis] = count + 1;
    if (reader.peek() === "array") {
      if (depth === RANK_MAX) throw tooDeep(location);
      if (elements.rank === depth) {
        throw ragged(location, counts, depth, "an array", "a value");
      }
      reader.enterArray();
      counts.push(0);
      depth++;
      continue;
    }
    if (shape.length > depth || (elements.rank !== 0 && elements.rank !== depth)) {
      throw ragged(location, counts, depth, "a value", "an array");
    }
    elements.rank = depth;
    const runLength = elements.readRun(reader);
    if (runLength > 0) {
      counts[axis] = count + runLength;
      continue;
    }
    const problem = elements.read(reader);
    if (problem !== undefined && problems.length < PROBLEMS_MAX) {
      const path = counts.slice(0, depth).map((n) => n - 1);
      problems.push({ ...problem, location: [...location, ...path] });
    }
  }
  return { data: elements.finish(), shape };
}

/** Reads one bare value, the element of a tensor without axes. @param problems as in `readJsonArray`. */
export function readJsonScalar(
  reader: JsonReader,
  datatype: Datatype,
  location: readonly (string | number)[],
  problems: Problem[],
): TensorData {
  const elements = new Elements(datatype);
  const problem = elements.read(reader);
  if (problem !== undefined) problems.push({ ...problem, location });
  return elements.finish();
}

function checkExtent(
  shape: number[],
  counts: readonly number[],
  axis: number,
  location: readonly (string | number)[],
): void {
  const found = counts[axis] as number;
  const expected = shape[axis];
  if (expected === undefined) shape[axis] = found;
  else if (expected !== found) {
    const path = [...location, ...counts.slice(0, axis).map((n) => n - 1)];
    const message = `found ${found} values, expected ${expected} as in the first array of this axis`;
    throw new MillraceError("INVALID_TENSOR", `Cannot read ${path.join(".")}: ${message}`, {
      problems: [{ location: path, message, type: "shape" }],
    });
  }
}

function ragged(
  location: readonly (string | number)[],
  counts: readonly number[],
  depth: number,
  ...[found, expected]: [string, string]
): MillraceError {
  const path = [...location, ...counts.slice(0, depth).map((n) => n - 1)];
  const message = `found ${found}, expected ${expected} as in the elements before it`;
  return new MillraceError("INVALID_TENSOR", `Cannot read ${path.join(".")}: ${message}`, {
    problems: [{ location: path, message, type: "shape" }],
  });
}

function tooDeep(location: readonly (string | number)[]): MillraceError {
  const message = `arrays are nested deeper than ${RANK_MAX}`;
  return new MillraceError("INVALID_TENSOR", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "shape" }],
  });
}

/** Growing typed storage that reads one element at a time. */
class Elements {
  readonly #datatype: Datatype;
  #data: TensorData;
  #capacity = 16;
  count = 0;
  /** Depth at which the elements stand. */
  rank = 0;

  constructor(datatype: Datatype) {
    this.#datatype = datatype;
    this.#data = allocate(datatype, this.#capacity);
  }

  /** Reads elements in one go, up to the first that needs a closer look. @returns how many. */
  readRun(reader: JsonReader): number {
    const { json, bytes } = DATATYPES[this.#datatype];
    if (json !== "number" && (json !== "integer" || bytes === 8)) return 0;
    const first = this.count;
    this.count = reader.readNumbers(this.#data as NumberArray, first);
    return this.count - first;
  }

  /** Reads the next element. @returns what is wrong with it, if anything; a wrong element is read as zero. */
  read(reader: JsonReader): Omit<Problem, "location"> | undefined {
    if (this.count === this.#capacity) this.#grow();
    const index = this.count++;
    const start = reader.offset;
    const kind = reader.peek();
    const wanted = DATATYPES[this.#datatype].json;
    if (wanted === "number" && kind === "number") {
      const value = reader.readNumber();
      (this.#data as Float64Array)[index] = value;
      if (Number.isFinite(this.#data[index])) return undefined;
      return this.#outOfRange(reader, start);
    }
    if (wanted === "integer" && kind === "number") return this.#readInteger(reader, index, start);
    if (wanted === "boolean" && (kind === "true" || kind === "false")) {
      (this.#data as Uint8Array)[index] = reader.readBoolean() ? 1 : 0;
      return undefined;
    }
    if (wanted === "string" && kind === "string") {
      const text = reader.readString();
      (this.#data as string[])[index] = text;
      // Half of a surrogate pair has no UTF-8 form; the model would get another text than the client sent.
      if (text.isWellFormed()) return undefined;
      return { message: "found half of a surrogate pair, expected text", type: "type" };
    }
    reader.skipValue();
    const found = reader.excerpt(start, reader.offset).trim();
    return {
      message: `found ${found}, expected ${EXPECTED[wanted]} (${this.#datatype})`,
      type: "type",
    };
  }

  #readInteger(
    reader: JsonReader,
    index: number,
    start: number,
  ): Omit<Problem, "location"> | undefined {
    const row = DATATYPES[this.#datatype] as { bytes: number; min: bigint; max: bigint };
    if (row.bytes < 8) {
      const value = reader.readNumber();
      if (!Number.isInteger(value)) return this.#notWhole(reader, start);
      (this.#data as Int32Array)[index] = value;
      const isInRange = value >= Number(row.min) && value <= Number(row.max);
      return isInRange ? undefined : this.#outOfRange(reader, start);
    }
    const value = reader.readInteger();
    if (value === undefined) return this.#notWhole(reader, start);
    if (value < row.min || value > row.max) return this.#outOfRange(reader, start);
    (this.#data as BigInt64Array)[index] = value;
    return undefined;
  }

  #notWhole(reader: JsonReader, start: number): Omit<Problem, "location"> {
    const found = reader.excerpt(start, reader.offset).trim();
    return { message: `found ${found}, expected a whole number (${this.#datatype})`, type: "type" };
  }

  #outOfRange(reader: JsonReader, start: number): Omit<Problem, "location"> {
    const found = reader.excerpt(start, reader.offset).trim();
    const row = DATATYPES[this.#datatype];
    const range =
      "min" in row
        ? `${row.min.toString()} to ${row.max.toString()} (${this.#datatype})`
        : `a finite ${this.#datatype} number`;
    return { message: `found ${found}, expected ${range}`, type: "range" };
  }

  #grow(): void {
    this.#capacity *= 2;
    if (Array.isArray(this.#data)) return;
    const grown = allocate(this.#datatype, this.#capacity) as Float64Array;
    grown.set(this.#data as Float64Array);
    this.#data = grown;
  }

  finish(): TensorData {
    if (Array.isArray(this.#data)) {
      this.#data.length = this.count;
      return this.#data;
    }
    return this.#data.subarray(0, this.count);
  }
}

const EXPECTED = {
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  string: "a string",
  none: "binary data: this type has no JSON form",
} as const;
