import { describe, expect, it } from "vitest";
import type { ParametersConfig } from "./config.ts";
import { loadConfig } from "./load.ts";
import { renderProblem } from "./problem.ts";
import type { ConfigInput } from "./schema.ts";

const PARALLEL = { parallel: { setosa: "a", versicolor: "b" } };

type Service = NonNullable<ConfigInput["services"]>[string];

async function loadService(service: Service) {
  const input: ConfigInput = {
    models: { a: "a.onnx", b: "b.onnx" },
    services: { iris: service, small: { graph: "a" } },
  };
  return loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
}

async function parametersOf(service: Service): Promise<ParametersConfig | undefined> {
  const result = await loadService(service);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result.config.services["iris"]?.parameters;
}

async function problemsOf(service: Service): Promise<readonly string[]> {
  const result = await loadService(service);
  if (result.kind === "ok") return [];
  return result.problems.map((problem) => renderProblem(problem).replace("services.iris.", ""));
}

describe("resolveParameters()", () => {
  it("fills in what is absent", async () => {
    expect(await parametersOf({ graph: PARALLEL })).toEqual({
      isActive: true,
      branches: {},
      deactivated: "503",
      thresholds: undefined,
      thresholdDefault: 0.95,
      retries: 0,
    });
  });

  it("tells the service's switch from those of its branches", async () => {
    const off = await parametersOf({ graph: PARALLEL, parameters: { activate: false } });
    expect(off).toMatchObject({ isActive: false, branches: {} });
    const branch = await parametersOf({
      graph: PARALLEL,
      parameters: { activate: { setosa: false }, deactivated: "observe", retries: 2 },
    });
    expect(branch).toMatchObject({
      isActive: true,
      branches: { setosa: false },
      deactivated: "observe",
      retries: 2,
    });
  });

  it("takes the default threshold out of those of branches", async () => {
    const thresholds = { default: 0.5, setosa: 0.9 };
    expect(await parametersOf({ graph: PARALLEL, parameters: { thresholds } })).toMatchObject({
      thresholds: { setosa: 0.9 },
      thresholdDefault: 0.5,
    });
    expect(await parametersOf({ graph: PARALLEL, parameters: { thresholds: {} } })).toMatchObject({
      thresholds: {},
      thresholdDefault: 0.95,
    });
  });

  it("knows branches in every step of the graph", async () => {
    const graph = {
      sequence: [
        { switch: [{ when: { caller: "x" }, to: { parallel: { p: "a" } } }], default: "b" },
        { step: "a", onError: { parallel: { q: { sequence: [PARALLEL] } } } },
      ],
    };
    const activate = { p: false, q: false, setosa: false };
    expect((await parametersOf({ graph, parameters: { activate } }))?.branches).toEqual(activate);
  });

  it.each([503, "503"] as const)(
    "takes %j for the status of a service that is off",
    async (word) => {
      const parameters = await parametersOf({ graph: "a", parameters: { deactivated: word } });
      expect(parameters?.deactivated).toBe("503");
    },
  );

  it.each<readonly [Service, readonly string[]]>([
    [
      {
        graph: PARALLEL,
        parameters: { activate: { setosaa: false }, thresholds: { virginica: 1 } },
      },
      [
        'parameters.activate.setosaa: found branch "setosaa", expected one of setosa, versicolor. Did you mean "setosa"?',
        'parameters.thresholds.virginica: found branch "virginica", expected one of setosa, versicolor',
      ],
    ],
    [
      { graph: "a", parameters: { activate: { setosa: false }, thresholds: { default: 0.5 } } },
      [
        'parameters.activate.setosa: found branch "setosa", expected none: the graph has no parallel',
        "parameters.thresholds: the graph has no parallel with combine: each to compare",
      ],
    ],
    [
      {
        graph: { sequence: [{ ...PARALLEL, combine: "vote" }, { parallel: { x: "a" } }] },
        parameters: { thresholds: { setosa: 0.5 } },
      },
      [
        'parameters.thresholds.setosa: branch "setosa" has no threshold: its parallel is not combine: each',
      ],
    ],
    [
      { graph: "a", parameters: { deactivated: { fallback: "small" } } },
      [
        'parameters.deactivated.fallback: found "small", which runs "a" as this service does, expected another one',
      ],
    ],
    [
      { graph: PARALLEL, parameters: { deactivated: { fallback: "iris" } } },
      [
        'parameters.deactivated.fallback: found "iris", which the service itself runs, expected another one',
      ],
    ],
    [
      { graph: PARALLEL, parameters: { deactivated: { fallback: "smal" } } },
      [
        'parameters.deactivated.fallback: found "smal", expected the name of a model or service: a, b, small. Did you mean "small"?',
      ],
    ],
    [
      {
        graph: PARALLEL,
        parameters: {
          activate: "off" as unknown as boolean,
          deactivated: "503s" as "503",
          retries: 11,
          thresholds: { default: "high" as unknown as number },
        },
      },
      [
        'parameters.activate: found "off", expected true or false or an object',
        'parameters.deactivated: found "503s", expected 503, omit, observe or an object with fallback. Did you mean "503"?',
        'parameters.thresholds.default: found "high", expected a number',
        "parameters.retries: found 11, expected a whole number 0 to 10",
      ],
    ],
  ])("refuses %j", async (service, problems) => {
    expect(await problemsOf(service)).toEqual(problems);
  });
});
