import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ParametersConfig } from "./config.ts";
import { loadConfig } from "./load.ts";
import type { LoadOptions, LoadResult } from "./load.ts";
import { configRows } from "./print.ts";
import { renderProblem } from "./problem.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const GRAPH = "graph: { parallel: { setosa: a, iris-virginica: b } }";

async function load(
  service: string,
  { file = "", ...options }: Partial<LoadOptions> & { readonly file?: string },
): Promise<LoadResult> {
  const cwd = await realpath(await mkdtemp(join(tmpdir(), "millrace-variables-")));
  folders.push(cwd);
  const yaml = `models: { a: a.onnx, b: b.onnx }\nservices: { iris: { ${service} } }\n`;
  await writeFile(join(cwd, "millrace.yaml"), yaml);
  await writeFile(join(cwd, ".env"), file);
  return loadConfig({ flags: [], env: {}, cwd, ...options });
}

type Options = Parameters<typeof load>[1];

async function parametersOf(service: string, options: Options): Promise<ParametersConfig> {
  const result = await load(service, options);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  const parameters = result.config.services["iris"]?.parameters;
  if (parameters === undefined) throw new Error("no service");
  return parameters;
}

describe("applyParameterVariables()", () => {
  it.each([
    ["0", false],
    ["1", true],
    ["false", false],
    ["True", true],
  ])("switches a branch by ACTIVATE_<BRANCH>=%s", async (text, isActive) => {
    const env = { ACTIVATE_IRIS_VIRGINICA: text };
    const { isActive: isOn, branches } = await parametersOf(GRAPH, { env });
    expect([isOn, branches]).toEqual([true, { "iris-virginica": isActive }]);
  });

  it("sets thresholds by THRESHOLD_<BRANCH> and DEFAULT_THRESHOLD", async () => {
    const env = { THRESHOLD_SETOSA: "0.9", DEFAULT_THRESHOLD: "0.5" };
    expect(await parametersOf(GRAPH, { env })).toMatchObject({
      thresholds: { setosa: 0.9 },
      thresholdDefault: 0.5,
    });
    const only = await parametersOf(GRAPH, { env: { DEFAULT_THRESHOLD: "-1e-1" } });
    expect(only).toMatchObject({ thresholds: {}, thresholdDefault: -0.1 });
    expect((await parametersOf(GRAPH, { env: {} })).thresholds).toBeUndefined();
  });

  it("stands below the file, flags and the variables of Millrace", async () => {
    const env = { ACTIVATE_SETOSA: "0", THRESHOLD_SETOSA: "0.1", DEFAULT_THRESHOLD: "0.2" };
    const written = "parameters: { activate: { setosa: true }, thresholds: { setosa: 0.9 } }";
    expect(await parametersOf(`${GRAPH}, ${written}`, { env })).toMatchObject({
      branches: { setosa: true },
      thresholds: { setosa: 0.9 },
      thresholdDefault: 0.2,
    });
    const flags = ["--services.iris.parameters.thresholds.setosa", "0.7"];
    const key = "MILLRACE_SERVICES_IRIS_PARAMETERS_ACTIVATE";
    const own = { ...env, [key]: '{"setosa":true}' };
    expect(await parametersOf(GRAPH, { env: own, flags })).toMatchObject({
      branches: { setosa: true },
      thresholds: { setosa: 0.7 },
    });
  });

  it("switches branches of a service that is on, and leaves one alone that is off", async () => {
    const env = { ACTIVATE_SETOSA: "0" };
    const on = await parametersOf(`${GRAPH}, parameters: { activate: true }`, { env });
    expect([on.isActive, on.branches]).toEqual([true, { setosa: false }]);
    const off = await parametersOf(`${GRAPH}, parameters: { activate: false }`, { env });
    expect([off.isActive, off.branches]).toEqual([false, {}]);
  });

  it("reads .env beside the file, and lets the process win over it", async () => {
    const file = "ACTIVATE_SETOSA=0\nTHRESHOLD_SETOSA=0.3\n";
    const env = { ACTIVATE_SETOSA: "1" };
    expect(await parametersOf(GRAPH, { file, env })).toMatchObject({
      branches: { setosa: true },
      thresholds: { setosa: 0.3 },
    });
  });

  it("leaves alone what is empty, and what names no branch or no threshold", async () => {
    const env = {
      ACTIVATE_SETOSA: "",
      ACTIVATE_OTHER: "maybe",
      THRESHOLD_OTHER: "x",
      ACTIVATE: "0",
    };
    expect(await parametersOf(GRAPH, { env })).toMatchObject({ isActive: true, branches: {} });
    const graph = "graph: { parallel: { setosa: a, x: b }, combine: vote }";
    const thresholds = { THRESHOLD_SETOSA: "0.9", DEFAULT_THRESHOLD: "0.9" };
    expect((await parametersOf(graph, { env: thresholds })).thresholds).toBeUndefined();
    expect((await parametersOf("graph: a", { env: thresholds })).thresholds).toBeUndefined();
  });

  it("finds branches of services that are steps", async () => {
    const input = {
      models: { a: "a.onnx", b: "b.onnx" },
      services: {
        front: { graph: { sequence: ["back"] } },
        back: { graph: { parallel: { x: "a", y: "b" } } },
      },
    };
    const env = { ACTIVATE_X: "0" };
    const result = await loadConfig({ input, flags: [], env, cwd: tmpdir() });
    if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
    const { front, back } = result.config.services;
    expect([front, back].map((service) => service?.parameters.branches)).toEqual([
      { x: false },
      { x: false },
    ]);
  });

  it("names the variable that has a wrong value", async () => {
    const env = { ACTIVATE_SETOSA: "yes", DEFAULT_THRESHOLD: "high" };
    const result = await load(GRAPH, { env, file: "THRESHOLD_SETOSA=0.9.1\n" });
    const lines = result.kind === "ok" ? [] : result.problems.map(renderProblem);
    expect(lines).toEqual([
      'environment ACTIVATE_SETOSA services.iris.parameters.activate.setosa: found "yes", expected 0, 1, true or false',
      'environment THRESHOLD_SETOSA (.env) services.iris.parameters.thresholds.setosa: found "0.9.1", expected a number',
      'environment DEFAULT_THRESHOLD services.iris.parameters.thresholds.default: found "high", expected a number',
    ]);
  });

  it("says nothing where something else is wrong already", async () => {
    const env = { ACTIVATE_SETOSA: "0", DEFAULT_THRESHOLD: "0.5" };
    const result = await load(`${GRAPH}, parameters: [1]`, { env });
    const lines = result.kind === "ok" ? [] : result.problems.map(renderProblem);
    expect(lines).toEqual([
      "millrace.yaml:2:88 services.iris.parameters: found a list, expected an object with activate, deactivated, thresholds, retries",
    ]);
  });

  it("is shown as the source of what it gives", async () => {
    const env = { ACTIVATE_SETOSA: "0", DEFAULT_THRESHOLD: "0.5" };
    const result = await load(GRAPH, { env });
    if (result.kind === "invalid") throw new Error("invalid");
    const rows = configRows(result).filter(({ path }) => path.includes(".parameters."));
    expect(rows.filter(({ path }) => path.startsWith("services.iris"))).toEqual([
      {
        path: "services.iris.parameters.activate",
        value: { setosa: false },
        source: "environment ACTIVATE_SETOSA",
      },
      { path: "services.iris.parameters.deactivated", value: 503, source: "default" },
      {
        path: "services.iris.parameters.thresholds",
        value: { default: 0.5 },
        source: "environment DEFAULT_THRESHOLD",
      },
      { path: "services.iris.parameters.retries", value: 0, source: "default" },
    ]);
  });
});
