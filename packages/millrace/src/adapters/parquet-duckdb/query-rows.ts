import type { DuckDBResult, DuckDBValueConverter, Json } from "@duckdb/node-api";
import type { JsonValue } from "../../core/json.ts";
import type { QueryColumn } from "../../ports/query-engine.ts";
import { loadDuckDb } from "./open-duckdb.ts";

export interface ReadRows {
  readonly columns: readonly QueryColumn[];
  readonly rows: readonly (readonly JsonValue[])[];
  readonly isCut: boolean;
}

/** Text of all values together; a row more than that is cut off. It travels between processes and as JSON. */
const TEXT_CHARACTERS_MAX = 64 * 2 ** 20;

/** Bytes that a value without text is counted as. */
const VALUE_CHARACTERS = 8;

/** Decimal digits that a number keeps. */
const EXACT_DIGITS = 15;

/** The first rows of a result as JSON. @param rowsMax at least 0. */
export async function readRows(result: DuckDBResult, rowsMax: number): Promise<ReadRows> {
  const columns = result.columnNames().map((name, index) => ({
    name,
    type: String(result.columnType(index)),
  }));
  const meter = new TextMeter(await valueConverter());
  const rows: (readonly JsonValue[])[] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return { columns, rows, isCut: false };
    for (let row = 0; row < chunk.rowCount; row++) {
      if (rows.length === rowsMax || meter.characters > TEXT_CHARACTERS_MAX) {
        return { columns, rows, isCut: true };
      }
      rows.push(chunk.convertRowValues(row, meter.convert) as JsonValue[]);
    }
  }
}

/** Counts how long the values become that it converts. */
class TextMeter {
  characters = 0;
  readonly #valueOf: DuckDBValueConverter<Json>;

  constructor(valueOf: DuckDBValueConverter<Json>) {
    this.#valueOf = valueOf;
  }

  readonly convert: DuckDBValueConverter<Json> = (value, type, self) => {
    const json = this.#valueOf(value, type, self);
    this.characters += typeof json === "string" ? json.length : VALUE_CHARACTERS;
    return json;
  };
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
