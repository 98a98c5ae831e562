import type { DuckDBDataChunk, DuckDBResult, DuckDBValueConverter, Json } from "@duckdb/node-api";
import { MillraceError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import type { QueryColumn } from "../../ports/query-engine.ts";
import { loadDuckDb } from "./open-duckdb.ts";

export interface ReadRows {
  readonly columns: readonly QueryColumn[];
  readonly rows: readonly (readonly JsonValue[])[];
  readonly isCut: boolean;
}

/** Text of all values together; what would be more is cut off. It travels between processes and as JSON. */
const TEXT_CHARACTERS_MAX = 64 * 2 ** 20;

/** Bytes that a value without text is counted as. */
const VALUE_CHARACTERS = 8;

/** Decimal digits that a number keeps. */
const EXACT_DIGITS = 15;

/**
 * The first rows of a result as JSON.
 * @param rowsMax at least 0. @param charactersMax of all values together.
 * @throws QUERY_TOO_LARGE when the first row alone is more than travels.
 */
export async function readRows(
  result: DuckDBResult,
  rowsMax: number,
  charactersMax = TEXT_CHARACTERS_MAX,
): Promise<ReadRows> {
  const columns = result.columnNames().map((name, index) => ({
    name,
    type: String(result.columnType(index)),
  }));
  const meter = new TextMeter(await valueConverter(), charactersMax);
  const rows: (readonly JsonValue[])[] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return { columns, rows, isCut: false };
    for (let row = 0; row < chunk.rowCount; row++) {
      if (rows.length === rowsMax) return { columns, rows, isCut: true };
      const values = meter.convertRow(chunk, row);
      if (values !== undefined) rows.push(values);
      else if (rows.length > 0) return { columns, rows, isCut: true };
      else throw rowTooLarge(charactersMax);
    }
  }
}

/** Ends the conversion of a row: one value may be a list of millions. */
class TooMuchText extends Error {}

/** Counts how long the values become that it converts. */
class TextMeter {
  readonly #charactersMax: number;
  #characters = 0;
  readonly #valueOf: DuckDBValueConverter<Json>;

  constructor(valueOf: DuckDBValueConverter<Json>, charactersMax: number) {
    this.#charactersMax = charactersMax;
    this.#valueOf = valueOf;
  }

  /** @returns undefined when all values together would be more than travels. */
  convertRow(chunk: DuckDBDataChunk, row: number): readonly JsonValue[] | undefined {
    try {
      return chunk.convertRowValues(row, this.#convert) as JsonValue[];
    } catch (error) {
      if (error instanceof TooMuchText) return undefined;
      throw error;
    }
  }

  readonly #convert: DuckDBValueConverter<Json> = (value, type, self) => {
    const json = this.#valueOf(value, type, self);
    this.#characters += typeof json === "string" ? json.length : VALUE_CHARACTERS;
    if (this.#characters > this.#charactersMax) throw new TooMuchText();
    return json;
  };
}

function rowTooLarge(charactersMax: number): MillraceError {
  return new MillraceError(
    "QUERY_TOO_LARGE",
    `Cannot answer the query: one row has more than ${charactersMax} characters; name fewer columns, or ask for a file`,
  );
}

/** Numbers stay numbers where JSON has them exactly, and become text or null where it has not. */
async function valueConverter(): Promise<DuckDBValueConverter<Json>> {
  const { DuckDBTypeId, JsonDuckDBValueConverter } = await loadDuckDb();
  return (value, type, self) => {
    if (typeof value === "bigint") {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    if (type.typeId === DuckDBTypeId.DECIMAL && type.width <= EXACT_DIGITS && value !== null) {
      return Number(String(value));
    }
    return JsonDuckDBValueConverter(value, type, self);
  };
}
