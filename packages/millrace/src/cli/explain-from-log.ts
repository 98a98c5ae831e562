import { explainRows } from "../core/predictions/explain-rows.ts";
import {
  EXPLAINED_ROWS_MAX,
  EXPLAINED_SHADOWS_MAX,
  type Explanation,
} from "../core/predictions/explanation.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import type { PredictionRow } from "../core/predictions/prediction-row.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import type { CommandIo, CommandLine, ExitCode } from "./command.ts";
import { withQueryEngine } from "./query-engine-of.ts";

/** A prediction's time is in its id; its row says when the request came, which is a little before or after. */
const CLOCK_MS_MAX = 86_400_000;

/** The shadows come first, so that many rows do not crowd them out. */
const ROWS_MAX = EXPLAINED_ROWS_MAX + EXPLAINED_SHADOWS_MAX;

const SQL = `
  select * exclude (ts), epoch_us(ts) as ts from predictions
  where ts between make_timestamp($2::bigint) and make_timestamp($3::bigint)
    and (prediction_id = $1 or prediction_id like $1 || '#%')
    and (role is distinct from 'shadow' or row_index = 0)
  order by role is distinct from 'shadow', row_index limit ${ROWS_MAX}`;

/** Explains a prediction from the files of a Millrace that does not run. @returns 1 when they do not have it. */
export function explainFromLog(
  id: string,
  line: CommandLine,
  io: CommandIo,
  show: (explanation: Explanation) => void,
): Promise<ExitCode> {
  return withQueryEngine({ ...line, positionals: [] }, io, async (engine) => {
    const explanation = await findIn(engine, id);
    if (explanation !== undefined) {
      show(explanation);
      return 0;
    }
    io.stderr.write(
      `Cannot explain ${JSON.stringify(id)}: no Millrace runs here, and its log does not have it\n`,
    );
    return 1;
  });
}

async function findIn(engine: QueryEngine, id: string): Promise<Explanation | undefined> {
  const key = readPredictionKey(id);
  if (key === undefined) return undefined;
  const times = [key.madeAtMs - CLOCK_MS_MAX, key.madeAtMs + CLOCK_MS_MAX].map((ms) => ms * 1000);
  const result = await engine.query({
    sql: SQL,
    format: "json",
    parameters: [id, ...times],
    rowsMax: ROWS_MAX,
    timeoutMs: undefined,
  });
  if (result.kind !== "rows") return undefined;
  const names = result.columns.map(({ name }) => name);
  const rows = result.rows.map(
    (values) => Object.fromEntries(values.map((value, i) => [names[i], value])) as unknown,
  );
  return explainRows({ source: "log", rows: rows as readonly PredictionRow[] });
}
