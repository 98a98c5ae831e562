import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer, type Question } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace, type Run } from "./millrace-process.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 2 }
log: { roll: 1s }
models: { iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] } }
`;
const COUNT = "select count(*), count(distinct prediction_id) from predictions";

interface Result {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly cut: boolean;
  readonly took_ms: number;
}

function query(server: MillraceProcess, body: object, question: Question = {}): Promise<Answer> {
  return ask(server.facts.control ?? "", "/api/v1/query", { ...question, body });
}

async function rowsOf(server: MillraceProcess, sql: string): Promise<Result["rows"]> {
  const answer = await query(server, { sql });
  if (answer.status !== 200) throw new Error(answer.text);
  return (answer.json as Result).rows;
}

function cli(folder: Workspace, ...words: string[]): Promise<Run> {
  return runMillrace(["query", ...words], { cwd: folder.path });
}

/** Of any process on this machine that was started for this folder's log: the children of control. */
function queryPid(server: MillraceProcess): number {
  const words = ["-ww", "-o", "pid=,args=", "--ppid", String(server.controlPid)];
  const lines = execFileSync("ps", words, { encoding: "utf8" }).split("\n");
  const line = lines.find((text) => text.includes("query-process-entry"));
  return Number.parseInt(line ?? "", 10);
}

describe("millrace query", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  let sent = 0;
  beforeAll(async () => {
    folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** Predicts so often, and waits until that many rows more are in the log. */
  async function predict(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { status } = await ask(server.url, "/predict", { body: { data: SETOSA } });
      expect(status).toBe(200);
    }
    sent += count;
    await eventually(async () => {
      const [row] = await rowsOf(server, COUNT);
      return row?.[0] === sent;
    }, `${sent} rows`);
  }

  it("answers from what was just predicted", async () => {
    await predict(3);
    const answer = await query(server, {
      sql: "select model, label, status, count(*) as n from predictions where endpoint = $1 group by all",
      parameters: ["/predict"],
    });
    expect(answer.json).toMatchObject({
      columns: [
        { name: "model", type: "VARCHAR" },
        { name: "label", type: "VARCHAR" },
        { name: "status", type: "VARCHAR" },
        { name: "n", type: "BIGINT" },
      ],
      rows: [["iris", "setosa", "ok", 3]],
      cut: false,
    });
  });

  it("counts every prediction once at every moment while rows become Parquet files", async () => {
    const before = sent;
    let isShipped = false;
    while (!isShipped) {
      await predict(1);
      const [[rows, ids] = []] = await rowsOf(server, COUNT);
      expect([rows, ids]).toEqual([sent, sent]);
      const { files } = await folderState(folder);
      isShipped = files >= 2 && sent >= before + 20;
    }
  }, 60_000);

  it("gives csv, json lines and Parquet when they are asked for", async () => {
    const body = { sql: "select 1 as a, 'x' as b union all select 2, null order by a" };
    const csv = await query(server, body, { headers: { accept: "text/csv" } });
    expect(csv.headers["content-type"]).toMatch(/^text\/csv/);
    expect(csv.text).toBe("a,b\n1,x\n2,\n");
    const lines = await query(server, body, { headers: { accept: "application/x-ndjson" } });
    expect(lines.text).toBe('{"a":1,"b":"x"}\n{"a":2,"b":null}\n');
    const accept = "application/vnd.apache.parquet";
    const parquet = await query(server, { ...body, rows_max: 1 }, { headers: { accept } });
    expect(parquet.headers).toMatchObject({ "content-type": accept, "x-query-cut": "true" });
    expect(Buffer.from(parquet.bytes.subarray(0, 4)).toString()).toBe("PAR1");
  });

  it("refuses what is no query with the place and what is meant", async () => {
    const answer = await query(server, { sql: "select modle from predictions" });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      code: "INVALID_QUERY",
      detail: expect.stringContaining('"model"') as string,
    });
    const writing = await query(server, { sql: "copy predictions to '/tmp/x'" });
    expect(writing.json).toMatchObject({ code: "INVALID_QUERY" });
    const wrong = await query(server, { sql: 5, rowsmax: 1 });
    expect(wrong).toMatchObject({ status: 400, json: { code: "INVALID_BODY" } });
    const long = await query(server, {
      sql: "select sum(a.range * b.range) from range(1000000000) a, range(1000000000) b",
      timeout: "100ms",
    });
    expect(long).toMatchObject({ status: 422, json: { code: "QUERY_TOO_LARGE" } });
  });

  it("ends a query whose client hangs up", async () => {
    const sql = "select sum(a.range * b.range) from range(1000000000) a, range(1000000000) b";
    const controller = new AbortController();
    // As many as may run at once.
    const asked = [1, 2].map(() =>
      fetch(`${server.facts.control ?? ""}/api/v1/query`, {
        method: "POST",
        body: JSON.stringify({ sql }),
        signal: controller.signal,
      }).catch(() => "gone"),
    );
    // Answered as long as one of them has not begun.
    let waiting: Promise<unknown> = Promise.resolve();
    await eventually(() => {
      waiting = rowsOf(server, "select 1");
      return Promise.race([waiting.then(() => false), nextSecond(true)]);
    }, "a query that waits");
    controller.abort();
    expect(await Promise.all(asked)).toEqual(["gone", "gone"]);
    expect(await waiting).toEqual([[1]]);
  });

  it("goes on when its process is killed", async () => {
    await rowsOf(server, "select 1");
    process.kill(queryPid(server), "SIGKILL");
    await eventually(async () => (await query(server, { sql: "select 1" })).status === 200, "it");
    expect(await rowsOf(server, "select 1")).toEqual([[1]]);
  });

  it("prints a table, csv, json lines and JSON, and writes files", async () => {
    const sql =
      "select 'a' as name, 10 as number, null as nothing union all select 'bc', 9, null order by number";
    const table = await cli(folder, sql);
    expect(table.stdout).toMatch(
      /^name  number  nothing\n----  ------  -------\nbc         9 +NULL\na         10 +NULL\n2 rows, \d+ ms\n$/,
    );
    expect(table.code).toBe(0);
    expect((await cli(folder, sql, "--format", "csv")).stdout).toBe(
      "name,number,nothing\nbc,9,\na,10,\n",
    );
    const json = JSON.parse((await cli(folder, sql, "--format", "json")).stdout) as Result;
    expect(json).toMatchObject({
      rows: [
        ["bc", 9, null],
        ["a", 10, null],
      ],
      cut: false,
    });
    const cut = await cli(folder, sql, "--format", "jsonl", "--rows-max", "1");
    expect(cut.stdout).toBe('{"name":"bc","number":9,"nothing":null}\n');
    expect(cut.stderr).toContain("Cut after 1 row");
    const file = await cli(folder, sql, "--output", "out.parquet");
    expect(file).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(folder.file("out.parquet")).subarray(0, 4).toString()).toBe("PAR1");
  });

  it("shows the tables without SQL, and ends with 2 for what is wrong", async () => {
    const tables = await cli(folder);
    expect(tables.stdout).toMatch(
      /^predictions\n[^]*total_us +BIGINT +Microseconds[^]*\nfeedback\n/,
    );
    const wrong = await cli(folder, "selec 1");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("LINE 1: selec 1\n        ^");
    expect((await cli(folder, "select 1", "--format", "xml")).code).toBe(2);
    expect((await cli(folder, "select 1", "--format", "parquet")).code).toBe(2);
    expect((await cli(folder, "select", "1")).code).toBe(2);
    const unwritten = await cli(folder, "select 1", "--output", "missing/out.csv");
    expect(unwritten).toMatchObject({ code: 1, stdout: "" });
    expect(unwritten.stderr).toMatch(/^Cannot write the result: ENOENT.*\n$/);
    const other = await cli(folder, "select 1", "--url", "http://127.0.0.1:1");
    expect(other.code).toBe(1);
  });

  it("reads the same log when nothing runs any more", async () => {
    const running = await cli(folder, COUNT, "--format", "csv");
    expect(await server.stop()).toBe(0);
    const alone = await cli(folder, COUNT, "--format", "csv");
    expect(alone.stderr).toBe("");
    expect(alone.stdout).toBe(running.stdout);
    expect(alone.stdout).toContain(`${sent},${sent}`);
  });
});

/** Time enough for a query that runs to be answered. */
function nextSecond<T>(value: T): Promise<T> {
  return delay(1_000, value);
}

/** Parquet files of predictions that are there now. */
async function folderState(folder: Workspace): Promise<{ readonly files: number }> {
  const names = await readdir(folder.file(".millrace/log/predictions"), { recursive: true }).catch(
    () => [],
  );
  return { files: names.filter((name) => name.endsWith(".parquet")).length };
}

describe("millrace query with keys", () => {
  it("is answered for admin keys alone, and says what to do where there is no log", async () => {
    const keys = ["read", "infer", "admin"].map(
      (scope) => `{ name: ${scope}, secret: secret-of-${scope}, scopes: [${scope}] }`,
    );
    using folder = new Workspace({
      "millrace.yaml": `
server: { auth: { keys: [${keys.join(", ")}] } }
log: { sink: off }
models: { iris: ./iris.onnx }
`,
      "iris.onnx": IRIS,
    });
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const askAs = (scope: string): Promise<Answer> =>
      query(
        server,
        { sql: "select 1" },
        { headers: { authorization: `Bearer secret-of-${scope}` } },
      );
    expect(await query(server, { sql: "select 1" })).toMatchObject({ status: 401 });
    expect(await askAs("read")).toMatchObject({ status: 403 });
    expect(await askAs("infer")).toMatchObject({ status: 403 });
    expect(await askAs("admin")).toMatchObject({
      status: 503,
      json: {
        code: "LOG_UNAVAILABLE",
        detail: expect.stringContaining("log.sink: parquet") as string,
      },
    });
    const without = await cli(folder, "select 1");
    expect(without.code).toBe(1);
    expect(without.stderr).toContain("--key or MILLRACE_KEY");
    expect((await cli(folder, "select 1", "--key", "secret-of-admin")).stderr).toContain(
      "log.sink",
    );
  });
});
