import { describe, expect, it } from "vitest";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace } from "./millrace-process.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 1 }
models:
  iris:
    source: ./iris.onnx
    labels: [setosa, versicolor, virginica]
    inputs: { float_input: { names: [a, b, c, d] } }
services:
  flowers:
    default: true
    graph: { parallel: { left: iris, right: iris }, combine: mean }
    traffic:
      rules: [{ name: german, when: { header: { x-country: DE } }, to: iris }]
    log: { unit: header.x-customer, attributes: { country: header.x-country } }
`;

type Explained = Readonly<Record<string, unknown>>;

function folderWith(file = FILE): Workspace {
  return new Workspace({ "millrace.yaml": file, "iris.onnx": IRIS });
}

async function predict(server: MillraceProcess, rows: unknown = SETOSA): Promise<string> {
  const headers = { "x-country": "FR", "x-customer": "ann", "x-request-id": "mine" };
  const answer = await ask(server.url, "/predict", { body: { data: rows }, headers });
  expect(answer.status).toBe(200);
  return String(answer.headers["x-prediction-id"]);
}

function explain(server: MillraceProcess, id: string): Promise<Answer> {
  return ask(server.facts.control ?? "", `/api/v1/predictions/${encodeURIComponent(id)}`);
}

/** Waits until it says what it is to say. */
function explained(
  server: MillraceProcess,
  id: string,
  isIt: (explanation: Explained) => boolean,
): Promise<Explained> {
  return eventually(async () => {
    const { status, json } = await explain(server, id);
    return status === 200 && isIt(json as Explained) && (json as Explained);
  }, `an explanation of ${id}`);
}

/** Ends the process that remembers, and waits for the next one. */
async function forgetMemory(server: MillraceProcess): Promise<void> {
  const [pid = 0] = server.servePids;
  process.kill(pid, "SIGKILL");
  await eventually(async () => {
    const [next] = server.servePids;
    if (next === undefined || next === pid) return false;
    return (await ask(server.url, "/health").catch(() => undefined))?.status === 200;
  }, "another serve process");
}

describe("explain", () => {
  it("says the same of a prediction wherever it finds it: in memory, in the log, in the files when nothing runs", async () => {
    using folder = folderWith();
    let id: string;
    let remembered: Explained;
    {
      await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
      id = await predict(server);
      remembered = await explained(server, id, ({ rows }) => rows !== undefined);
      expect(remembered).toMatchObject({
        source: "memory",
        prediction_id: id,
        request_id: "mine",
        service: "flowers",
        endpoint: "/predict",
        model: "iris@1",
        role: "primary",
        status: "ok",
        override_version: 0,
        rule: "default",
        rules: [{ name: "german", isMatch: false, why: expect.stringContaining("FR") as string }],
        graph: { name: "flowers", steps: [{ name: "left" }, { name: "right" }] },
        row_count: 1,
        rows: [
          {
            row: 0,
            features: { a: 5.1, b: 3.5, c: 1.4, d: 0.2 },
            label: "setosa",
          },
        ],
        payload: "full",
        sampled_weight: 1,
        unit_hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        attributes: { country: "FR" },
      });
      await forgetMemory(server);
      const written = await explained(server, id, () => true);
      // The segment of a process that has ended becomes a file at once.
      const source = expect.stringMatching(/^(segment|parquet)$/) as string;
      expect(written).toEqual({ ...remembered, source });
      expect((await explain(server, "mine")).json).toMatchObject({
        code: "PREDICTION_NOT_FOUND",
        detail: expect.stringContaining("those of requests are not looked for") as string,
      });
      await server.stop();
    }
    const run = await runMillrace(["explain", id, "--json"], { cwd: folder.path });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout)).toEqual({ ...remembered, source: "log" });
    const text = await runMillrace(["explain", id], { cwd: folder.path });
    expect(text.stdout).toContain("\nservice     flowers  /predict\n");
    const other = "01992f3c-0000-7000-8000-000000000000";
    const unknown = await runMillrace(["explain", other], { cwd: folder.path });
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining("no Millrace runs here, and its log does not have it"),
    ]);
  }, 60_000);

  it("finds a prediction that is in a Parquet file, and the rows of a request of several", async () => {
    using folder = folderWith(`${FILE}\nlog: { roll: 1s }\n`);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const rows = Array.from({ length: 20 }, (_, i) => [5.1, 3.5, 1.4, i]);
    const id = await predict(server, rows);
    await explained(server, id, (explanation) => explanation["rows"] !== undefined);
    await forgetMemory(server);
    const all = await explained(server, id, ({ source }) => source === "parquet");
    expect(all).toMatchObject({ prediction_id: id, row_count: 20, endpoint: "/predict" });
    const shown = all["rows"] as { row: number; features: { d: number } }[];
    expect(shown.map(({ row, features }) => [row, features.d])).toEqual(
      rows.slice(0, 16).map(([, , , d], i) => [i, d]),
    );
    const { json: one } = await explain(server, `${id}#19`);
    expect(one).toMatchObject({ prediction_id: `${id}#19`, rows: [{ features: { d: 19 } }] });
    expect((await explain(server, `${id}#20`)).status).toBe(404);
  });

  it("has the live changes that were in force when it was made, though others are now", async () => {
    using folder = folderWith();
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const set = async (path: string, value: unknown): Promise<void> => {
      const question = { method: "PUT", body: { value, reason: "a test", by: "ann" } };
      const answer = await ask(server.facts.control ?? "", `/api/v1/overrides/${path}`, question);
      expect(answer.status).toBe(200);
    };
    await set("services.flowers.limits.queue", 50);
    await set("services.iris.limits.queue", 60);
    const id = await predict(server);
    await set("services.flowers.limits.queue", 70);
    const overrides = [
      { path: "services.flowers.limits.queue", value: 50, version: 1, by: "ann", reason: "a test" },
    ];
    const { json } = await explain(server, id);
    expect(json).toMatchObject({ override_version: 2, overrides });
    const run = await runMillrace(["explain", id], { cwd: folder.path });
    expect(run.stdout).toContain(
      "overrides   v2\n  services.flowers.limits.queue = 50  (v1, by ann: a test)\n",
    );
  });

  it("tells that the log cannot be asked of what no process remembers", async () => {
    using folder = folderWith();
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const id = await predict(server);
    const [pid = 0] = await eventually(() => server.logPids.length > 0 && server.logPids, "it");
    process.kill(pid, "SIGSTOP");
    try {
      expect((await explain(server, id)).status).toBe(200);
      const { status, json } = await explain(server, "01992f3c-0000-7000-8000-000000000000");
      expect([status, json]).toEqual([503, expect.objectContaining({ code: "LOG_UNAVAILABLE" })]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  }, 30_000);
});
