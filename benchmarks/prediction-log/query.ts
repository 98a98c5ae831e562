// How long do questions to a log of 10 million rows take, through the real query process?
//   node --conditions=@millrace/source benchmarks/prediction-log/query.ts [rows in millions]
//   three minutes, most of it to make 1 GB of Parquet; of 10 million it writes results/prediction-log-query.{md,json}
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetTables } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-tables.ts";
import {
  copyTo,
  fileColumns,
} from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import type { QueryOrder, QueryResult } from "../../packages/millrace/src/ports/query-engine.ts";
import { QueryProcess } from "../../packages/millrace/src/query/query-process.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";

const MODELS = ["iris", "churn", "fraud"];
const HOURS = 24;
const DATE = "2026-11-21";
const TARGET_ROWS = 10_000_000;
const GROUP_BY_MS_MAX = 2_000;
const FIND_MS_MAX = 100;
const MEMORY_BYTES = 2 ** 30; // as `log.query.memoryMax` is by default

interface Figure {
  readonly question: string;
  readonly sql: string;
  readonly answeredRows: number;
  readonly ms: Percentiles;
}

/** Questions that operators ask, and how often each is measured. */
const QUESTIONS: readonly { readonly question: string; readonly sql: string; n: number }[] = [
  {
    question: "rows and mean time by model and minute",
    sql: "select model, date_trunc('minute', ts) as minute, count(*), avg(total_us) from predictions group by all",
    n: 15,
  },
  {
    question: "p99 by model and version",
    sql: "select model, version, quantile_cont(total_us, 0.99) from predictions group by all",
    n: 7,
  },
  {
    question: "errors by model and hour",
    sql: "select model, hour, avg((status = 'error')::int) from predictions group by all",
    n: 7,
  },
  {
    question: "mean of one feature by label, of one hour",
    sql: "select label, avg((features->>'sepal_length')::double) from predictions where hour = 12 and model = 'iris' group by all",
    n: 7,
  },
];

const scratch = new ScratchFolder();
const folder = join(scratch.path, "log");
const rowCount = Number(process.argv[2] ?? 10) * 1e6;
const machine = describeMachine();
const rowsPerFile = Math.ceil(rowCount / HOURS / MODELS.length);
const madeMs = await timeOf(makeFiles);
console.log(`made ${rowsPerFile * HOURS * MODELS.length} rows in ${rounded(madeMs / 1e3)} s`);

const engine = new QueryProcess({
  entry: join(ROOT, "packages/millrace/src/query-process-entry.ts"),
  settings: { folder, memoryBytesMax: MEMORY_BYTES, timeoutMs: 60_000 },
  clock: systemClock,
  onLine: (line) => console.error(line),
});
const startMs = await timeOf(() => ask("select count(*) from predictions"));
const figures: Figure[] = [];
for (const { question, sql, n } of QUESTIONS) {
  let answeredRows = 0;
  await ask(sql); // the system's cache of files is warm from here on
  const times: number[] = [];
  for (let i = 0; i < n; i++) {
    times.push(await timeOf(async () => void (answeredRows = (await ask(sql)).rows.length)));
  }
  figures.push({ question, sql, answeredRows, ms: percentilesOf(times) });
}
const sample = await ask("select prediction_id, hour from predictions using sample 60 rows");
const ids = sample.rows as readonly (readonly [id: string, hour: number])[];
figures.push(
  await lookUp("one prediction by its id", "select * from predictions where prediction_id = $1"),
  await lookUp(
    "one prediction by its id and hour",
    `select * from predictions where prediction_id = $1 and dt = '${DATE}' and hour = $2`,
  ),
);
await engine.close();
const explained = await measureFind();
report();

async function ask(
  sql: string,
  parameters: QueryOrder["parameters"] = [],
): Promise<Extract<QueryResult, { kind: "rows" }>> {
  const order = { sql, parameters, format: "json", rowsMax: 1e6, timeoutMs: undefined } as const;
  const result = await engine.query(order);
  if (result.kind !== "rows") throw new Error("expected rows");
  return result;
}

async function lookUp(question: string, sql: string): Promise<Figure> {
  const times: number[] = [];
  for (const [id, hour] of ids) {
    const parameters = sql.includes("$2") ? [id, hour] : [id];
    times.push(
      await timeOf(async () => {
        const { rows } = await ask(sql, parameters);
        if (rows.length !== 1) throw new Error(`found ${rows.length} rows of ${id}`);
      }),
    );
  }
  return { question, sql, answeredRows: 1, ms: percentilesOf(times) };
}

/** How `millrace explain` finds a prediction that is in a Parquet file: the log process looks by the time in its id. */
async function measureFind(): Promise<Percentiles> {
  const duckDb = new DuckDb({ spillFolder: join(folder, "tmp"), memoryBytesMax: MEMORY_BYTES });
  const tables = new ParquetTables({ folder, duckDb });
  const times: number[] = [];
  for (const [id] of ids) {
    times.push(
      await timeOf(async () => {
        const rows = await tables.find(id);
        if (rows?.length !== 1) throw new Error(`did not find ${id}`);
      }),
    );
  }
  await tables.close();
  return percentilesOf(times);
}

/** One file an hour and model, as compaction leaves them. */
async function makeFiles(): Promise<void> {
  const duckDb = new DuckDb({ spillFolder: join(folder, "tmp"), memoryBytesMax: MEMORY_BYTES });
  await duckDb.with((connection) => connection.run(`create table base as ${baseSql()}`));
  for (let hour = 0; hour < HOURS; hour++) {
    for (const model of MODELS) await makeFile(duckDb, hour, model);
  }
  await duckDb.close();
}

async function makeFile(duckDb: DuckDb, hour: number, model: string): Promise<void> {
  const digits = String(hour).padStart(2, "0");
  const path = join(
    folder,
    `predictions/dt=${DATE}/hour=${digits}/model=${model}/r-${model}${digits}.parquet`,
  );
  mkdirSync(dirname(path), { recursive: true });
  const names = fileColumns("predictions").map(({ name }) => name);
  const at = `TIMESTAMP '${DATE} ${digits}:00:00' + since`;
  // UUIDv7: milliseconds first.
  const hex = `printf('%012x', epoch_ms(${at}))`;
  const noise = `md5(noise || '${model}${digits}')`;
  const id = `${hex}[1:8] || '-' || ${hex}[9:12] || '-7' || ${noise}[1:3] || '-8' || ${noise}[4:6] || '-' || ${noise}[7:18]`;
  const made = new Map([
    ["ts", at],
    ["prediction_id", id],
    ["service", `'${model}'`],
  ]);
  const columns = names.map((name) => `${made.get(name) ?? `"${name}"`} AS "${name}"`);
  const copy = copyTo(`SELECT ${columns.join(", ")} FROM base`, path);
  await duckDb.with((connection) => connection.run(copy));
}

/** An hour of one model, evenly spread; columns that are not said are null. */
function baseSql(): string {
  const said: Readonly<Record<string, string>> = {
    request_id: "uuid()::VARCHAR",
    endpoint: "'/predict'",
    version: "(1 + i % 3)::VARCHAR",
    model_digest: "'0123456789abcdef'",
    role: "'primary'",
    unit_hash: "md5((i % 10000)::VARCHAR)",
    param_version: "0",
    status: "CASE WHEN i % 100 = 0 THEN 'error' ELSE 'ok' END",
    error_code: "CASE WHEN i % 100 = 0 THEN 'OVERLOADED' END",
    queue_us: "(random() * 1000)::BIGINT",
    batch_us: "(random() * 100)::BIGINT",
    infer_us: "(random() * 2000)::BIGINT",
    total_us: "(random() * 5000)::BIGINT",
    row_index: "0",
    row_count: "1",
    input_schema_ver: "'0a1b2c3d'",
    features:
      'printf(\'{"sepal_length":%.1f,"sepal_width":%.1f,"petal_length":%.1f,"petal_width":%.1f}\', 4 + random() * 4, 2 + random() * 2, 1 + random() * 6, random() * 2.5)',
    prediction: "printf('[%.7f,%.7f,%.7f]', random(), random(), random())",
    label: "['setosa', 'versicolor', 'virginica'][1 + (random() * 2.99)::INT]",
    score: "random()",
    payload: "'full'",
    sampled_weight: "1",
    node: "'p0-0000000000000000'",
  };
  const columns = fileColumns("predictions").map(
    ({ name, type }) => `(${said[name] ?? "NULL"})::${type} AS "${name}"`,
  );
  const since = `to_microseconds((i * 3600000000 // ${rowsPerFile})::BIGINT) AS since`;
  return `SELECT ${columns.join(", ")}, ${since}, uuid()::VARCHAR AS noise FROM range(${rowsPerFile}) t(i)`;
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const beginMs = performance.now();
  await run();
  return performance.now() - beginMs;
}

function report(): void {
  const groupBy = figures[0]?.ms.p50 ?? NaN;
  const verdict = (value: number, most: number): string => (value <= most ? "met" : "MISSED");
  const noise = describeNoise(machine);
  const rowOf = (question: string, answered: number, { n, p50, p95, max }: Percentiles) => [
    question,
    rounded(answered),
    String(n),
    ...[p50, p95, max].map(rounded),
  ];
  const text = [
    "# Queries of the prediction log",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/prediction-log/query.ts`: a day of three models as",
    `${HOURS * MODELS.length} Parquet files of ${rounded(rowsPerFile)} rows with every column, asked through the query process with`,
    "1 GiB of memory; times are from the order to the rows in the asking process.",
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    `- Target: group by model and minute ≤ ${GROUP_BY_MS_MAX} ms: ${verdict(groupBy, GROUP_BY_MS_MAX)}`,
    `- Target: a prediction found by its id, as \`explain\` does, ≤ ${FIND_MS_MAX} ms: ${verdict(explained.p50, FIND_MS_MAX)}`,
    `- First query, with the start of the process: ${rounded(startMs)} ms`,
    "",
    ...tableSection(
      `Milliseconds over ${rounded(rowsPerFile * HOURS * MODELS.length)} rows`,
      ["question", "rows", "n", "p50", "p95", "max"],
      [
        ...figures.map(({ question, answeredRows, ms }) => rowOf(question, answeredRows, ms)),
        rowOf("the same by the log process, for explain", 1, explained),
      ],
    ),
  ].join("\n");
  console.log(text);
  if (rowCount < TARGET_ROWS) return;
  const path = join(ROOT, "benchmarks/results/prediction-log-query");
  writeFileSync(`${path}.md`, `${text}\n`);
  const json = { machine, rows: rowsPerFile * HOURS * MODELS.length, startMs, figures, explained };
  writeFileSync(`${path}.json`, `${JSON.stringify(json, undefined, 2)}\n`);
}
