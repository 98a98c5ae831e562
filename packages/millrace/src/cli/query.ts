import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { QUERY_ROWS_MAX, readQueryTimeout } from "../control/query-body.ts";
import type { JsonValue } from "../core/json.ts";
import { LOG_COLUMNS, LOG_PARTITIONS } from "../core/predictions/columns.ts";
import { LOG_TABLES } from "../core/predictions/log-block.ts";
import type { QueryColumn, QueryOrder, QueryResult } from "../ports/query-engine.ts";
import { UsageError, type Command, type CommandIo, type CommandLine } from "./command.ts";
import { interruptible } from "./interruptible.ts";
import { QUERY_OPTIONS, withQueryEngine } from "./query-engine-of.ts";
import { tableText } from "./table-text.ts";

const FORMATS = ["table", "csv", "jsonl", "parquet", "json"] as const;

type Format = (typeof FORMATS)[number];

/** Rows that are shown when nothing else is said: nobody reads more of them, and files are for all of them. */
const ROWS_DEFAULT: Readonly<Record<Format, number>> = {
  table: 1_000,
  json: 10_000,
  csv: QUERY_ROWS_MAX,
  jsonl: QUERY_ROWS_MAX,
  parquet: QUERY_ROWS_MAX,
};

const FORMAT_OF_EXTENSION: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".parquet": "parquet",
  ".json": "json",
};

const NUMERIC = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$|^(?:DOUBLE|FLOAT|DECIMAL)/;

export const query: Command = {
  summary: "ask the prediction log with SQL; without any, show its tables",
  usage: 'query ["select …"] [--format FORMAT] [--output FILE]',
  options: {
    "format=FORMAT": `${FORMATS.join(", ")}; default: as --output ends, else table`,
    "output=FILE": "writes the result there",
    "rows-max=N": `rows of the result, at most ${QUERY_ROWS_MAX}; default: 1000 of a table`,
    "timeout=TIME": "longest time of the query, such as 10s; default: log.query.timeout",
    ...QUERY_OPTIONS,
  },
  examples: [
    "query",
    'query "select model, status, count(*) from predictions group by all"',
    'query "from predictions where dt = current_date" --output today.parquet',
  ],
  async run(line, io) {
    const [sql, extra] = line.positionals;
    if (extra !== undefined) throw new UsageError("expected one query, in quotation marks");
    if (sql === undefined) {
      io.stdout.write(describeTables(io));
      return 0;
    }
    const asked = readOptions(line, io);
    return withQueryEngine(line, io, async (engine) => {
      const { format, rowsMax, timeoutMs } = asked;
      const wire: QueryOrder["format"] = format === "table" ? "json" : format;
      const order = { sql, format: wire, parameters: [], rowsMax, timeoutMs };
      const { result, isInterrupted } = await interruptible((signal) =>
        engine.query(order, signal).catch((error: unknown) => {
          if (signal.aborted) return undefined;
          throw error;
        }),
      );
      if (result === undefined || isInterrupted) return 130;
      await show(result, asked, io);
      return 0;
    });
  },
};

interface Asked {
  readonly format: Format;
  /** Undefined is the terminal. */
  readonly output: string | undefined;
  readonly rowsMax: number;
  readonly timeoutMs: number | undefined;
}

/** @throws UsageError */
function readOptions({ options }: CommandLine, io: CommandIo): Asked {
  const output = options.get("output");
  const written = options.get("format");
  const format =
    written ?? FORMAT_OF_EXTENSION[output === undefined ? "" : extname(output)] ?? "table";
  if (!isFormat(format)) {
    throw new UsageError(
      `--format: expected ${FORMATS.join(", ")}, found ${JSON.stringify(format)}`,
    );
  }
  if (format === "parquet" && output === undefined) {
    throw new UsageError("--format parquet needs --output FILE: it is no text");
  }
  const rowsMax = Number(options.get("rows-max") ?? ROWS_DEFAULT[format]);
  if (!Number.isInteger(rowsMax) || rowsMax < 0 || rowsMax > QUERY_ROWS_MAX) {
    throw new UsageError(`--rows-max: expected a whole number 0 to ${QUERY_ROWS_MAX}`);
  }
  const timeout = options.get("timeout");
  const timeoutMs = timeout === undefined ? undefined : readQueryTimeout(timeout);
  if (timeout !== undefined && timeoutMs === undefined) {
    throw new UsageError(`--timeout: expected a duration 1ms to 1h, such as 10s, found ${timeout}`);
  }
  return {
    format,
    output: output === undefined ? undefined : resolve(io.cwd, output),
    rowsMax,
    timeoutMs,
  };
}

function isFormat(text: string): text is Format {
  return (FORMATS as readonly string[]).includes(text);
}

async function show(
  result: QueryResult,
  { format, output, rowsMax }: Asked,
  io: CommandIo,
): Promise<void> {
  const width = output === undefined ? (io.stdout.columns ?? Infinity) : Infinity;
  const content = result.kind === "bytes" ? result.bytes : textOf(result, format, width);
  if (output !== undefined) await writeFile(output, content);
  else io.stdout.write(typeof content === "string" ? content : Buffer.from(content).toString());
  if (result.isCut) io.stderr.write(`Cut after ${describeCut(result, rowsMax)}\n`);
}

function describeCut(result: QueryResult, rowsMax: number): string {
  const count = result.kind === "rows" ? result.rows.length : rowsMax;
  if (count < rowsMax)
    return `${count} rows: a result is at most 64 MiB of text, --output takes more`;
  return `${count} rows; --rows-max shows more`;
}

type Rows = Extract<QueryResult, { readonly kind: "rows" }>;

function textOf({ columns, rows, isCut, tookMs }: Rows, format: Format, width: number): string {
  if (format === "json") {
    return `${JSON.stringify({ columns, rows, cut: isCut, took_ms: tookMs })}\n`;
  }
  // A plan is a drawing of its own.
  if (columns[1]?.name === "explain_value")
    return rows.map((row) => `${cellText(row[1])}\n`).join("");
  const head = columns.map(({ name, type }) => ({ name, isRight: NUMERIC.test(type) }));
  const cells = rows.map((row) => row.map(cellText));
  const count = `${rows.length} row${rows.length === 1 ? "" : "s"}, ${tookMs} ms`;
  return `${tableText(head, cells, { width })}${count}\n`;
}

function cellText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const PARTITION_COLUMNS: readonly (QueryColumn & { readonly description: string })[] = [
  { name: "dt", type: "DATE", description: "Day, UTC; narrows a query to its folders." },
  { name: "hour", type: "INTEGER", description: "Hour, UTC, 0 to 23; likewise." },
];

/** The tables with their columns, as they can be asked for. */
function describeTables(io: CommandIo): string {
  const head = ["column", "type", "meaning"].map((name) => ({ name, isRight: false }));
  const parts = LOG_TABLES.map((table) => {
    const known = new Set(LOG_COLUMNS[table].map(({ name }) => name));
    const partitions = PARTITION_COLUMNS.filter(
      ({ name }) => LOG_PARTITIONS[table].includes(name) && !known.has(name),
    );
    const rows = [...LOG_COLUMNS[table], ...partitions].map(({ name, type, description }) => [
      name,
      type,
      description,
    ]);
    return `${table}\n${tableText(head, rows, { width: io.stdout.columns === undefined ? Infinity : Math.max(120, io.stdout.columns) })}`;
  });
  return `${parts.join("\n")}\nmillrace query "select model, count(*) from predictions group by all"\n`;
}
