import { afterEach, describe, expect, test } from "vitest";
import type { Config } from "../../packages/millrace/src/config/config.ts";
import { loadConfig } from "../../packages/millrace/src/config/load.ts";
import type { MillraceInput } from "../../packages/millrace/src/config/define-config.ts";
import { createServeRole } from "../../packages/millrace/src/main.ts";
import type { ModelVersion } from "../../packages/millrace/src/models/model-version.ts";
import { PRIORITY_DEFAULT } from "../../packages/millrace/src/serve/prediction.ts";
import type { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { numbers } from "./graph-world.ts";

const roles: ServeRole[] = [];
afterEach(async () => {
  await Promise.all(roles.splice(0).map((role) => role.stop(0)));
});

async function configOf(input: MillraceInput): Promise<Config> {
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "ok") return result.config;
  throw new Error(result.problems.map(({ message }) => message).join("\n"));
}

async function startRole(
  input: MillraceInput,
): Promise<{ readonly role: ServeRole; readonly lines: string[] }> {
  const lines: string[] = [];
  const write = (_fields: object, text: string): void => void lines.push(text);
  const log = { debug: write, info: write, warn: write, error: write };
  const role = await createServeRole(await configOf(input), () => log);
  roles.push(role);
  await role.loadModels();
  return { role, lines };
}

const GATHER = { source: fixtureModel("gather.onnx"), sample: [0] };
const ROUNDS = { source: fixtureModel("rounds.onnx"), sample: [0] };
const MODELS = { prep: ROUNDS, gather: GATHER };
const PAIR = { sequence: ["prep", "gather"], map: { INDEX: "prep.OUTPUT" } };

async function ask({ plane }: ServeRole, service: string, input: string): Promise<unknown[]> {
  const target = plane.target(plane.services.get(service));
  const { predictionNames } = target.predictor;
  const { outputs } = await plane.infer(target, numbers(input, 1), predictionNames, {
    predictionId: plane.newPredictionId(),
    endpoint: "test",
    requestId: undefined,
    attributes: undefined,
    receivedMs: plane.clock.nowMs(),
    priority: PRIORITY_DEFAULT,
    timeoutMs: undefined,
    cancellation: undefined,
  });
  return outputs.flatMap(({ data }) => [...data]);
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("apply()", () => {
  test("takes a model out of the file, and the services turn to others without an error", async () => {
    const { role } = await startRole({ models: MODELS, services: { s: { graph: PAIR } } });
    const old = role.models.model("prep").latest as ModelVersion;
    const next = await configOf({
      models: { gather: GATHER, other: ROUNDS },
      services: { s: { graph: { sequence: ["other", "gather"], map: { INDEX: "other.OUTPUT" } } } },
    });
    let isApplied = false;
    const applying = role.apply(next).then(() => (isApplied = true));
    const answers = new Set<string>();
    while (!isApplied) {
      answers.add(String(await ask(role, "s", "ROUNDS")));
      await new Promise(setImmediate);
    }
    await applying;
    expect(answers).toEqual(new Set(["20"]));
    expect(role.graphs.find("s")?.id).toBe("other@1, gather@1");
    await settled();
    expect([old.isClosed, role.models.names]).toEqual([true, ["gather", "other"]]);
  });

  test("gives up the change of live keys that is ready, which was made from the file before", async () => {
    const input: MillraceInput = { models: MODELS, services: { s: { graph: PAIR } } };
    const { role } = await startRole(input);
    const live = await configOf({ ...input, services: { s: { graph: PAIR, timeout: "1s" } } });
    await role.prepare(live, 4);
    await role.apply(await configOf({ ...input, services: { s: { graph: PAIR, timeout: "3s" } } }));
    expect(() => role.commit()).toThrow("no change is ready");
    expect(role.plane.services.get("s").timeoutMs).toBe(3000);
    expect(role.plane.overrideVersion).toBe(0);
  });
});

describe("prepare() and commit()", () => {
  test("change what is live in one step, with its version", async () => {
    const input: MillraceInput = { models: MODELS, services: { s: { graph: PAIR } } };
    const { role } = await startRole(input);
    const parameters = { activate: false };
    const live = await configOf({ ...input, services: { s: { graph: PAIR, parameters } } });
    await role.prepare(live, 4);
    expect(await ask(role, "s", "ROUNDS")).toEqual([20]);
    role.commit();
    await expect(ask(role, "s", "ROUNDS")).rejects.toMatchObject({ code: "DEACTIVATED" });
    expect(role.plane.overrideVersion).toBe(4);
  });
});

describe("stop()", () => {
  test("ends though a change is ready whose graphs keep models", async () => {
    const input: MillraceInput = { models: MODELS, services: { s: { graph: PAIR } } };
    const { role } = await startRole(input);
    const versions = ["prep", "gather"].map((name) => role.models.model(name).latest);
    await role.prepare(await configOf(input), 4);
    expect(await role.stop(0)).toBe(true);
    expect(versions.map((version) => version?.isClosed)).toEqual([true, true]);
  });

  test("ends though the models are still being loaded", async () => {
    const config = await configOf({ models: MODELS, services: { s: { graph: PAIR } } });
    const ignore = (): void => undefined;
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const role = await createServeRole(config, () => log);
    const loading = role.loadModels();
    expect(await role.stop(0)).toBe(true);
    await loading;
    expect(role.graphs.find("s")).toBeUndefined();
  });
});
