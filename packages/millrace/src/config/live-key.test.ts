import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { configJsonSchema } from "./json-schema.ts";
import { findLiveKey, liveKeys } from "./live-key.ts";
import { loadConfig } from "./load.ts";
import type { LoadedConfig } from "./print.ts";

async function loaded(services: Record<string, object> = { iris: {} }): Promise<LoadedConfig> {
  const input = { models: { iris: "iris.onnx", "iris.v2": "other.onnx" }, services };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: tmpdir() });
  if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
  return result;
}

describe("findLiveKey()", () => {
  it.each([
    ["services.iris.limits.queue", ["services", "iris", "limits", "queue"]],
    ["services.iris.v2.limits.queue", ["services", "iris.v2", "limits", "queue"]],
    [
      "services.iris.parameters.thresholds.setosa",
      ["services", "iris", "parameters", "thresholds", "setosa"],
    ],
    ["services.iris.traffic.rules", ["services", "iris", "traffic", "rules"]],
  ])("finds %s", async (text, path) => {
    const { tree } = await loaded();
    expect(findLiveKey(text, configJsonSchema(), tree)).toMatchObject({ kind: "live", path });
  });

  it.each([
    ["services.iris.limits", "nearest live keys are services.iris.limits.concurrency"],
    ["models.iris.threads", "not a live key: it changes with the file"],
    ["server.httpPort", "not a live key"],
    ["services.iris.limits.queu", 'no such key. Did you mean "services.iris.limits.queue"?'],
    ["services.nobody.limits.queue", "no such key"],
    ["services.iris.traffic.rules.0.to", "services.iris.traffic.rules is set as a whole"],
    ["services.iris.traffic.rules[0].to", "services.iris.traffic.rules is set as a whole"],
    ["services.__proto__.limits.queue", "no such key"],
    ["services.constructor.limits.queue", "no such key"],
    ["", "no such key"],
  ])("says what is wrong with %j", async (text, message) => {
    const { tree } = await loaded();
    const key = findLiveKey(text, configJsonSchema(), tree);
    expect(key).toEqual({ kind: "unknown", message: expect.stringContaining(message) as string });
  });

  it("finds what an experiment and a shadow have that changes, and only where they are", async () => {
    const experiment = { name: "e", arms: { control: "iris", treatment: "iris.v2" } };
    const { tree } = await loaded({ iris: { traffic: { experiment } }, other: { graph: "iris" } });
    const root = configJsonSchema();
    for (const key of [
      "coverage",
      "weights",
      "weights.treatment",
      "active",
      "winner",
      "minPhase",
    ]) {
      const text = `services.iris.traffic.experiment.${key}`;
      expect(findLiveKey(text, root, tree)).toMatchObject({ kind: "live", path: text.split(".") });
    }
    expect(findLiveKey("services.iris.traffic.excluded.rf", root, tree).kind).toBe("live");
    expect(findLiveKey("services.iris.traffic.experiment.salt", root, tree)).toMatchObject({
      message: expect.stringContaining("not a live key") as string,
    });
    expect(findLiveKey("services.other.traffic.experiment.coverage", root, tree)).toEqual({
      kind: "unknown",
      message: "no such key: there is no services.other.traffic.experiment",
    });
    const keys = liveKeys(root, tree);
    expect(keys).toContain("services.iris.traffic.experiment.coverage");
    expect(keys.filter((key) => key.startsWith("services.other.traffic"))).toEqual([
      "services.other.traffic.rules",
      "services.other.traffic.excluded",
    ]);
  });

  it("answers for texts of any length in little time", async () => {
    const { tree } = await loaded();
    const startMs = performance.now();
    findLiveKey("services.iris.".repeat(2_000), configJsonSchema(), tree);
    findLiveKey("a".repeat(50_000), configJsonSchema(), tree);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});

it("liveKeys() lists keys of the services that are there, and none that needs a restart", async () => {
  const { tree } = await loaded();
  const keys = liveKeys(configJsonSchema(), tree);
  expect(keys).toContain("services.iris.v2.limits.queue");
  expect(keys.filter((key) => key.startsWith("server.") || key.startsWith("state."))).toEqual([]);
});
