import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "./workspace.ts";

function fileWith(traffic: string): string {
  return `
server: { processes: 2 }
models: { svc: ./iris.onnx, rf: ./newer.onnx }
services:
  iris:
    default: true
    graph: svc
    traffic: ${traffic}
`;
}

function experimentWith(weights: string): string {
  return `
      experiment:
        name: rf-2026-11
        unit: header.x-user-id
        arms: { control: svc, treatment: rf }
        weights: ${weights}
        analysis: { every: 1s }
        ramp: { steps: [40%, 100%], hold: 1h }
      shadow: [{ name: rf-shadow, to: rf }]`;
}

const COVERAGE = "services.iris.traffic.experiment.coverage";
const EXPERIMENT = "experiments/rf-2026-11";

interface Status {
  readonly phase: number;
  readonly coverage: number;
  readonly problem: string | null;
  readonly ramp: { readonly state: { readonly kind: string; readonly why?: string } };
  readonly analysis: { readonly arms: readonly { readonly units: number }[] } | null;
}

describe("millrace up with a ramp", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    const yaml = fileWith(experimentWith("{ control: 1, treatment: 1 }"));
    folder = new Workspace({ "millrace.yaml": yaml, "iris.onnx": IRIS, "newer.onnx": IRIS_V2 });
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const control = (path: string, question?: Parameters<typeof ask>[2]): Promise<Answer> =>
    ask(server.facts.control ?? "", `/api/v1/${path}`, question);
  const statusOf = async (): Promise<Status> =>
    (await control(EXPERIMENT)).json as unknown as Status;
  const command = (path: string): Promise<Answer> =>
    control(path, { method: "POST", body: { by: "ann", reason: "a test" } });
  const waitFor = (kind: string): Promise<Status> =>
    eventually(async () => {
      const status = await statusOf();
      return status.ramp.state.kind === kind ? status : undefined;
    }, `a ramp that is ${kind}`);
  /** Users of 200 who take part, by the arm that the answer names. */
  const armsNow = async (): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for (let user = 0; user < 200; user++) {
      const headers = { "x-user-id": `user-${user}` };
      const answer = await ask(server.url, "/predict", { body: { data: SETOSA }, headers });
      const arm = String(answer.headers["x-model-variant"]);
      counts.set(arm, (counts.get(arm) ?? 0) + 1);
    }
    return counts;
  };

  it("starts by itself, divides as its step says, and knows what the log has", async () => {
    expect(await waitFor("running")).toMatchObject({ phase: 1, coverage: 0.4, problem: null });
    expect((await armsNow()).get("treatment")).toBeGreaterThan(20); // 40 of 200 are to be expected
    const counted = await eventually(async () => {
      const { analysis } = await statusOf();
      const units = analysis?.arms.reduce((sum, arm) => sum + arm.units, 0) ?? 0;
      return units > 40 ? units : undefined;
    }, "units in the numbers");
    expect(counted).toBeLessThan(130); // 80 of 200 are to be expected
  });

  it("pauses when somebody sets its coverage, and takes it again on resume", async () => {
    await control(`overrides/${COVERAGE}`, { method: "PUT", body: { value: 0.9, by: "bob" } });
    const paused = await waitFor("paused");
    expect(paused.ramp.state.why).toBe(`${COVERAGE} was set to 0.9 by bob`);
    expect(paused.coverage).toBe(0.9);
    expect((await command(`${EXPERIMENT}/resume`)).json).toMatchObject({
      coverage: 0.4,
      problem: null,
    });
  });

  it("gives everyone the control arm at once on abort, and begins anew on retry", async () => {
    expect((await command(`${EXPERIMENT}/abort`)).status).toBe(200);
    expect([...(await armsNow()).keys()]).toEqual(["control"]);
    const refused = await command(`${EXPERIMENT}/approve`);
    expect(refused).toMatchObject({ status: 409, json: { code: "INVALID_TRANSITION" } });
    expect((await command(`${EXPERIMENT}/retry`)).status).toBe(200);
    expect((await waitFor("running")).coverage).toBe(0.4);
  });

  it("stops the copies of a shadow, and sends them again", async () => {
    expect((await command("shadows/rf-shadow/exclude")).json).toMatchObject({ is_excluded: true });
    expect((await command("shadows/rf-shadow/include")).json).toMatchObject({ is_excluded: false });
    expect(await command("shadows/rf/exclude")).toMatchObject({
      status: 404,
      json: { code: "SHADOW_NOT_FOUND" },
    });
  });

  it("begins a new phase when the file has other weights, and goes with the experiment", async () => {
    folder.put("millrace.yaml", fileWith(experimentWith("{ control: 3, treatment: 1 }")));
    server.signal("SIGHUP");
    await eventually(async () => (await statusOf()).phase === 2, "phase 2");
    expect((await waitFor("running")).coverage).toBe(0.4);
    folder.put("millrace.yaml", fileWith("{}"));
    server.signal("SIGHUP");
    await eventually(async () => (await control(EXPERIMENT)).status === 404, "no experiment");
    await eventually(async () => {
      const { json } = await control("overrides");
      return (json as { overrides: unknown[] }).overrides.length === 0;
    }, "no override of it");
  });
});
