/** A line of a block whose rows are JSON. */
export interface JsonLine<Row> {
  readonly text: string;
  /** Undefined when it is no row. */
  readonly row: Row | undefined;
}

/**
 * The lines of a block, one at a time: their rows are many times as large.
 * @param isRow asked of objects only.
 */
export function* jsonLines<Row extends object>(
  bytes: Uint8Array,
  isRow: (value: Partial<Row>) => value is Row,
): Iterable<JsonLine<Row>> {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .split("\n");
  for (const text of lines) if (text !== "") yield { text, row: rowIfPossible(text, isRow) };
}

function rowIfPossible<Row extends object>(
  line: string,
  isRow: (value: Partial<Row>) => value is Row,
): Row | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    if (typeof value !== "object" || value === null) return undefined;
    return isRow(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
