import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { defineConfig } from "./define-config.ts";
import { loadConfig } from "./load.ts";
import { configRows } from "./print.ts";

const CONFIG = defineConfig({
  models: { a: "a.onnx", b: "b.onnx" },
  services: {
    x: {
      graph: "a",
      reply: { include: ["mode"] },
      traffic: {
        experiment: {
          name: "e",
          unit: ["header.user", "cookie.user"],
          arms: { control: "a", treatment: { sequence: ["b"] } },
          weights: { control: 60, treatment: 40 },
          coverage: "10%",
          metrics: {
            buy: { event: "buy", role: "primary", aggregate: "sum" },
            right: { label: "correct", margin: 0.02 },
          },
          guardrails: { latency: "off", onRegression: "hold" },
          ramp: { steps: ["5%", 0.5, { coverage: "100%", approval: true }], after: "rf" },
        },
        shadow: [{ name: "rf", to: "b", percent: 0.1, compare: { topK: 3 } }],
        excluded: { rf: false },
      },
    },
  },
});

it("defineConfig() takes an experiment and a shadow as the file has them", async () => {
  // @ts-expect-error -- the checker knows the words, so that an editor offers them.
  defineConfig({ services: { x: { reply: { include: ["mod"] } } } });
  const flags = ["--services.x.traffic.experiment.ramp.hold", "1m"];
  const env = {
    MILLRACE_SERVICES_X_TRAFFIC_EXPERIMENT_COVERAGE: "20%",
    MILLRACE_SERVICES_X_TRAFFIC_EXPERIMENT_ANALYSIS_UNITS_MIN: "50",
  };
  const loaded = await loadConfig({ input: CONFIG, flags, env, cwd: tmpdir() });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  const experiment = loaded.config.services["x"]?.experiment;
  expect(experiment).toMatchObject({ coverage: 0.2, analysis: { unitsMin: 50 } });
  expect(experiment?.ramp?.steps[0]?.holdMs).toBe(60_000);

  const rows = configRows(loaded);
  const of = (key: string) => rows.find(({ path }) => path === `services.x.traffic.${key}`);
  expect(of("experiment.coverage")).toMatchObject({
    value: "20%",
    source: "environment MILLRACE_SERVICES_X_TRAFFIC_EXPERIMENT_COVERAGE",
  });
  expect(of("experiment.ramp.hold")).toMatchObject({ value: "1m" });
  expect(of("experiment.analysis.window")).toMatchObject({ value: "7d", source: "default" });
  expect(of("experiment.metrics.right")?.value).toEqual({ label: "correct", margin: 0.02 });
  expect(of("experiment.namespace.from")).toBeUndefined();
  expect(of("excluded")?.value).toEqual({ rf: false });
  expect(rows.some(({ path }) => path.startsWith("services.a.traffic.experiment"))).toBe(false);
});
