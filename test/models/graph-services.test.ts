import { afterEach, describe, expect, test } from "vitest";
import type { ServiceConfig, StepConfig } from "../../packages/millrace/src/config/config.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import { TestStep } from "../../packages/millrace/src/core/graph/test-step.ts";
import type { Condition } from "../../packages/millrace/src/core/rules/condition.ts";
import type { Tensor, TensorSpec } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { Lookup, TensorCaches } from "../../packages/millrace/src/ports/tensor-cache.ts";
import { explainRecord } from "../../packages/millrace/src/serve/explain-record.ts";
import { RECENT_PREDICTIONS_MAX } from "../../packages/millrace/src/serve/recent-predictions.ts";
import {
  GraphWorld,
  numbers,
  parallel,
  sequence,
  switchOn,
  withHeaders,
  type GraphWorldOptions,
} from "./graph-world.ts";
import { modelStep, serviceConfig } from "./plane-parts.ts";

const worlds: GraphWorld[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

const GATHER = { path: "gather.onnx", sample: [0] };
const MODELS = { prep: { path: "rounds.onnx", sample: [0] }, gather: GATHER, other: GATHER };

async function createWorld(options: Partial<GraphWorldOptions> = {}): Promise<GraphWorld> {
  const world = await GraphWorld.create({ models: MODELS, ...options });
  worlds.push(world);
  return world;
}

const PARAMETERS = serviceConfig({ graph: modelStep("x") }).parameters;

function service(
  graph: StepConfig,
  parameters: Partial<ServiceConfig["parameters"]> = {},
  overrides: Partial<ServiceConfig> = {},
): ServiceConfig {
  return serviceConfig({ graph, ...overrides, parameters: { ...PARAMETERS, ...parameters } });
}

const one = numbers("INDEX", 1);

/** Three branches of the same values: 0, 1, 2 give 10, 20, 30. */
const BRANCHES = parallel([modelStep("gather", "a"), modelStep("other", "b")]);
const PREPARED = sequence([modelStep("prep"), modelStep("gather")], {
  map: { INDEX: "prep.OUTPUT" },
});

const isGerman: Condition = {
  kind: "header",
  name: "x-country",
  test: { kind: "equals", value: "DE" },
};

describe("parameters", () => {
  test("thresholds make scores of a parallel into 0 and 1, the default for branches without one", async () => {
    const world = await createWorld();
    const thresholds = { a: 15 };
    await world.serve(service(BRANCHES, { thresholds, thresholdDefault: 25 }));
    expect(await world.ask("s", one)).toEqual({ a: [1], b: [0] });
    expect(await world.ask("s", numbers("INDEX", 0, 1, 2))).toEqual({
      a: [0, 1, 1],
      b: [0, 0, 1],
    });
  });

  const runsOf = (world: GraphWorld, model: string): number =>
    world.models.model(model).latest?.statistics.executionCount ?? 0;

  test("a branch that is off is not called and not in the reply", async () => {
    const world = await createWorld();
    await world.serve(service(BRANCHES, { branches: { b: false } }));
    const before = runsOf(world, "other");
    const prediction = await world.predict("s", one);
    expect(prediction.outputs.map(({ name }) => name)).toEqual(["a"]);
    expect(prediction.predictor.predictionNames).toEqual(["a"]);
    expect(prediction.degraded).toBeUndefined();
    expect(runsOf(world, "other")).toBe(before);
  });

  test("a branch that is observed is called, remembered and left out of the reply", async () => {
    const world = await createWorld();
    await world.serve(service(BRANCHES, { branches: { b: false }, deactivated: "observe" }));
    const before = runsOf(world, "other");
    const { id, outputs } = await world.predict("s", one);
    expect(outputs.map(({ name }) => name)).toEqual(["a"]);
    expect(runsOf(world, "other")).toBe(before + 1);
    const record = world.plane.recent.find(id);
    expect(record?.trace?.children[1]).toMatchObject({ name: "b", facts: { observed: true } });
  });

  test("every branch off answers DEACTIVATED", async () => {
    const world = await createWorld();
    await world.serve(service(BRANCHES, { branches: { a: false, b: false } }));
    expect(await world.ask("s", one)).toBe("DEACTIVATED");
  });

  test.each(["503", "omit"] as const)(
    "a service that is off answers DEACTIVATED and calls no model (%s)",
    async (deactivated) => {
      const world = await createWorld();
      await world.serve(service(PREPARED, { isActive: false, deactivated }));
      const before = runsOf(world, "gather");
      await expect(world.predict("s", numbers("ROUNDS", 1))).rejects.toMatchObject({
        code: "DEACTIVATED",
        message: expect.stringContaining("services.s.parameters.activate is off") as string,
      });
      expect(runsOf(world, "gather")).toBe(before);
      expect(world.count("inference_requests_total", ["s", "DEACTIVATED"])).toBe(1);
    },
  );

  test("a service that is off and observed predicts for the record, and answers DEACTIVATED even when that fails", async () => {
    const world = await createWorld();
    const overload = { kind: "fallback", model: "other" } as const;
    const off = { isActive: false, deactivated: "observe" } as const;
    await world.serve(service(PREPARED, off, { overload }));
    const before = runsOf(world, "gather");
    expect(await world.ask("s", numbers("ROUNDS", 1))).toBe("DEACTIVATED");
    expect(runsOf(world, "gather")).toBe(before + 1);
    expect(await world.ask("s", numbers("ROUNDS", 99))).toBe("DEACTIVATED");
    await world.serve(
      service(PREPARED, off, {
        overload,
        limits: { concurrency: "off", queue: 1, ratePerSecond: 0.001 },
      }),
    );
    await world.ask("s", numbers("ROUNDS", 1));
    expect(await world.ask("s", numbers("ROUNDS", 1))).toBe("DEACTIVATED");
  });

  test("a service that is off answers with its fallback, which is counted", async () => {
    const world = await createWorld();
    const off = { isActive: false, deactivated: { fallback: "instead" } } as const;
    await world.serve(
      service(modelStep("gather"), off),
      service(parallel([modelStep("other", "b")], { combine: "mean" }), {}, { name: "instead" }),
    );
    const prediction = await world.predict("s", one);
    expect(prediction).toMatchObject({ degraded: "fallback", model: "other@1" });
    expect(world.count("inference_requests_total", ["s", "instead", "fallback", "ok"])).toBe(1);
    expect(world.count("inference_requests_total", ["s", "DEACTIVATED"])).toBe(0);
  });
});

describe("rules and fallbacks that lead to graphs", () => {
  test("target() takes the graph of the rule, which sees the request", async () => {
    const world = await createWorld();
    const { plane } = world;
    const graph = switchOn(
      [{ name: "de", when: isGerman, to: modelStep("other") }],
      modelStep("gather"),
    );
    const rules = [{ name: "german", when: isGerman, to: "graph" }];
    await world.serve(
      service(modelStep("gather"), {}, { rules }),
      service(graph, {}, { name: "graph" }),
      service(modelStep("gather"), {}, { name: "plain" }),
    );
    const attributes = withHeaders({ "x-country": "DE" });
    const target = plane.target(plane.services.get("s"), { attributes });
    expect([target.predictor, target.rule]).toEqual([plane.graphs.find("graph"), "german"]);
    expect((await world.predict("s", one, { attributes })).model).toBe("other@1");
    expect((await world.predict("s", one, { attributes: withHeaders({}) })).model).toBe("gather@1");
    expect(plane.readsOf(plane.services.get("s"))).toBe("head");
    expect(plane.readsOf(plane.services.get("plain"))).toBe("nothing");
    expect([plane.needsHead("s"), plane.needsHead("plain")]).toEqual([true, false]);
  });

  test("a rule, an overload and a switched off service keep what their graphs look at", async () => {
    const world = await createWorld();
    const body: Condition = {
      kind: "body",
      path: ["tier"],
      test: { kind: "exists", isThere: true },
    };
    const looks = switchOn(
      [{ name: "x", when: body, to: modelStep("other") }],
      modelStep("gather"),
    );
    const plain = modelStep("gather");
    const off = { deactivated: { fallback: "looks" } };
    await world.serve(
      service(looks, {}, { name: "looks" }),
      service(plain, {}, { name: "ruled", rules: [{ name: "r", when: isGerman, to: "looks" }] }),
      service(plain, {}, { name: "full", overload: { kind: "fallback", model: "looks" } }),
      service(plain, off, { name: "off" }),
    );
    const { plane } = world;
    const reads = ["looks", "ruled", "full", "off"].map((name) =>
      plane.readsOf(plane.services.get(name)),
    );
    expect(reads).toEqual(["body", "body", "body", "body"]);
  });

  test("a graph that stands in for an overload sees the request", async () => {
    const world = await createWorld();
    const instead = switchOn(
      [{ name: "de", when: isGerman, to: modelStep("other", "b") }],
      modelStep("gather", "b"),
    );
    await world.serve(
      service(
        modelStep("gather"),
        {},
        {
          overload: { kind: "fallback", model: "instead" },
          limits: { concurrency: 1, queue: 0, ratePerSecond: undefined },
        },
      ),
      service(instead, {}, { name: "instead" }),
    );
    const attributes = withHeaders({ "x-country": "DE" });
    const [own, other] = await Promise.all([
      world.predict("s", one, { attributes }),
      world.predict("s", one, { attributes }),
    ]);
    expect([own?.model, own?.degraded]).toEqual(["gather@1", undefined]);
    expect([other?.model, other?.degraded]).toEqual(["other@1", "fallback"]);
  });

  test("a version is that of the graph, and its steps see the request while no rule is asked", async () => {
    const world = await createWorld();
    const { plane } = world;
    const rules = [{ name: "german", when: isGerman, to: "gather" }];
    const graph = switchOn(
      [{ name: "de", when: isGerman, to: modelStep("other") }],
      modelStep("gather"),
    );
    await world.serve(service(graph, {}, { rules }));
    const attributes = withHeaders({ "x-country": "DE" });
    const target = plane.target(plane.services.get("s"), { version: 1, attributes });
    expect(target).toMatchObject({ rule: undefined, attributes });
    expect(target.predictor).toBe(plane.graphs.find("s"));
    expect(() => plane.target(plane.services.get("s"), { version: 2 })).toThrow(
      "'s' has no version 2, its graph has 1",
    );
  });
});

describe("prediction cache of a graph", () => {
  const CACHE: ServiceConfig["cache"] = {
    prediction: { ttlMs: 1000, entriesMax: 100, bytesMax: 1e6, lookup: "before", warmUp: [] },
    data: undefined,
  };
  const cached = (
    parameters: Partial<ServiceConfig["parameters"]> = {},
    overrides: Partial<ServiceConfig> = {},
  ): ServiceConfig => service(BRANCHES, parameters, { cache: CACHE, ...overrides });

  test("answers what was predicted before without running anything", async () => {
    const world = await createWorld();
    await world.serve(cached());
    expect((await world.predict("s", one)).cache).toBe("miss");
    const before = world.models.model("gather").latest?.statistics.executionCount;
    const hit = await world.predict("s", one);
    expect(hit).toMatchObject({ cache: "hit", computeMs: 0, trace: undefined });
    expect(hit.outputs.map(({ name, data }) => [name, ...data])).toEqual([
      ["a", 20],
      ["b", 20],
    ]);
    expect(world.models.model("gather").latest?.statistics.executionCount).toBe(before);
    world.clock.advanceMs(1001);
    expect((await world.predict("s", one)).cache).toBe("miss");
  });

  test("keeps apart versions, thresholds, switched branches and requested outputs", async () => {
    const world = new GraphWorld();
    worlds.push(world);
    const path = world.deploy("gather", 1, "gather.onnx");
    await world.load({ ...MODELS, gather: { ...GATHER, path } });
    const { plane } = world;
    const cacheOf = async (): Promise<unknown> => (await world.predict("s", one)).cache;

    await world.serve(cached());
    expect([await cacheOf(), await cacheOf()]).toEqual(["miss", "hit"]);
    await world.serve(cached({ thresholds: { a: 15 } }));
    expect(await cacheOf()).toBe("miss");
    await world.serve(cached({ thresholds: { a: 25 } }));
    expect(await cacheOf()).toBe("miss");
    expect(await world.ask("s", one)).toEqual({ a: [0], b: [1] });
    await world.serve(cached({ branches: { b: false } }));
    expect(await cacheOf()).toBe("miss");

    await world.serve(cached());
    expect(await cacheOf()).toBe("hit");
    world.deploy("gather", 2, "gather.onnx");
    await world.models.model("gather").refresh();
    expect(await cacheOf()).toBe("miss");

    const target = plane.target(plane.services.get("s"));
    const call = {
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      receivedMs: 0,
      priority: 2,
    } as const;
    const rest = { ...call, timeoutMs: undefined, cancellation: undefined };
    const some = await plane.infer(target, one, ["b"], { ...rest, predictionId: "p" });
    expect([some.cache, some.outputs.map(({ name }) => name)]).toEqual(["miss", ["b"]]);
  });

  test("refuses a switch that looks at the request, whose answers differ for the same inputs", async () => {
    const world = await createWorld();
    const graph = switchOn(
      [{ name: "de", when: isGerman, to: modelStep("other") }],
      modelStep("gather"),
    );
    await world.serve(service(graph, {}, { cache: CACHE }));
    expect(await world.ask("s", one)).toBe("MODEL_NOT_READY");
    expect(world.plane.graphs.problems()).toMatchObject([
      { at: ["services", "s", "cache", "prediction"] },
    ]);
  });

  test("never stores a partial answer", async () => {
    const world = await createWorld();
    await world.serve(cached());
    const { scheduled } = world.models.model("other").latest ?? {};
    await scheduled?.close();
    const first = await world.predict("s", one);
    expect([first.cache, first.degraded]).toEqual(["miss", "partial"]);
    const second = await world.predict("s", one);
    expect([second.cache, second.degraded]).toEqual(["miss", "partial"]);
  });

  test("makes a prediction once for all who ask at the same time, each with its own id", async () => {
    const world = await createWorld();
    await world.serve(cached());
    const before = world.models.model("gather").latest?.statistics.executionCount ?? 0;
    const all = await Promise.all(Array.from({ length: 20 }, () => world.predict("s", one)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(20);
    expect(all.map(({ cache }) => cache).filter((cache) => cache === "miss")).toHaveLength(1);
    expect(world.models.model("gather").latest?.statistics.executionCount).toBe(before + 1);
  });

  test("overload: cached answers with what has expired, and says so", async () => {
    const world = await createWorld();
    const limits = { concurrency: 1, queue: 0, ratePerSecond: undefined };
    await world.serve(cached({}, { overload: { kind: "cached" }, limits }));
    await world.predict("s", one);
    world.clock.advanceMs(1500);
    const asked = [world.predict("s", numbers("INDEX", 2)), world.predict("s", one)];
    const [, old] = await Promise.all(asked);
    expect(old).toMatchObject({ cache: "stale", degraded: "cached" });
    expect(old?.outputs.map(({ name, data }) => [name, ...data])).toEqual([
      ["a", 20],
      ["b", 20],
    ]);
  });

  test("what would run stays while a cache elsewhere is asked", async () => {
    const asked = Promise.withResolvers<Lookup>();
    const caches: TensorCaches = {
      isUp: true,
      open: () => ({
        get: () => asked.promise,
        set: () => undefined,
        setBounds: () => undefined,
        usage: () => undefined,
        close: () => Promise.resolve(),
      }),
      close: () => Promise.resolve(),
    };
    const world = await createWorld({ caches });
    const plain = service(modelStep("gather"), {}, { name: "plain", cache: CACHE });
    await world.serve(cached(), plain);
    const versions = ["gather", "other"].map((name) => world.models.model(name).latest);
    const answers = [world.ask("s", one), world.ask("plain", one)];
    await Promise.all(["gather", "other"].map((name) => world.models.model(name).unload()));
    await new Promise(setImmediate);
    expect(versions.map((version) => version?.isClosed)).toEqual([false, false]);
    asked.resolve("missing");
    expect(await Promise.all(answers)).toEqual([{ a: [20], b: [20] }, { VALUE: [20] }]);
    await new Promise(setImmediate);
    expect(versions.map((version) => version?.isClosed)).toEqual([true, true]);
  });

  test("a client that goes while others wait for its prediction harms nobody", async () => {
    const world = await createWorld();
    await world.serve(cached());
    const cancellation = new Cancellation();
    const gone = world.predict("s", one, { cancellation });
    const follows = world.predict("s", one);
    const reason = new Error("gone");
    cancellation.cancel(reason);
    await expect(gone).rejects.toBe(reason);
    expect((await follows).outputs).toHaveLength(2);
    expect(cancellation.watcherCount).toBe(0);
  });
});

describe("what explain says", () => {
  const NUMBER: TensorSpec = { name: "INDEX", datatype: "INT64", shape: [-1] };

  test("of a prediction: its steps, the rules that were asked and why, and the override version", async () => {
    const world = await createWorld();
    const rules = [{ name: "german", when: isGerman, to: "other" }];
    await world.serve(service(PREPARED, {}, { rules }));
    world.plane.overrideVersion = 7;
    const { id } = await world.predict("s", numbers("ROUNDS", 1), {
      attributes: withHeaders({ "x-country": "FR" }),
    });
    const record = world.plane.recent.find(id);
    expect(record && explainRecord(record)).toMatchObject({
      prediction_id: id,
      service: "s",
      model: "prep@1, gather@1",
      status: "ok",
      override_version: 7,
      rule: "default",
      rules: [
        { name: "german", isMatch: false, why: expect.stringContaining('found "FR"') as string },
      ],
      graph: {
        name: "s",
        steps: [
          { name: "prep", kind: "model", status: "ok", facts: { model: "prep@1" } },
          { name: "gather", kind: "model", status: "ok", facts: { model: "gather@1" } },
        ],
      },
    });
  });

  test("of a failure: its code, its message and the step", async () => {
    const world = await createWorld();
    await world.serve(service(PREPARED));
    const predictionId = "failed";
    await world.ask("s", numbers("ROUNDS", 99), { predictionId });
    const record = world.plane.recent.find(predictionId);
    expect(record && explainRecord(record)).toMatchObject({
      status: "MODEL_FAILED",
      error: expect.stringContaining('Cannot run step "gather"') as string,
      graph: {
        status: "failed",
        steps: [{ status: "ok" }, { status: "failed", facts: { error: "MODEL_FAILED" } }],
      },
    });
  });

  test("of what the cache answered: that it did", async () => {
    const world = await createWorld();
    const prediction = {
      ttlMs: 1000,
      entriesMax: 9,
      bytesMax: 1e6,
      lookup: "before",
      warmUp: [],
    } as const;
    await world.serve(service(PREPARED, {}, { cache: { prediction, data: undefined } }));
    await world.predict("s", numbers("ROUNDS", 1));
    const { id } = await world.predict("s", numbers("ROUNDS", 1));
    const record = world.plane.recent.find(id);
    const explained = record && explainRecord(record);
    expect(explained).toMatchObject({ cache: "hit", status: "ok" });
    expect(explained).not.toHaveProperty("graph");
  });

  test("the oldest prediction is forgotten for a new one", async () => {
    const step = new TestStep("f", { inputs: [NUMBER], outputs: [NUMBER] });
    const world = await createWorld({
      models: {},
      sources: {
        function: () => Promise.resolve({ step, digest: "f", close: () => Promise.resolve() }),
      },
    });
    const options = { path: "/nowhere/f.ts", timeoutMs: 1000, threads: 1, queue: 10 };
    await world.serve(service({ kind: "function", name: "f", at: [], function: options }));
    const input: readonly Tensor[] = one;
    for (let i = 0; i <= RECENT_PREDICTIONS_MAX; i++) {
      await world.predict("s", input, { predictionId: String(i) });
    }
    const { recent } = world.plane;
    expect(recent.find("0")).toBeUndefined();
    expect(recent.find("1")?.id).toBe("1");
    expect(recent.find(String(RECENT_PREDICTIONS_MAX))).toBeDefined();
  });
});
