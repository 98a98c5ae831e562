import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import { ask } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace } from "./millrace-process.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 2 }
log: { roll: 1s }
models: { iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] } }
services:
  iris:
    graph: iris
    default: true
    log: { unit: header.x-user, attributes: { region: header.x-region } }
`;
const VIRGINICA = [[6.7, 3.0, 5.2, 2.3]];

interface Evaluated {
  readonly kind: string | null;
  readonly labels: { readonly matched: number; readonly late: number; readonly unmatched: number };
  readonly groups: readonly {
    readonly by: Readonly<Record<string, string>>;
    readonly predictions: number;
    readonly labelled: number;
    readonly classification?: {
      readonly accuracy: { readonly value: number };
      readonly count: number;
      readonly confusion: readonly object[];
    };
  }[];
}

/** What `millrace evaluate` prints as JSON, run in the folder. */
async function evaluate(folder: Workspace, ...words: string[]): Promise<Evaluated> {
  const { code, stdout, stderr } = await runMillrace(["evaluate", "iris", "--json", ...words], {
    cwd: folder.path,
  });
  expect(stderr).toBe("");
  expect([0, 1]).toContain(code);
  return JSON.parse(stdout) as Evaluated;
}

describe("feedback and millrace evaluate", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  let client: MillraceClient;
  beforeAll(async () => {
    folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
    client = new MillraceClient({ url: server.url });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** Predicts in a region of its own. @returns the prediction's id. */
  async function predict(region: string, rows: typeof SETOSA, user?: string): Promise<string> {
    const headers = { "x-region": region, ...(user === undefined ? {} : { "x-user": user }) };
    const { id } = await client.predict("iris", rows, { headers });
    if (id === undefined) throw new Error("The prediction has no id");
    return id;
  }

  /** The group of a region, once it has so many labelled predictions. */
  function groupOf(region: string, labelled: number) {
    return eventually(async () => {
      const { groups } = await evaluate(folder, "--by", "region", "--since", "1h");
      return groups.find((group) => group.by["region"] === region && group.labelled >= labelled);
    }, `${labelled} labels of ${region}`);
  }

  it("labels find their predictions, whichever process made them and whichever was told", async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => predict("ids", index < 15 ? SETOSA : VIRGINICA)),
    );
    const fresh = () => new MillraceClient({ url: server.url }); // a connection of its own
    await Promise.all(
      ids.map((predictionId) => fresh().feedback("iris", { predictionId, label: "setosa" })),
    );
    const group = await groupOf("ids", 20);
    expect(group).toMatchObject({ predictions: 20, labelled: 20 });
    expect(group.classification?.accuracy.value).toBeCloseTo(0.75, 12);
  });

  it("a row of several, a correction, a retry and a unit count as they should", async () => {
    const id = await predict("mixed", [...SETOSA, ...VIRGINICA]);
    await predict("mixed", SETOSA, "ann");
    const reports = [
      { predictionId: `${id}#0`, label: "virginica", ts: new Date(Date.now() - 1000) },
      { predictionId: `${id}#0`, label: "setosa" },
      { predictionId: `${id}#1`, label: "virginica" },
      { entityId: "ann", ts: new Date(), label: "setosa" },
    ];
    const first = await client.feedback("iris", reports);
    expect(await client.feedback("iris", reports)).toEqual(first);
    const group = await groupOf("mixed", 3);
    expect(group).toMatchObject({ predictions: 3, labelled: 3 });
    expect(group.classification?.accuracy.value).toBe(1);
  });

  it("a label that was answered for survives the process that took it", async () => {
    const id = await predict("killed", SETOSA);
    await groupOf("mixed", 3); // the prediction has left the memory by now
    const pids = server.servePids;
    expect(pids).toHaveLength(2);
    await client.feedback("iris", { predictionId: id, label: "setosa" });
    for (const pid of pids) process.kill(pid, "SIGKILL");
    const group = await groupOf("killed", 1);
    expect(group.labelled).toBe(1);
    await eventually(() => client.ready().catch(() => false), "serve processes that are back");
  });

  it("millrace evaluate reads the log of a Millrace that has ended, and says what it has against its options", async () => {
    const running = await evaluate(folder, "--by", "region,version");
    expect(await server.stop()).toBe(0);
    const ended = await evaluate(folder, "--by", "region,version");
    // Sums of fractions differ in their last digits with the order of the rows.
    const exact = ({ groups }: Evaluated) =>
      groups.map(({ by, predictions, labelled, classification }) => {
        const { count, confusion } = classification ?? {};
        return { by, predictions, labelled, count, confusion };
      });
    expect(exact(ended)).toEqual(exact(running));
    expect(ended.groups.length).toBeGreaterThan(2);
    expect(ended.labels).toEqual(running.labels);
    const { code, stdout } = await runMillrace(["evaluate", "iris"], { cwd: folder.path });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model=iris, version=1 +\d+ +\d+ +0 +0\.\d+ \(0\.\d+…0\.\d+\)/m);
    const unknown = await runMillrace(["evaluate", "other"], { cwd: folder.path });
    expect([unknown.code, unknown.stdout]).toEqual([
      1,
      expect.stringContaining("no label can be compared with a prediction") as string,
    ]);
    const wrong = await runMillrace(["evaluate", "iris", "--since", "yesterday"], {
      cwd: folder.path,
    });
    expect([wrong.code, wrong.stderr.split("\n")[0]]).toEqual([
      2,
      '--since: expected 7d, or a time with its zone: 2026-11-21T16:00:00Z, found "yesterday"',
    ]);
  });
});

it("POST /feedback answers 503 where nothing is logged, and says what to do", async () => {
  using folder = new Workspace({
    "millrace.yaml": "log: { sink: off }\nmodels: { iris: ./iris.onnx }",
    "iris.onnx": IRIS,
  });
  await using server = await MillraceProcess.start(["serve"], { cwd: folder.path });
  const body = { prediction_id: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7", label: 1 };
  const { status, json } = await ask(server.url, "/feedback", { body });
  expect([status, json]).toEqual([
    503,
    expect.objectContaining({
      code: "LOG_UNAVAILABLE",
      detail:
        "Cannot take feedback: predictions are not logged, set log.sink to parquet and state.dir to a folder",
    }),
  ]);
});
