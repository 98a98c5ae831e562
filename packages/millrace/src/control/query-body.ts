import { z } from "zod";
import { parseDuration } from "../config/duration.ts";
import { readBody } from "./read-body.ts";

export interface QueryBody {
  readonly sql: string;
  readonly parameters: readonly (string | number | boolean | null)[];
  readonly rowsMax: number;
  /** Undefined when it says nothing of it. */
  readonly timeoutMs: number | undefined;
}

const SQL_CHARACTERS_MAX = 65_536;
const PARAMETERS_MAX = 1_000;
const ROWS_DEFAULT = 10_000;

/** Rows of a result are in memory before they are sent. */
export const QUERY_ROWS_MAX = 1_000_000;

/** As `log.query.timeout` may be at most. */
const TIMEOUT_MS_MAX = 3_600_000;

/** @returns undefined when it is no time that a query may take. */
export function readQueryTimeout(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms >= 1 && ms <= TIMEOUT_MS_MAX ? ms : undefined;
}

const timeout = z
  .string()
  .transform((text, context) => {
    const ms = readQueryTimeout(text);
    if (ms !== undefined) return ms;
    context.addIssue({ code: "custom", message: "expected a duration 1ms to 1h, such as 10s" });
    return z.NEVER;
  })
  .optional();

const queryBody = z.strictObject({
  sql: z.string().min(1).max(SQL_CHARACTERS_MAX),
  parameters: z
    .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .max(PARAMETERS_MAX)
    .default([]),
  rows_max: z.int().min(0).max(QUERY_ROWS_MAX).default(ROWS_DEFAULT),
  timeout,
});

/** `{"sql": "select …", "parameters": ["iris"], "rows_max": 100, "timeout": "10s"}`. @throws INVALID_JSON, INVALID_BODY */
export function readQueryBody(body: Buffer): QueryBody {
  const parsed = readBody(queryBody, body, "the query");
  return {
    sql: parsed.sql,
    parameters: parsed.parameters,
    rowsMax: parsed.rows_max,
    timeoutMs: parsed.timeout,
  };
}
