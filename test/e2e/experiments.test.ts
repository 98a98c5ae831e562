import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcClient } from "./grpc-client.ts";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 2 }
models: { svc: ./iris.onnx, rf: ./newer.onnx }
services:
  iris:
    default: true
    graph: svc
    reply: { include: [mode, prediction_id] }
    log: { sample: 1% }
    traffic:
      rules: [{ name: vip, when: { header: { x-vip: "1" } }, to: rf }]
      experiment:
        name: rf-2026-11
        unit: [header.x-user-id, cookie.visitor]
        arms:
          control: svc
          treatment: { parallel: { a: rf, b: rf }, combine: mean }
        weights: { control: 60, treatment: 40 }
`;
const KEY = "services.iris.traffic.experiment";

const USERS = Array.from({ length: 60 }, (_, i) => `user-${i}`);

type Rows = readonly (readonly unknown[])[];

let folder: Workspace;
let server: MillraceProcess;
/** Arm of each user as the first answer said it. */
const arms = new Map<string, string>();
beforeAll(async () => {
  const models = { "iris.onnx": IRIS, "newer.onnx": IRIS_V2 };
  folder = new Workspace({ "millrace.yaml": FILE, ...models });
  server = await MillraceProcess.start(["up"], { cwd: folder.path });
  for (const user of USERS) arms.set(user, await armOf(user));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function predict(
  headers: Readonly<Record<string, string>> = {},
  body: object = { data: SETOSA },
): Promise<Answer> {
  return ask(server.url, "/predict", { body, headers });
}

async function armOf(user: string): Promise<string> {
  const { status, headers } = await predict({ "x-user-id": user });
  expect(status).toBe(200);
  return String(headers["x-model-variant"]);
}

/** Users whose arm is another one than at first, asked on connections of their own. */
async function flipped(): Promise<string[]> {
  const now = await Promise.all(USERS.map(async (user) => [user, await armOf(user)] as const));
  return now.filter(([user, arm]) => arm !== arms.get(user)).map(([user]) => user);
}

async function set(key: string, value: unknown): Promise<void> {
  const body = { value, reason: "a test" };
  const path = `/api/v1/overrides/${KEY}.${key}`;
  const { status, text } = await ask(server.facts.control ?? "", path, { method: "PUT", body });
  if (status !== 200) throw new Error(text);
}

async function unset(key: string): Promise<void> {
  await ask(server.facts.control ?? "", `/api/v1/overrides/${KEY}.${key}`, { method: "DELETE" });
}

async function query(sql: string): Promise<Rows> {
  const { status, json, text } = await ask(server.facts.control ?? "", "/api/v1/query", {
    body: { sql },
  });
  if (status !== 200) throw new Error(text);
  return (json as { rows: Rows }).rows;
}

describe("a service with an experiment", () => {
  it("names the arm in a header and, when asked, in the body, over HTTP and gRPC", async () => {
    expect(new Set(arms.values())).toEqual(new Set(["control", "treatment"]));
    for (const [arm, model] of [
      ["control", "svc@1"],
      ["treatment", "rf@1"],
    ] as const) {
      const [user = ""] = USERS.filter((one) => arms.get(one) === arm);
      const { headers, json } = await predict({ "x-user-id": user });
      expect(headers["x-model-variant"]).toBe(arm);
      expect(headers["x-model"]).toBe(model);
      const id = headers["x-prediction-id"];
      expect(json).toEqual({
        prediction: expect.any(Array) as unknown,
        mode: arm,
        prediction_id: id,
      });
      const label = await ask(server.url, "/v2/models/iris/infer", {
        headers: { cookie: `a=b; visitor=${user}` },
        body: {
          inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: SETOSA[0] }],
        },
      });
      expect(label.headers["x-model-variant"]).toBe(arm);
      using client = new GrpcClient(server.facts.grpc ?? "");
      const raw = Buffer.from(Float32Array.from(SETOSA[0] as number[]).buffer);
      const message = {
        model_name: "iris",
        inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4] }],
        raw_input_contents: [raw],
      };
      const { head } = await client.ask("ModelInfer", message, { metadata: { "x-user-id": user } });
      expect(head.get("x-model-variant")).toEqual([arm]);
    }
  });

  it("names the arm on errors, and none where a rule or a version decides", async () => {
    const [user = ""] = USERS;
    const wrong = await predict({ "x-user-id": user }, { data: [["a"]] });
    expect(wrong.status).toBe(400);
    expect(wrong.headers["x-model-variant"]).toBe(arms.get(user));
    using client = new GrpcClient(server.facts.grpc ?? "");
    const asked = client.ask(
      "ModelInfer",
      { model_name: "iris", inputs: [] },
      { metadata: { "x-user-id": user } },
    );
    const failure = await asked.catch((error: unknown) => error as ServiceError);
    expect("metadata" in failure && failure.metadata.get("x-model-variant")).toEqual([
      arms.get(user),
    ]);
    const ruled = await predict({ "x-user-id": user, "x-vip": "1" });
    expect(ruled.headers["x-model-variant"]).toBeUndefined();
    expect(ruled.json).toMatchObject({ mode: "rf" });
  });

  it("gives who names nobody the control arm, and who names an arm that one", async () => {
    expect((await predict()).headers["x-model-variant"]).toBe("control");
    const [user = ""] = USERS.filter((one) => arms.get(one) === "treatment");
    const sample = await ask(server.url, "/predict/test", { headers: { "x-user-id": user } });
    expect(sample.headers["x-model-variant"]).toBe("control");
    const metadata = await ask(server.url, "/metadata", { headers: { "x-user-id": user } });
    expect([metadata.status, metadata.headers["x-model-variant"]]).toEqual([200, undefined]);
    const named = await predict({ "x-user-id": "tester", "x-variant": "treatment" });
    expect(named.headers["x-model-variant"]).toBe("treatment");
    const { status, json } = await predict({ "x-variant": "best" });
    expect([status, json]).toMatchObject([
      400,
      { code: "INVALID_HEADER", detail: expect.stringContaining("control, treatment") as string },
    ]);
  });

  it("gives a user the same arm in every process", async () => {
    expect(await flipped()).toEqual([]);
  });

  it("writes an exposure for each unit, of which the first counts, and keeps every row that takes part", async () => {
    const first = `select unit_hash, arg_min(variant, ts) as variant, min(ts) as ts from exposures
      where service = 'iris' and experiment = 'rf-2026-11' group by unit_hash`;
    const counts = [...Map.groupBy(arms.values(), (arm) => arm)].map(([arm, all]) => [
      arm,
      all.length,
    ]);
    const units = await eventually(async () => {
      const rows = await query(
        `select variant, count(*)::integer from (${first}) group by variant order by variant`,
      );
      return rows.reduce((sum, [, count]) => sum + Number(count), 0) === USERS.length && rows;
    }, "an exposure of each user");
    expect(new Map(units as [string, number][])).toEqual(new Map(counts as [string, number][]));
    const [facts] = await query(
      "select phase, propensity, coverage, hash, prediction_id, node from exposures where variant = 'treatment' limit 1",
    );
    expect(facts?.slice(0, 3)).toEqual([1, 0.4, 1]);
    expect(facts?.[3]).toBeGreaterThanOrEqual(0.6);
    // The log keeps one request in a hundred, but for those that take part.
    const rows = await eventually(async () => {
      const [row] =
        await query(`select count(distinct unit_hash)::integer, bool_and(sampled_weight = 1), count(distinct propensity)::integer
        from predictions where experiment = 'rf-2026-11' and propensity is not null and phase = 1`);
      return row?.[0] === USERS.length && row;
    }, "a row of each user");
    expect(rows).toEqual([USERS.length, true, 2]);
    const joined = await query(
      `select count(*)::integer from (${first}) e join predictions p using (unit_hash, variant) where p.propensity is not null`,
    );
    expect(Number(joined[0]?.[0])).toBeGreaterThanOrEqual(2 * USERS.length);
  });

  it("counts requests and exposures, with a series for each arm and reason from the start", async () => {
    const metrics = await readMetrics(server.facts.metrics);
    const of = (name: string, labels: object): number =>
      metrics.sum(name, { service: "iris", experiment: "rf-2026-11", ...labels });
    expect(of("experiment_exposures_total", {})).toBeGreaterThanOrEqual(USERS.length);
    expect(of("experiment_requests_total", { reason: "enrolled" })).toBeGreaterThan(USERS.length);
    expect(of("experiment_requests_total", { reason: "no_unit", arm: "control" })).toBeGreaterThan(
      0,
    );
    expect(of("experiment_requests_total", { reason: "overridden", arm: "treatment" })).toBe(1);
    expect(of("experiment_requests_total", { reason: "decided" })).toBe(0);
  });

  it("explains how a request got its arm, from memory and from the log", async () => {
    const [user = ""] = USERS.filter((one) => arms.get(one) === "treatment");
    const id = String((await predict({ "x-user-id": user })).headers["x-prediction-id"]);
    const { json } = await ask(server.facts.control ?? "", `/api/v1/predictions/${id}`);
    expect(json).toMatchObject({
      source: "memory",
      experiment: "rf-2026-11",
      variant: "treatment",
      phase: 1,
      propensity: 0.4,
      assignment: {
        kind: "enrolled",
        is_kept: true,
        coverage: 1,
        why: "the unit has treatment since phase 1 and keeps it",
      },
    });
    const { assignment } = json as { assignment: unknown };
    const logged = await eventually(async () => {
      const [row] = await query(`select assignment from predictions where prediction_id = '${id}'`);
      return row?.[0];
    }, "its row");
    expect(JSON.parse(String(logged))).toEqual(assignment);
    const { stdout } = await runMillrace(["explain", id], { cwd: folder.path });
    expect(stdout).toContain("the unit has treatment since phase 1 and keeps it");
  });
});

describe("live changes", () => {
  it("raising the coverage and changing the weights move nobody; new units follow the new split in a new phase", async () => {
    await set("coverage", 0.5);
    await set("coverage", 1);
    expect(await flipped()).toEqual([]);
    await set("weights", { control: 10, treatment: 90 });
    expect(await flipped()).toEqual([]);
    const late = Array.from({ length: 60 }, (_, i) => `late-${i}`);
    const given = await Promise.all(late.map(armOf));
    expect(given.filter((arm) => arm === "treatment").length).toBeGreaterThan(40);
    const phases = await eventually(async () => {
      const rows = await query("select distinct phase, propensity from exposures order by all");
      return rows.length === 4 && rows;
    }, "exposures of both phases");
    expect(phases).toEqual([
      [1, 0.4],
      [1, 0.6],
      [2, 0.1],
      [2, 0.9],
    ]);
  });

  it("gives nobody two arms while the weights change under load", async () => {
    const seen = new Map<string, Set<string>>();
    let isDone = false;
    let number = 0;
    const client = async (): Promise<void> => {
      while (!isDone) {
        const user = `busy-${number++}`;
        // Both processes are asked at once, and before anything of it is written.
        const given = await Promise.all([armOf(user), armOf(user), armOf(user)]);
        seen.set(user, new Set(given));
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (const [control, treatment] of [
      [90, 10],
      [20, 80],
      [70, 30],
      [10, 90],
    ]) {
      await set("weights", { control, treatment });
    }
    isDone = true;
    await Promise.all(clients);
    expect(seen.size).toBeGreaterThan(20);
    for (const [user, given] of seen) seen.set(user, given.add(await armOf(user)));
    expect([...seen].filter(([, given]) => given.size > 1)).toEqual([]);
    expect(await flipped()).toEqual([]);
  });

  it("minPhase takes units of earlier phases out, and unset lets them go on", async () => {
    await set("minPhase", 2);
    const [user = ""] = USERS.filter((one) => arms.get(one) === "treatment");
    expect(await armOf(user)).toBe("control");
    await unset("minPhase");
    expect(await armOf(user)).toBe("treatment");
  });

  it("switches off and decides at once, in every process", async () => {
    await set("active", false);
    expect(new Set(await Promise.all(USERS.map(armOf)))).toEqual(new Set(["control"]));
    await set("winner", "treatment");
    expect(new Set(await Promise.all(USERS.map(armOf)))).toEqual(new Set(["treatment"]));
    await unset("winner");
    await unset("active");
    expect(await flipped()).toEqual([]);
  });
});

it("arms outlast a restart, and a forgotten unit has neither arm nor exposure", async () => {
  await server.stop();
  server = await MillraceProcess.start(["up"], { cwd: folder.path });
  expect(await flipped()).toEqual([]);
  const before = await query("select count(distinct unit_hash)::integer from exposures");
  const forgotten = await runMillrace(["log", "forget", "--unit", "user-0"], { cwd: folder.path });
  expect(forgotten.code).toBe(0);
  const after = await query("select count(distinct unit_hash)::integer from exposures");
  expect(Number(after[0]?.[0])).toBe(Number(before[0]?.[0]) - 1);
  const status = await runMillrace(["log", "status"], { cwd: folder.path });
  expect(status.stdout).toContain("exposures");
});

it("an arm that cannot be loaded fails its own units alone, and is named", async () => {
  const file = `
models: { svc: ./iris.onnx, absent: ./absent.onnx }
services:
  iris:
    default: true
    graph: svc
    traffic: { experiment: { name: e, unit: header.x-user-id, arms: { control: svc, treatment: absent } } }
`;
  using own = new Workspace({ "millrace.yaml": file, "iris.onnx": IRIS });
  await using process = await MillraceProcess.start(["serve"], { cwd: own.path });
  const answers = await Promise.all(
    USERS.map((user) =>
      ask(process.url, "/predict", { body: { data: SETOSA }, headers: { "x-user-id": user } }),
    ),
  );
  const found = answers.map(
    ({ status, headers }) => `${String(headers["x-model-variant"])} ${status}`,
  );
  expect(new Set(found)).toEqual(new Set(["control 200", "treatment 503"]));
  const refused = process.logLines.filter(({ status }) => status === 503);
  expect(new Set(refused.map(({ variant }) => variant))).toEqual(new Set(["treatment"]));
  using client = new GrpcClient(process.facts.grpc ?? "");
  const metadata = { "x-variant": "treatment" };
  const failure = await client
    .ask("ModelInfer", { model_name: "iris", inputs: [] }, { metadata })
    .catch((error: unknown) => error as ServiceError);
  expect("metadata" in failure && failure.metadata.get("x-model-variant")).toEqual(["treatment"]);
});
