import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { QUERY_ROWS_MAX, readQueryTimeout } from "../control/query-body.ts";
import { messageOf } from "../core/message-of.ts";
import type { QueryOrder, QueryResult } from "../ports/query-engine.ts";
import {
  UsageError,
  type Command,
  type CommandIo,
  type CommandLine,
  type ExitCode,
} from "./command.ts";
import { describeLogTables } from "./describe-log-tables.ts";
import { interruptible } from "./interruptible.ts";
import { QUERY_OPTIONS, withQueryEngine } from "./query-engine-of.ts";
import { queryJson, queryTable } from "./query-text.ts";

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
      io.stdout.write(describeLogTables());
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
      return show(result, asked, io);
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
): Promise<ExitCode> {
  const width = output === undefined ? (io.stdout.columns ?? Infinity) : Infinity;
  const content = contentOf(result, format, width);
  if (output === undefined) io.stdout.write(Buffer.from(content).toString());
  else if (!(await isWritten(output, content, io))) return 1;
  if (result.isCut) io.stderr.write(`Cut after ${describeCut(result, rowsMax)}\n`);
  return 0;
}

function contentOf(result: QueryResult, format: Format, width: number): Uint8Array {
  if (result.kind === "bytes") return result.bytes;
  return Buffer.from(format === "json" ? queryJson(result) : queryTable(result, width));
}

async function isWritten(path: string, content: Uint8Array, io: CommandIo): Promise<boolean> {
  try {
    await writeFile(path, content);
    return true;
  } catch (error) {
    io.stderr.write(`Cannot write the result: ${messageOf(error)}\n`);
    return false;
  }
}

function describeCut(result: QueryResult, rowsMax: number): string {
  const count = result.kind === "rows" ? result.rows.length : rowsMax;
  if (count < rowsMax)
    return `${count} rows: a result is at most 64 MiB of text, --output takes more`;
  return `${count} rows; --rows-max shows more`;
}
