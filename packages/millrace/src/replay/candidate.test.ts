import { beforeAll, describe, expect, it } from "vitest";
import type { Config, ServiceConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { createCandidate } from "./candidate.ts";

let config: Config;

beforeAll(async () => {
  const result = await loadConfig({
    input: {
      state: { dir: "/state" },
      models: {
        iris: { source: "/m/iris.onnx", labels: ["a", "b"], threads: 3, sha256: "0".repeat(64) },
        forest: "/m/forest.onnx",
        other: "/m/other.onnx",
      },
      services: {
        guess: {
          graph: "iris",
          timeout: "123ms",
          overload: { fallback: "other" },
          limits: { concurrency: 1, rate: "1/s" },
          cache: { prediction: { ttl: "1h" } },
          parameters: { activate: false },
          traffic: {
            rules: [{ name: "all", when: { percent: { share: "50%", salt: "s" } }, to: "forest" }],
          },
        },
        both: { graph: { parallel: { left: "iris", right: "forest" } } },
      },
    },
    flags: [],
    env: {},
    cwd: "/",
  });
  if (result.kind === "invalid")
    throw new Error(result.problems.map(({ message }) => message).join("\n"));
  ({ config } = result);
});

const service = (name: string): ServiceConfig => config.services[name] as ServiceConfig;

describe("createCandidate()", () => {
  it("leaves nothing but the candidate's own models, without what would answer in its place or write anything", () => {
    const name = { kind: "name", name: "guess", version: undefined } as const;
    const candidate = createCandidate(config, service("forest"), name);
    expect(Object.keys(candidate?.config.models ?? {})).toEqual(["iris"]);
    expect(candidate?.config).toMatchObject({
      stateDir: undefined,
      log: { sink: "off", text: undefined },
      traces: undefined,
      cacheStore: { kind: "memory" },
    });
    expect(Object.keys(candidate?.config.services ?? {})).toEqual(["guess"]);
    expect(candidate?.config.services["guess"]).toMatchObject({
      timeoutMs: service("forest").timeoutMs,
      rules: [],
      overload: { kind: "reject" },
      limits: { concurrency: "off", ratePerSecond: undefined },
      cache: { prediction: undefined },
      parameters: { isActive: true },
    });
  });

  it("takes a graph with all its models, and a version alone", () => {
    const both = createCandidate(config, service("guess"), {
      kind: "name",
      name: "both",
      version: undefined,
    });
    expect(Object.keys(both?.config.models ?? {})).toEqual(["iris", "forest"]);
    expect(both?.config.services["both"]?.timeoutMs).toBe(123);
    const second = createCandidate(config, service("guess"), {
      kind: "name",
      name: "iris",
      version: 2,
    });
    expect([second?.version, second?.config.models["iris"]?.serve]).toEqual([
      2,
      { kind: "list", versions: [2] },
    ]);
  });

  it("puts a file in the place of the service's model, with what is said of that but its digest", () => {
    const file = { kind: "file", path: "/new/x.onnx", name: "x" } as const;
    const candidate = createCandidate(config, service("guess"), file);
    expect(candidate?.config.models).toMatchObject({
      x: {
        source: { kind: "path", path: "/new/x.onnx" },
        labels: ["a", "b"],
        threads: 3,
        sha256: undefined,
      },
    });
    expect(candidate?.config.services["x"]?.graph).toMatchObject({ kind: "model", model: "x" });
    expect(createCandidate(config, service("both"), file)).toBeUndefined();
  });

  it("gives nothing for a name that the file has not", () => {
    const name = { kind: "name", name: "none", version: undefined } as const;
    expect(createCandidate(config, service("guess"), name)).toBeUndefined();
  });
});
