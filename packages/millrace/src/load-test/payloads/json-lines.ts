import { JsonReader } from "../../core/json-reader.ts";
import { messageOf } from "../../core/message-of.ts";
import { LoadInputError } from "../load-input-error.ts";
import { RowTableBuilder } from "./row-table-builder.ts";

const LINE_FEED = 0x0a;

const NULL = Buffer.from("null");

interface Line {
  readonly number: number;
  readonly isList: boolean;
  /** JSON text as it is written, by key; of a list by the index. */
  readonly cells: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads json lines: objects, whose keys are the columns (null where a line has not all of them), or lists of one length,
 * whose columns are named 0, 1, …. Values stay as they are written.
 * @throws LoadInputError
 */
export function addJsonLines(path: string, bytes: Uint8Array): RowTableBuilder {
  const columns = columnsOf(path, bytes);
  const builder = new RowTableBuilder(path, columns);
  for (const { number, isList, cells } of linesOf(path, bytes)) {
    if (isList && cells.size !== columns.length) {
      throw new LoadInputError(
        `${path}:${number}: a list of ${cells.size} values, expected ${columns.length} as in others`,
      );
    }
    builder.addRow(columns.map((column) => cells.get(column) ?? NULL));
  }
  return builder;
}

/** Any line may have one that those before have not. */
function columnsOf(path: string, bytes: Uint8Array): readonly string[] {
  const columns = new Set<string>();
  let areLists: boolean | undefined;
  for (const { number, isList, cells } of linesOf(path, bytes)) {
    areLists ??= isList;
    if (isList !== areLists) {
      throw new LoadInputError(`${path}:${number}: lists and objects, expected one or the other`);
    }
    for (const column of cells.keys()) columns.add(column);
  }
  return [...columns];
}

/** Lines that are not blank. */
function* linesOf(path: string, bytes: Uint8Array): Generator<Line> {
  for (let from = 0, number = 1; from < bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, from);
    const end = feed === -1 ? bytes.length : feed;
    const text = bytes.subarray(from, end);
    from = end + 1;
    if (isBlank(text)) continue;
    try {
      yield { number, ...readLine(text) };
    } catch (error) {
      if (error instanceof LoadInputError) throw error;
      throw new LoadInputError(`${path}:${number}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function isBlank(text: Uint8Array): boolean {
  return text.every((byte) => byte <= 0x20);
}

/** @throws Error for what is neither a list nor an object. */
function readLine(text: Uint8Array): Omit<Line, "number"> {
  const reader = new JsonReader(text);
  const kind = reader.peek();
  const cells = new Map<string, Uint8Array>();
  if (kind === "array") {
    reader.enterArray();
    while (reader.nextElement(cells.size === 0)) {
      cells.set(String(cells.size), readRaw(reader, text));
    }
  } else if (kind === "object") {
    reader.enterObject();
    for (let key = reader.nextKey(true); key !== undefined; key = reader.nextKey(false)) {
      if (cells.has(key)) throw new Error(`the key ${JSON.stringify(key)} stands twice`);
      cells.set(key, readRaw(reader, text));
    }
  } else throw new Error(`expected an object or a list, found a ${kind}`);
  reader.end();
  return { isList: kind === "array", cells };
}

function readRaw(reader: JsonReader, text: Uint8Array): Uint8Array {
  reader.peek(); // white space before it is skipped
  const from = reader.offset;
  reader.skipValue();
  return text.subarray(from, reader.offset);
}
