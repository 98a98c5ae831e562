import { describe, expect, it } from "vitest";
import type { ExperimentConfig } from "./experiment-config.ts";
import { loadedYaml, problemsOfYaml } from "./test-yaml.ts";

const ARMS = "arms: { control: a, treatment: b }";
const AT = "services.x.traffic.experiment";

/** The fourth line has the experiment, the fifth what follows in `traffic`. */
function yaml(experiment: string, others = ""): string {
  return [
    "models: { a: a.onnx, b: b.onnx, c: c.onnx }",
    "services:",
    "  x: { graph: a, traffic: {",
    `    experiment: { name: e, ${experiment} },`,
    `    ${others} } }`,
  ].join("\n");
}

async function experimentOf(experiment: string, others = ""): Promise<ExperimentConfig> {
  const { services } = (await loadedYaml(yaml(experiment, others))).config;
  return services["x"]?.experiment as ExperimentConfig;
}

describe("resolveExperiment()", () => {
  it("compares two arms equally, for everybody and by the name, unless the file says otherwise", async () => {
    expect(await experimentOf(ARMS)).toEqual({
      name: "e",
      unit: [],
      arms: [
        { name: "control", to: "a", weight: 0.5 },
        { name: "treatment", to: "b", weight: 0.5 },
      ],
      control: "control",
      coverage: 1,
      isActive: true,
      winner: undefined,
      salt: "e",
      namespace: undefined,
      override: { from: "header", name: "x-variant" },
      isSticky: true,
      minPhase: 1,
      metrics: [
        expect.objectContaining({ name: "errors", role: "guardrail", margin: 0.005 }) as unknown,
        expect.objectContaining({ name: "latency", role: "guardrail", margin: 0.05 }) as unknown,
      ],
      onRegression: "rollback",
      onMismatch: "hold",
      analysis: {
        everyMs: 60_000,
        windowMs: 7 * 86_400_000,
        method: "sequential",
        alpha: 0.05,
        unitsMin: 100,
        unitsTuned: 5000,
        lengthMinMs: 0,
        lengthMaxMs: 30 * 86_400_000,
      },
      ramp: undefined,
    });
  });

  it("makes the weights add up to 1 and takes the first arm as control where none is called so", async () => {
    const { arms, control } = await experimentOf(
      "arms: { old: a, new: b, newer: c }, weights: { newer: 1, old: 2, new: 1 }",
    );
    expect(control).toBe("old");
    expect(arms.map(({ name, weight }) => [name, weight])).toEqual([
      ["old", 0.5],
      ["new", 0.25],
      ["newer", 0.25],
    ]);
  });

  it("reads a unit, or a list of which the first that is there counts", async () => {
    const header = { from: "header", name: "x-user-id" };
    expect((await experimentOf(`${ARMS}, unit: header.X-User-Id`)).unit).toEqual([header]);
    expect((await experimentOf(`${ARMS}, unit: [header.X-User-Id, jwt.sub.id]`)).unit).toEqual([
      header,
      { from: "jwt", path: ["sub", "id"] },
    ]);
  });

  it("lets no request name its arm with `override: off`, and keeps salt and namespace as written", async () => {
    const experiment = await experimentOf(
      `${ARMS}, override: off, salt: s, namespace: { name: n, from: 25%, to: 0.5 }`,
    );
    expect(experiment.override).toBeUndefined();
    expect(experiment.salt).toBe("s");
    expect(experiment.namespace).toEqual({ name: "n", from: 0.25, to: 0.5 });
  });

  it.each([
    [`${ARMS}, control: ctl`, `4:73 ${AT}.control: found "ctl", expected an arm`],
    [
      `${ARMS}, winner: treatmnt`,
      `winner: found "treatmnt", expected an arm: control, treatment. Did`,
    ],
    [
      `${ARMS}, weights: { control: 1, treatmnt: 2 }`,
      `weights.treatmnt: found "treatmnt", expected`,
    ],
    [`${ARMS}, weights: { control: 1 }`, `weights: missing treatment, expected a weight for each`],
    [`${ARMS}, weights: { control: 0, treatment: 0 }`, `weights: all are 0, expected one above`],
    [`${ARMS}, weights: { control: -1, treatment: 1 }`, `weights.control: found -1, expected`],
    ["arms: { control: a }", `4:34 ${AT}.arms: found one arm, expected at least two`],
    ["unit: header.x", `4:5 ${AT}.arms: missing, expected an object`],
    [
      "arms: { control: a, treatment: bb }",
      'arms.treatment: found "bb", expected the name of a model',
    ],
    [`${ARMS}, coverage: 120%`, `${AT}.coverage: found "120%", expected 0% to 100%, or 0 to 1`],
    [`${ARMS}, covrage: 5%`, 'covrage: unknown key "covrage"'],
    [`${ARMS}, unit: ip`, `${AT}.unit: found "ip", expected header.<name>`],
    [`${ARMS}, unit: [header.x, ip]`, `${AT}.unit[1]: found "ip", expected header.<name>`],
    [`${ARMS}, unit: []`, `${AT}.unit`],
    [
      `${ARMS}, namespace: { name: n, from: 0.5, to: 0.5 }`,
      "namespace.to: found 0.5, expected more than",
    ],
    [`${ARMS}, analysis: { lengthMin: 40d }`, 'analysis.lengthMin: found "40d", expected at most'],
    [`${ARMS}, minPhase: 0`, `${AT}.minPhase: found 0`],
  ])("refuses { %s }", async (experiment, problem) => {
    expect(await problemsOfYaml(yaml(experiment))).toEqual([expect.stringContaining(problem)]);
  });

  it("refuses more arms than there may be", async () => {
    const arms = Array.from({ length: 17 }, (_, i) => `arm${i}: a`).join(", ");
    expect(await problemsOfYaml(yaml(`arms: { ${arms} }`))).toEqual([
      expect.stringContaining("found too many arms, expected at most 16"),
    ]);
  });
});

describe("resolveMetrics()", () => {
  it("reads what arms are compared by, and leaves out guardrails that are off", async () => {
    const { metrics } = await experimentOf(
      `${ARMS}, guardrails: { latency: off, errors: 1% }, metrics: {
        purchase: { event: order, aggregate: sum, role: primary, window: 2d, lookback: 14d },
        right: { label: correct, role: guardrail, margin: 2%, goal: increase } }`,
    );
    expect(metrics).toEqual([
      {
        name: "purchase",
        role: "primary",
        source: { kind: "event", event: "order", aggregate: "sum" },
        goal: "increase",
        margin: 0,
        windowMs: 2 * 86_400_000,
        lookbackMs: 14 * 86_400_000,
      },
      {
        name: "right",
        role: "guardrail",
        source: { kind: "correct" },
        goal: "increase",
        margin: 0.02,
        windowMs: undefined,
        lookbackMs: undefined,
      },
      {
        name: "errors",
        role: "guardrail",
        source: { kind: "errors" },
        goal: "decrease",
        margin: 0.01,
        windowMs: undefined,
        lookbackMs: undefined,
      },
    ]);
  });

  it.each([
    [
      "p: { event: p, role: primary }, q: { event: q, role: primary }",
      `${AT}.metrics.q.role: found "primary" again, "p" is it already`,
    ],
    ["errors: { event: p }", 'metrics.errors: found "errors", which every experiment has'],
    ["p: { event: p, label: correct }", "metrics.p: found event and label in one object"],
    ["p: { role: primary }", "metrics.p: found an object with role, expected"],
    ["p: { event: p, aggregate: summ }", 'aggregate: found "summ", expected'],
    ["p: { label: right }", "metrics.p.label"],
  ])("refuses { %s }", async (metrics, problem) => {
    expect(await problemsOfYaml(yaml(`${ARMS}, metrics: { ${metrics} }`))).toEqual([
      expect.stringContaining(problem),
    ]);
  });
});

describe("resolveRamp()", () => {
  const ramp = (written: string): string => `${ARMS}, ramp: { ${written} }`;

  it("walks 2, 10, 20, 50 and 100 % with an hour and 100 units each", async () => {
    const resolved = (await experimentOf(ramp(""))).ramp;
    expect(resolved).toMatchObject({ start: "auto", promote: "auto", noData: "hold" });
    expect(resolved?.graceMs).toBe(86_400_000);
    expect(resolved?.steps.map(({ coverage }) => coverage)).toEqual([0.02, 0.1, 0.2, 0.5, 1]);
    expect(resolved?.steps[0]).toEqual({
      coverage: 0.02,
      holdMs: 3_600_000,
      unitsMin: 100,
      needsApproval: false,
    });
  });

  it("lets nobody take part until the ramp begins, unless the file says who does", async () => {
    expect((await experimentOf(ramp(""))).coverage).toBe(0);
    expect((await experimentOf(`${ramp("")}, coverage: 5%`)).coverage).toBe(0.05);
  });

  it("gives a step what it says itself, and the rest of the ramp", async () => {
    const resolved = await experimentOf(
      ramp("hold: 1m, units: 10, steps: [0.05, { coverage: 50%, hold: 1d, approval: true }]"),
    );
    expect(resolved.ramp?.steps).toEqual([
      { coverage: 0.05, holdMs: 60_000, unitsMin: 10, needsApproval: false },
      { coverage: 0.5, holdMs: 86_400_000, unitsMin: 10, needsApproval: true },
    ]);
  });

  it("says of each step that does not rise what it has to be above", async () => {
    const steps = "[0%, 7%, 7%, { coverage: 2% }, 1]";
    expect(await problemsOfYaml(yaml(ramp(`steps: ${steps}`)))).toEqual([
      expect.stringMatching(
        /^millrace\.yaml:4:\d+ .*steps\[0\]: found "0%", expected more than 0%$/,
      ),
      expect.stringContaining('steps[2]: found "7%", expected more than "7%" of the step before'),
      expect.stringContaining('steps[3].coverage: found "2%", expected more than "7%" of the'),
    ]);
  });

  it("starts after a shadow of the same service, which may have no name of its own", async () => {
    expect((await experimentOf(ramp("after: b"), "shadow: [{ to: b }]")).ramp?.after).toBe("b");
    expect(await problemsOfYaml(yaml(ramp("after: rf"), "shadow: [{ to: b }]"))).toEqual([
      expect.stringContaining(
        'ramp.after: found "rf", expected a shadow of this service: there is b',
      ),
    ]);
    expect(await problemsOfYaml(yaml(ramp("after: rf")))).toEqual([
      expect.stringContaining("expected a shadow of this service: there is none"),
    ]);
  });

  it.each([
    ["steps: [{ covrage: 5% }]", 'unknown key "covrage"'],
    ["steps: []", "ramp.steps"],
    ["start: later", 'ramp.start: found "later", expected auto or manual'],
    ["promote: yes", "ramp.promote"],
  ])("refuses { %s }", async (written, problem) => {
    expect((await problemsOfYaml(yaml(ramp(written)))).join("\n")).toContain(problem);
  });
});
