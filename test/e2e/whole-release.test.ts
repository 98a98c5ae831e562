import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess, ROOT, runMillrace } from "./millrace-process.ts";
import { IRIS, Workspace } from "./workspace.ts";

/** Longest wait for a step of a release, on a machine that does much else. */
const PATIENCE_MS = 120_000;

const GUARDRAILS = "guardrails: { errors: 20%, latency: 60% }";
const ANALYSIS = "analysis: { every: 1s, window: 1s, unitsMin: 40 }";

const YAML = `
server: { processes: 2 }
models:
  svc: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }
  forest: { source: ${ROOT}/examples/models/iris_rf.onnx, labels: [setosa, versicolor, virginica] }
services:
  shop:
    default: true
    graph: svc
    traffic:
      shadow:
        - name: candidate
          to: forest
          compare: label
          verdict: { agreement: 50%, errors: 20%, latency: 1000, pairs: 60, lengthMin: 1s, every: 1s }
      experiment:
        name: whole
        unit: header.x-user-id
        arms: { control: svc, treatment: forest }
        metrics: { purchase: { event: purchase, role: primary } }
        ${GUARDRAILS}
        ${ANALYSIS}
        ramp: { after: candidate, steps: [20%, 60%, 100%], hold: 1s, units: 5 }
  fragile:
    graph: svc
    traffic:
      experiment:
        name: failing
        unit: header.x-user-id
        arms: { control: svc, treatment: { sequence: [{ function: ./failing.ts }, forest] } }
        ${GUARDRAILS}
        ${ANALYSIS}
        ramp: { steps: [60%, 100%], hold: 1h }
  lazy:
    timeout: 10s
    graph: svc
    traffic:
      experiment:
        name: slow
        unit: header.x-user-id
        arms: { control: svc, treatment: { sequence: [{ function: ./slow.ts }, forest] } }
        ${GUARDRAILS}
        ${ANALYSIS}
        ramp: { steps: [60%, 100%], hold: 1h }
`;

const stepFile = (body: string): string => `
import { defineStep } from "millrace";
const spec = { float_input: { datatype: "FP32", shape: [-1, 4] } } as const;
export default defineStep({
  inputs: spec,
  outputs: spec,
  async run(inputs) {
    ${body}
    return { float_input: { shape: inputs.float_input.shape, data: inputs.float_input.data } };
  },
});
`;

const FILES = {
  "millrace.yaml": YAML,
  "iris.onnx": IRIS,
  "failing.ts": stepFile(`throw new Error("not today");`),
  "slow.ts": stepFile("await new Promise((resolve) => setTimeout(resolve, 300));"),
};

/** Of 100 people so many buy, by the arm that answered them. */
const BUYERS = { control: 10, treatment: 70 } as const;

const SERVICES = ["shop", "fragile", "lazy"] as const;

/** People who come at a time, each to every service. */
const AT_A_TIME = 4;

/** People who come, one after the other, until it is stopped; of the shop some buy. */
class Traffic {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #done: Promise<void>;
  #isStopped = false;
  #count = 0;

  constructor(url: string) {
    this.#url = url;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const people = Array.from({ length: AT_A_TIME }, () => this.#count++);
      await Promise.all(
        people.flatMap((person) => SERVICES.map((service) => this.#visit(service, person))),
      );
    }
  }

  async #visit(service: string, person: number): Promise<void> {
    const row = [5.1 + (person % 20) / 10, 3, 1.4 + (person % 40) / 10, 0.2 + (person % 20) / 10];
    const answer = await predict(this.#url, service, {
      person: `person-${person}`,
      row,
      agent: this.#agent,
    });
    const { "x-model-variant": arm, "x-prediction-id": id } = answer.headers;
    if (service !== "shop" || (person * 61) % 100 >= BUYERS[arm as keyof typeof BUYERS]) return;
    const body = { prediction_id: id, event: "purchase", value: 1 };
    await ask(this.#url, "/services/shop/feedback", { body, agent: this.#agent });
  }
}

interface Visit {
  readonly person: string;
  readonly row?: readonly number[];
  readonly agent?: Agent;
}

function predict(url: string, service: string, visit: Visit): Promise<Answer> {
  const { person, row = [5.1, 3.5, 1.4, 0.2], agent } = visit;
  return ask(url, `/services/${service}/predict`, {
    body: { data: [row] },
    headers: { "x-user-id": person },
    ...(agent === undefined ? {} : { agent }),
  });
}

interface Status {
  readonly winner: string | null;
  readonly ramp: { readonly state: { readonly kind: string; readonly why?: string } };
  readonly analysis: {
    readonly window: { readonly from_ms: number; readonly until_ms: number };
    readonly decision: { readonly kind: string; readonly arm?: string };
  } | null;
  readonly events: readonly { readonly what: string; readonly by: string }[];
}

interface Changes {
  readonly history: readonly {
    readonly path: string;
    readonly by: string;
    readonly reason: string;
    readonly new: unknown;
  }[];
}

describe("a release, from the first copy to the last visitor", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  let traffic: Traffic | undefined;
  beforeAll(async () => {
    folder = new Workspace(FILES);
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await traffic?.stop();
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const control = async (path: string): Promise<unknown> =>
    (await ask(server.facts.control ?? "", `/api/v1/${path}`)).json;
  const statusOf = async (name: string): Promise<Status> =>
    (await control(`experiments/${name}`)) as Status;
  const waitFor = (name: string, kind: string): Promise<Status> =>
    eventually(
      async () => {
        const status = await statusOf(name);
        return status.ramp.state.kind === kind ? status : undefined;
      },
      `${name} that is ${kind}`,
      PATIENCE_MS,
    );
  /** The newest last. */
  const changesOf = async (service: string, key: string): Promise<Changes["history"]> => {
    const path = `services.${service}.traffic.experiment.${key}`;
    const { history } = (await control(`overrides?history=1&path=${path}`)) as Changes;
    return history.toReversed();
  };
  const armsOf = async (service: string): Promise<readonly string[]> => {
    const people = Array.from({ length: 20 }, (_, i) => `late-${i}`);
    const answers = await Promise.all(
      people.map((person) => predict(server.url, service, { person })),
    );
    expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200));
    return [...new Set(answers.map(({ headers }) => String(headers["x-model-variant"])))];
  };
  const shown = async (name: string): Promise<string> => {
    const words = ["experiment", "status", name, "--url", server.facts.control ?? ""];
    const { code, stdout, stderr } = await runMillrace(words, { cwd: folder.path });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };

  it(
    "waits for the shadow, while everyone gets the control arm",
    { timeout: PATIENCE_MS },
    async () => {
      const { ramp } = await waitFor("whole", "pending");
      expect(ramp.state.why).toContain("candidate");
      expect(await armsOf("shop")).toEqual(["control"]);
    },
  );

  it("goes from the verdict over every step to the winner", { timeout: PATIENCE_MS }, async () => {
    traffic = new Traffic(server.url);
    const { winner, analysis, events } = await waitFor("whole", "completed");
    expect(winner).toBe("treatment");
    expect(analysis?.decision).toMatchObject({ kind: "ship", arm: "treatment" });
    expect(analysis?.window.until_ms).toBeGreaterThan(analysis?.window.from_ms ?? Infinity);

    const shadow = (await control("shadows/candidate")) as { events: Status["events"] };
    expect(shadow.events.map(({ what }) => what)).toContain("verdict: pass");
    const steps = events
      .map(({ what }) => what)
      .filter((what) => /^(started|step|completed)/.test(what));
    expect(steps.toReversed()).toEqual([
      "started",
      "step 2 of 3 (60 %)",
      "step 3 of 3 (100 %)",
      "completed: treatment gets all traffic",
    ]);
    const coverages = await changesOf("shop", "coverage");
    expect(coverages.map((change) => [change.by, change.new])).toEqual([
      ["ramp", 0.2],
      ["ramp", 0.6],
      ["ramp", 1],
    ]);
    expect(await armsOf("shop")).toEqual(["treatment"]);
    const text = await shown("whole");
    expect(text).toContain("decision    ship treatment: ");
    expect(text).toMatch(/^ramp +completed, treatment gets all traffic$/m);
    expect(text).toMatch(/^purchase +treatment +better +\+\d/m);
  });

  it.each([
    ["failing", "fragile", "errors of treatment regressed"],
    ["slow", "lazy", "latency of treatment regressed"],
  ])(
    "takes %s back by itself, and says why",
    { timeout: PATIENCE_MS },
    async (name, service, why) => {
      traffic ??= new Traffic(server.url);
      const { ramp } = await waitFor(name, "rolled_back");
      expect(ramp.state.why).toContain(why);
      expect(await armsOf(service)).toEqual(["control"]);

      const active = await changesOf(service, "active");
      expect(active.at(-1)).toMatchObject({
        by: "ramp",
        reason: `${name}: rolled back`,
        new: false,
      });
      const { headers } = await predict(server.url, service, { person: "ann" });
      expect(await control(`predictions/${String(headers["x-prediction-id"])}`)).toMatchObject({
        assignment: { experiment: name, variant: "control", reason: "inactive" },
        overrides: expect.arrayContaining([
          expect.objectContaining({
            path: `services.${service}.traffic.experiment.active`,
            value: false,
            reason: `${name}: rolled back`,
          }),
        ]) as unknown,
      });
      const text = await shown(name);
      expect(text.replaceAll(/\s+/g, " ")).toContain(`decision roll back: ${why}`);
      expect(text).toMatch(/^ramp +rolled back, the control arm gets all traffic$/m);
    },
  );
});
