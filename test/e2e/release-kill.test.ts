import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
models: { svc: ./iris.onnx, rf: ./newer.onnx }
services:
  iris:
    default: true
    graph: svc
    traffic:
      experiment:
        name: kill
        unit: header.x-user-id
        arms: { control: svc, treatment: rf }
        analysis: { every: 1s }
        ramp: { steps: [10%, 30%, 60%, 100%], hold: 1s, units: 0 }
`;
const COVERAGES = [0.1, 0.3, 0.6, 1];
const COVERAGE = "services.iris.traffic.experiment.coverage";
const KILLS = 5;
const VISITORS = 600;

interface Status {
  readonly coverage: number;
  readonly is_active: boolean;
  readonly problem: string | null;
  readonly ramp: { readonly state: { readonly kind: string; readonly step?: number } };
  readonly events: readonly { readonly by: string; readonly what: string }[];
}

async function control(server: MillraceProcess, path: string, body?: object): Promise<Answer> {
  return ask(server.facts.control ?? "", `/api/v1/${path}`, body && { method: "POST", body });
}

async function statusOf(server: MillraceProcess): Promise<Status | undefined> {
  const answer = await control(server, "experiments/kill").catch(() => undefined);
  return answer?.status === 200 ? (answer.json as unknown as Status) : undefined;
}

/** Visitors, one after the other and again, of whom some take part at each step: without them a ramp stays where it is. */
async function visit(server: MillraceProcess, signal: AbortSignal): Promise<void> {
  for (let visitor = 0; !signal.aborted; visitor = (visitor + 1) % VISITORS) {
    const headers = { "x-user-id": `visitor-${visitor}` };
    const { status } = await ask(server.url, "/predict", { headers, body: { data: SETOSA } });
    expect(status).toBe(200);
    await delay(1);
  }
}

/** Is in force what the state says? */
function isAgreed({ ramp: { state }, coverage, is_active: isActive }: Status): boolean {
  if (state.kind !== "running") return !isActive;
  return isActive && coverage === COVERAGES[state.step ?? -1];
}

const seed = Number(process.env["MILLRACE_TEST_SEED"] ?? Date.now() % 1_000_000);

it(`a ramp survives that control is killed at any moment: no step is skipped, and what is in force agrees with it (seed ${seed})`, async () => {
  const random = new TestRandom(seed);
  using folder = new Workspace({
    "millrace.yaml": FILE,
    "iris.onnx": IRIS,
    "newer.onnx": IRIS_V2,
  });
  await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
  const startedAtMs = Date.now();
  const visits = new AbortController();
  const visited = visit(server, visits.signal);
  visited.catch(() => visits.abort()); // told below
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(random.below(1_500)); // it is killed while it does whatever it does then
    process.kill(server.controlPid ?? 0, "SIGKILL");
    const status = await eventually(async () => {
      const now = await statusOf(server);
      return now !== undefined && isAgreed(now) && now.problem === null ? now : undefined;
    }, "what is in force agrees with the state");
    expect(status.ramp.state.kind).toBeOneOf(["pending", "running"]);
  }
  const last = await eventually(async () => {
    const now = await statusOf(server);
    return now?.ramp.state.step === 3 && isAgreed(now) ? now : undefined;
  }, "the last step");
  visits.abort();
  await visited;
  expect(last.events.map(({ what }) => what).toReversed()).toEqual([
    "phase 1",
    "started",
    "step 2 of 4 (30 %)",
    "step 3 of 4 (60 %)",
    "step 4 of 4 (100 %)",
  ]);
  expect(Date.now() - startedAtMs).toBeGreaterThan(3_000); // a second each
  const { json } = await control(server, `overrides?history=1&path=${COVERAGE}`);
  const { history } = json as { history: { by: string; new: number }[] };
  expect(history.toReversed()).toMatchObject(
    COVERAGES.map((coverage) => ({ by: "ramp", new: coverage })),
  );
  const aborted = await control(server, "experiments/kill/abort", { reason: "enough" });
  expect(aborted.json).toMatchObject({ coverage: 0, is_active: false, problem: null });
}, 120_000);
