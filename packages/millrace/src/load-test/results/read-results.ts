import { LoadInputError } from "../load-input-error.ts";
import { CsvRecords } from "./csv-records.ts";
import { readCsvResult } from "./result-csv.ts";
import { readJsonResult } from "./result-json.ts";
import type { StoredResult } from "./stored-result.ts";

/** What is longer is no result: the body of an answer is the largest part of one. */
const RESULT_CHARACTERS_MAX = 32 * 1024 * 1024;
const TOO_LONG = `it is longer than ${RESULT_CHARACTERS_MAX} characters`;

/** Bytes by which a format is told. */
const BEGIN_BYTES = 256;

type Read = (text: string, isEnd: boolean) => readonly (StoredResult | string)[];

/**
 * Reads results that Millrace or vegeta wrote, as csv or as JSON lines, whichever they are. It holds one piece of the
 * input, however long that is.
 * @param name of the input, for errors.
 * @throws LoadInputError at what is neither, with the number of the result; vegeta's own binary form is refused by name.
 */
export async function* readResults(
  input: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<readonly StoredResult[], void> {
  const decoder = new TextDecoder();
  let read: Read | undefined;
  let count = 0;
  for await (const bytes of withBegin(input)) {
    read ??= readerOf(bytes, name);
    yield checked(read(decoder.decode(bytes, { stream: true }), false));
  }
  if (read !== undefined) yield checked(read(decoder.decode(), true));

  function checked(results: readonly (StoredResult | string)[]): readonly StoredResult[] {
    return results.map((result) => {
      count++;
      if (typeof result !== "string") return result;
      throw new LoadInputError(`Cannot read ${name}: result ${count}: ${result}`);
    });
  }
}

/** The pieces of the input, the first of which has what the format is told by. */
async function* withBegin(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begin: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of input) {
    begin.push(bytes);
    length += bytes.length;
    if (length < BEGIN_BYTES) continue;
    yield begin.length === 1 ? bytes : Buffer.concat(begin);
    begin = [];
    length = BEGIN_BYTES;
  }
  if (begin.length > 0) yield Buffer.concat(begin);
}

function readerOf(begin: Uint8Array, name: string): Read {
  const text = new TextDecoder().decode(begin.subarray(0, BEGIN_BYTES)).trimStart();
  if (text.startsWith("{")) return jsonReader();
  if (/^["\d-]/u.test(text)) return csvReader();
  if (text.includes("\u0000") || text.includes("Result")) {
    throw new LoadInputError(
      `Cannot read ${name}: it is vegeta's binary form (gob), which only Go reads; make csv of it first: vegeta encode --to csv`,
    );
  }
  throw new LoadInputError(`Cannot read ${name}: it is neither csv nor JSON lines of results`);
}

function csvReader(): Read {
  const records = new CsvRecords();
  return (text, isEnd) => {
    const results = records.push(text).map(readCsvResult);
    if (records.waiting > RESULT_CHARACTERS_MAX) results.push(TOO_LONG);
    return isEnd ? [...results, ...records.end().map(readCsvResult)] : results;
  };
}

function jsonReader(): Read {
  let rest = "";
  return (text, isEnd) => {
    if (!isEnd && !text.includes("\n") && rest.length <= RESULT_CHARACTERS_MAX) {
      rest += text;
      return [];
    }
    const lines = (rest + text).split("\n");
    rest = isEnd ? "" : (lines.pop() ?? "");

    const results = lines.filter((line) => line.trim() !== "").map(readJsonResult);
    return rest.length > RESULT_CHARACTERS_MAX ? [...results, TOO_LONG] : results;
  };
}
