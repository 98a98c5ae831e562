const QUOTE = '"';

/** Cuts text that comes piece by piece into records of csv, as Go's reader does: spaces before a field do not count. */
export class CsvRecords {
  /** Text from the begin of the record that is not complete. */
  #rest = "";
  /** How much of it was looked at, and whether that ends within quotes. */
  #seen = 0;
  #isQuoted = false;

  /** @returns the records that are complete. */
  push(text: string): readonly (readonly string[])[] {
    this.#rest += text;
    const records: (readonly string[])[] = [];
    let from = 0;
    for (let end = this.#endOfLine(); end >= 0; end = this.#endOfLine()) {
      this.#look(end);
      this.#seen = end + 1;
      if (this.#isQuoted) continue;
      const line = this.#rest.slice(from, end).replace(/\r$/u, "");
      if (line !== "") records.push(fieldsOf(line));
      from = end + 1;
    }
    this.#look(this.#rest.length);
    this.#rest = this.#rest.slice(from);
    this.#seen = this.#rest.length;
    return records;
  }

  /** Characters of the record that is not complete. */
  get waiting(): number {
    return this.#rest.length;
  }

  /** The last record, where the text does not end with the end of a line; as it is, where it does not end at all. */
  end(): readonly (readonly string[])[] {
    const records = this.push("\n");
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? records : [...records, fieldsOf(rest)];
  }

  #endOfLine(): number {
    return this.#rest.indexOf("\n", this.#seen);
  }

  /** A quote within a field is two: each one turns from within to without, and they cancel. */
  #look(to: number): void {
    const seen = this.#rest.slice(this.#seen, to);
    for (let at = seen.indexOf(QUOTE); at >= 0; at = seen.indexOf(QUOTE, at + 1)) {
      this.#isQuoted = !this.#isQuoted;
    }
  }
}

function fieldsOf(line: string): readonly string[] {
  if (!line.includes(QUOTE)) return line.split(",").map((field) => field.trimStart());
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    while (line[at] === " " || line[at] === "\t") at++;
    const isQuoted = line[at] === QUOTE;
    const close = isQuoted ? closingQuote(line, at) : at;
    const comma = line.indexOf(",", close);
    const end = comma < 0 ? line.length : comma;
    fields.push(isQuoted ? line.slice(at + 1, close).replaceAll('""', QUOTE) : line.slice(at, end));
    at = end + 1;
  }
  return fields;
}

function closingQuote(line: string, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = line.indexOf(QUOTE, at);
    if (at < 0) return line.length;
    if (line[at + 1] !== QUOTE) return at;
  }
}
