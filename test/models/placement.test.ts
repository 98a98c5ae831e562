import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import type { ModelConfig } from "../../packages/millrace/src/config/config.ts";
import {
  instanceCountOf,
  loadFirst,
  placeModel,
} from "../../packages/millrace/src/models/place-model.ts";
import { ServedModel } from "../../packages/millrace/src/models/served-model.ts";
import { zeros } from "../../packages/millrace/src/models/prepare-version.ts";
import type { LoadedModel, Placement, Runtime } from "../../packages/millrace/src/ports/runtime.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { modelConfig, modelsOptions } from "./model-parts.ts";

const { inline, worker } = modelsOptions(systemClock, () => undefined).runtimes.onnx;
const runtimes = { inline: inline as Runtime, worker };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()));
});

const fileOf = (name: string) => ({ path: fixtureModel(name), sha256: undefined, threads: 1 });

/** A model after the trial, and whether the copy it was tried with is closed when another took its place. */
async function place(name: string, from: Placement): Promise<LoadedModel> {
  const file = fileOf(name);
  const first = await runtimes[from].load(file);
  const example = first.description.inputs.map((input) => zeros(input));
  const placed = await placeModel(first, example, file, runtimes);
  open.push(placed);
  if (placed !== first) {
    const names = first.description.outputs.map((output) => output.name);
    await expect(first.run(example, names)).rejects.toThrow(/closed|disposed|released/);
  }
  return placed;
}

describe("loadFirst()", () => {
  test.each<[ModelConfig["placement"], Placement | undefined, Placement]>([
    ["auto", undefined, "inline"],
    ["auto", "inline", "inline"],
    ["auto", "worker", "worker"],
    ["inline", "worker", "inline"],
    ["worker", undefined, "worker"],
  ])(
    "with placement %s and the earlier version on %s loads a small file %s",
    async (placement, previous, expected) => {
      const config = modelConfig("", { placement });
      const model = await loadFirst(fileOf("add.onnx"), config, runtimes, previous);
      open.push(model);
      expect(model.placement).toBe(expected);
    },
  );

  test("says that the file is not there as the runtime says it", async () => {
    const config = modelConfig("", { placement: "auto" });
    const loading = loadFirst(fileOf("missing.onnx"), config, runtimes, undefined);
    await expect(loading).rejects.toMatchObject({ code: "MODEL_LOAD_FAILED" });
  });
});

describe("placeModel()", () => {
  test.each<[string, Placement, Placement]>([
    ["add.onnx", "inline", "inline"],
    ["add.onnx", "worker", "inline"],
    ["slow.onnx", "inline", "worker"],
    ["slow.onnx", "worker", "worker"],
  ])("moves %s from %s to %s, where its run time says it belongs", async (name, from, to) => {
    expect((await place(name, from)).placement).toBe(to);
  });
});

describe("placement that the file names", () => {
  test.each<[string, Placement]>([
    ["add.onnx", "worker"],
    ["slow.onnx", "inline"],
  ])("keeps %s on %s whatever its run time", async (name, placement) => {
    const config = modelConfig(fixtureModel(name), { placement });
    const options = modelsOptions(systemClock, () => undefined);
    const model = new ServedModel(config, options);
    open.push(model);
    await model.start();
    expect(model.status()).toMatchObject({ isReady: true, placement, instances: 1 });
  });
});

test.each([
  [{ instances: "auto", threads: 1 }, "worker", 4, 4],
  [{ instances: "auto", threads: 3 }, "worker", 4, 1],
  [{ instances: "auto", threads: 8 }, "worker", 4, 1],
  [{ instances: 3, threads: 4 }, "worker", 1, 3],
  [{ instances: 3, threads: 1 }, "inline", 4, 1],
] as const)("instanceCountOf(%j, %s, %d) is %d", (overrides, placement, cores, expected) => {
  expect(instanceCountOf(modelConfig("", overrides), placement, cores)).toBe(expected);
});

test("a version whose further copies cannot be started leaves none of them behind", async () => {
  let starts = 0;
  let closes = 0;
  const options = modelsOptions(systemClock, () => undefined);
  const counted = {
    ...worker,
    load: async (file: Parameters<typeof worker.load>[0]) => {
      if (++starts === 3) throw new Error("no more threads");
      const model = await worker.load(file);
      return Object.assign(Object.create(model) as LoadedModel, {
        description: model.description,
        placement: model.placement,
        run: model.run.bind(model),
        onLost: model.onLost.bind(model),
        close: () => {
          closes++;
          return model.close();
        },
      });
    },
  };
  const config = modelConfig(fixtureModel("add.onnx"), { placement: "worker", instances: 3 });
  const model = new ServedModel(config, {
    ...options,
    runtimes: { ...options.runtimes, onnx: { inline, worker: counted } },
  });
  open.push(model);
  await model.start();
  expect(model.status()).toMatchObject({ isReady: false, problem: "no more threads" });
  expect([starts, closes]).toEqual([3, 2]);
});
