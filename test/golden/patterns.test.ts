import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMillrace, type Millrace } from "../../packages/millrace/src/library.ts";
import { ask, type Answer } from "../e2e/http-client.ts";
import { MillraceProcess, ROOT } from "../e2e/millrace-process.ts";
import { Workspace } from "../e2e/workspace.ts";

/**
 * Golden values of the serving patterns "microservice horizontal", "parameter-based" and "condition-based", made there
 * with models somebody else trained on the same data. Ours give the same labels and the same yes and no; their
 * probabilities are equal to this many decimal places.
 */
const PRECISION = 1;

const near = (value: number): unknown => expect.closeTo(value, PRECISION);

const SPECIES = ["setosa", "versicolor", "virginica"] as const;

const models = Object.fromEntries(
  SPECIES.map((species) => [
    `iris-${species}`,
    join(ROOT, `examples/models/iris_svc_0_${species}.onnx`),
  ]),
);
const parallel = Object.fromEntries(SPECIES.map((species) => [species, `iris-${species}`]));

/** Probability that a row is the species, by species in order. */
const PROBABILITIES = [
  { row: [5.1, 3.5, 1.4, 0.2], positive: [0.9824145436, 0.0046140822, 0.0115620997] },
  { row: [1, 2, 3, 4], positive: [0.2897033989, 0.0528216437, 0.3042130172] },
  { row: [50.0, 30.1, 111.4, 110.2], positive: [0.2898, 0.0529, 0.304] },
] as const;

describe("microservice horizontal", () => {
  let millrace: Millrace;
  beforeAll(async () => {
    millrace = await createMillrace({
      models,
      services: {
        each: { graph: { parallel } },
        likeliest: { graph: { parallel, combine: "argmax" } },
      },
    });
  });
  afterAll(() => millrace.close());

  for (const { row, positive } of PROBABILITIES) {
    it(`gives each model's probability of [${row.join(", ")}] under its name`, async () => {
      const { prediction } = await millrace.predict("each", [[...row]]);
      const rest = positive.map((value) => [near(value), near(1 - value)]);
      expect(prediction).toEqual(
        Object.fromEntries(SPECIES.map((species, index) => [species, rest[index]])),
      );
    });
  }

  it("chooses the species whose model is surest", async () => {
    const { prediction } = await millrace.predict("likeliest", [[1, 2, 3, 4]]);
    expect(prediction).toEqual({ proba: near(0.3042130172252655), label: "virginica" });
    const { label } = await millrace.predict("likeliest", [[5.1, 3.5, 1.4, 0.2]]);
    expect(label).toBe("setosa");
  });
});

const ENVIRONMENT = {
  ACTIVATE_SETOSA: "1",
  ACTIVATE_VERSICOLOR: "1",
  ACTIVATE_VIRGINICA: "0",
  THRESHOLD_SETOSA: "0.9",
  THRESHOLD_VERSICOLOR: "0.85",
  THRESHOLD_VIRGINICA: "0.95",
  DEFAULT_THRESHOLD: "0.95",
};

const PARAMETERS = {
  activate: { virginica: false },
  thresholds: { setosa: 0.9, versicolor: 0.85, virginica: 0.95, default: 0.95 },
};

describe("parameter-based and condition-based", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    const { "iris-setosa": setosa, "iris-virginica": virginica } = models;
    const file = {
      models: {
        ...models,
        plain: { source: setosa, labels: ["setosa", "other"] },
        mountain: { source: virginica, labels: ["virginica", "other"] },
      },
      services: {
        file: { graph: { parallel }, parameters: PARAMETERS },
        observe: {
          graph: { parallel },
          parameters: { ...PARAMETERS, deactivated: "observe" },
        },
        environment: { graph: { parallel } },
        off: { graph: { parallel }, parameters: { activate: false } },
        proxy: {
          default: true,
          graph: "plain",
          traffic: {
            rules: [{ name: "mountain", when: { header: { target: "mountain" } }, to: "mountain" }],
          },
        },
      },
    };
    folder = new Workspace({ "millrace.yaml": JSON.stringify(file) }); // JSON is YAML
    const options = { cwd: folder.path, env: ENVIRONMENT };
    server = await MillraceProcess.start(["serve", "millrace.yaml"], options);
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  const predict = (service: string, row: readonly number[]): Promise<Answer> =>
    ask(server.url, `/services/${service}/predict`, { body: { data: [row] } });

  for (const service of ["file", "observe", "environment"]) {
    it(`answers 1 from the threshold on and leaves out what is off, parameters from: ${service}`, async () => {
      const setosa = await predict(service, [5.1, 3.5, 1.4, 0.2]);
      expect(setosa.json).toEqual({ setosa: 1, versicolor: 0 });
      const none = await predict(service, [50.0, 30.1, 111.4, 110.2]);
      expect(none.json).toEqual({ setosa: 0, versicolor: 0 });
    });
  }

  it("calls a model that is off only where it is observed", async () => {
    const modelsOf = async (service: string): Promise<unknown> =>
      (await predict(service, [5.1, 3.5, 1.4, 0.2])).headers["x-model"];
    expect(await modelsOf("file")).toBe("iris-setosa@1, iris-versicolor@1");
    expect(await modelsOf("observe")).toBe("iris-setosa@1, iris-versicolor@1, iris-virginica@1");
  });

  it("has a reply of its own for a service that is off as a whole", async () => {
    const { status, headers } = await predict("off", [5.1, 3.5, 1.4, 0.2]);
    expect([status, headers["x-error-code"]]).toEqual([503, "DEACTIVATED"]);
  });

  const SETOSA = [5.1, 3.5, 1.4, 0.2];
  const VIRGINICA = [6.7, 3.0, 5.2, 2.3];

  /** The four golden cells: what each model calls what it is made for, and what it is not made for. */
  for (const { row, target, label } of [
    { row: SETOSA, target: undefined, label: "setosa" },
    { row: VIRGINICA, target: "mountain", label: "virginica" },
    { row: SETOSA, target: "mountain", label: "other" },
    { row: VIRGINICA, target: undefined, label: "other" },
    { row: SETOSA, target: "sea", label: "setosa" }, // no rule takes it
  ]) {
    it(`calls [${row.join(", ")}] ${label} where target is ${target ?? "absent"}`, async () => {
      const headers = target === undefined ? {} : { target };
      const answer = await ask(server.url, "/predict/label", { body: { data: [row] }, headers });
      expect(answer.json).toEqual({ prediction: label });
      const model = target === "mountain" ? "mountain@1" : "plain@1";
      expect(answer.headers["x-model"]).toBe(model);
    });
  }

  it("has labels and metadata of their own for each route", async () => {
    const get = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
      (await ask(server.url, path, { headers })).json;
    const mountain = { target: "mountain" };
    expect(await get("/label")).toEqual({ 0: "setosa", 1: "other" });
    expect(await get("/label", mountain)).toEqual({ 0: "virginica", 1: "other" });
    expect(await get("/metadata")).toMatchObject({ model: "plain" });
    expect(await get("/metadata", mountain)).toMatchObject({ model: "mountain" });
  });
});
