import type { DuckDBConnection, DuckDBPreparedStatement } from "@duckdb/node-api";
import { MillraceError } from "../../core/errors.ts";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import { queryError } from "./query-error.ts";
import { forbiddenName } from "./query-tree.ts";

export type QueryParameter = string | number | boolean | null;

/** `EXPLAIN ANALYZE (FORMAT json) `; what follows is to be a query of its own. */
const EXPLAIN = /^\s*explain\b(?:\s+analyze\b)?(?:\s*\([^()]*\))?\s*/i;

/**
 * Prepares the one statement of the text, when it is a query: SELECT, and what is one to DuckDB, such as WITH, FROM,
 * VALUES, DESCRIBE, SUMMARIZE, SHOW and PIVOT; or the explanation of one. Files it names are
 * the database's business, which can open none but those of the log.
 * @throws INVALID_QUERY
 */
export async function prepareQuery(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly QueryParameter[],
): Promise<DuckDBPreparedStatement> {
  const count = await countQueries(connection, withoutExplain(sql));
  if (count !== 1) throw invalid(count === 0 ? "found no statement, expected one" : several(count));
  try {
    const statements = await connection.extractStatements(sql);
    // PIVOT without its values is two statements, the first of which creates a type.
    if (statements.count !== 1) throw invalid(several(statements.count));
    const statement = await statements.prepare(0);
    bind(statement, parameters);
    return statement;
  } catch (error) {
    throw queryError(error);
  }
}

/** EXPLAIN ANALYZE runs what it explains, be it a COPY that writes files. */
function withoutExplain(sql: string): string {
  return sql.replace(EXPLAIN, "");
}

const TABLES = LOG_TABLES.join(" and ");

interface Parsed {
  readonly error: boolean;
  readonly error_type?: string;
  readonly statements?: readonly unknown[];
}

/**
 * Counts the statements without preparing them: to prepare EXPORT creates its folder.
 * @throws INVALID_QUERY when one is no query, or the text is no SQL.
 */
async function countQueries(connection: DuckDBConnection, sql: string): Promise<number> {
  // It parses the text and takes nothing but queries.
  const result = await connection.runAndReadAll("SELECT json_serialize_sql($1::VARCHAR)", [sql]);
  const parsed = JSON.parse(String(result.value(0, 0))) as Parsed;
  if (!parsed.error) return countAllowed(parsed.statements ?? []);
  if (parsed.error_type === "parser") await failToParse(connection, sql);
  throw invalid(
    `it does more than read; expected SELECT, WITH, FROM, DESCRIBE, SUMMARIZE or EXPLAIN over the tables ${TABLES}`,
  );
}

/** @throws INVALID_QUERY when there is something in them that may not be asked. */
function countAllowed(statements: readonly unknown[]): number {
  const name = forbiddenName(statements);
  if (name === undefined) return statements.length;
  throw invalid(`${name} may not be asked, only the tables ${TABLES}, range(), unnest() and such`);
}

/** @throws INVALID_QUERY with the line and a mark below the place. */
async function failToParse(connection: DuckDBConnection, sql: string): Promise<void> {
  try {
    await connection.extractStatements(sql);
  } catch (error) {
    throw queryError(error);
  }
}

function several(count: number): string {
  return `found ${count} statements, expected one; of PIVOT name the values with IN (…)`;
}

function invalid(why: string): MillraceError {
  return new MillraceError("INVALID_QUERY", `Cannot run the query: ${why}`);
}

/** @throws INVALID_QUERY when there are other parameters than those of the statement. */
function bind(statement: DuckDBPreparedStatement, parameters: readonly QueryParameter[]): void {
  const numbers = Array.from({ length: statement.parameterCount }, (_, index) =>
    Number(statement.parameterName(index + 1)),
  );
  if (numbers.some(Number.isNaN)) throw invalid("expected parameters $1, $2, …, found one by name");
  const expected = Math.max(0, ...numbers);
  if (expected !== parameters.length) {
    throw invalid(`found ${parameters.length} parameters, expected ${expected}`);
  }
  for (const [index, number] of numbers.entries()) {
    bindOne(statement, index + 1, parameters[number - 1] ?? null);
  }
}

function bindOne(
  statement: DuckDBPreparedStatement,
  index: number,
  parameter: QueryParameter,
): void {
  if (parameter === null) statement.bindNull(index);
  else if (typeof parameter === "boolean") statement.bindBoolean(index, parameter);
  else if (typeof parameter === "string") statement.bindVarchar(index, parameter);
  // A whole number is one to SQL, too: LIMIT takes no other, and times are exact.
  else if (Number.isSafeInteger(parameter)) statement.bindBigInt(index, BigInt(parameter));
  else statement.bindDouble(index, parameter);
}
