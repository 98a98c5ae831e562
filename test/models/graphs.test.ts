import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ServiceConfig, StepConfig } from "../../packages/millrace/src/config/config.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import { settle, TestStep } from "../../packages/millrace/src/core/graph/test-step.ts";
import type { TensorSpec } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { ModelVersion } from "../../packages/millrace/src/models/model-version.ts";
import type { SourceStep } from "../../packages/millrace/src/ports/step-sources.ts";
import { Readiness } from "../../packages/millrace/src/serve/readiness.ts";
import {
  GraphWorld,
  numbers,
  parallel,
  rows,
  sequence,
  switchOn,
  withHeaders,
  type GraphWorldOptions,
} from "./graph-world.ts";
import { modelStep, serviceConfig } from "./plane-parts.ts";

const IRIS = join(import.meta.dirname, "../../examples/models");
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6, 2.5];
const LABELS = ["setosa", "versicolor", "virginica"];

const worlds: GraphWorld[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function createWorld(options: GraphWorldOptions): Promise<GraphWorld> {
  const world = await GraphWorld.create(options);
  worlds.push(world);
  return world;
}

const service = (graph: StepConfig, overrides: Partial<ServiceConfig> = {}): ServiceConfig =>
  serviceConfig({ graph, ...overrides });

const parameters = (own: Partial<ServiceConfig["parameters"]>): Partial<ServiceConfig> => ({
  parameters: { ...serviceConfig({ graph: modelStep("x") }).parameters, ...own },
});

const GATHER = { path: "gather.onnx", sample: [0] };
const ROUNDS = { path: "rounds.onnx", sample: [0] };

/** INDEX of `gather` is what `prep` gives. */
const PREPARED = sequence([modelStep("prep"), modelStep("gather")], {
  map: { INDEX: "prep.OUTPUT" },
});

const NUMBER: TensorSpec = { name: "INDEX", datatype: "INT64", shape: [-1] };
const VALUE: TensorSpec = { name: "VALUE", datatype: "FP32", shape: [-1] };

/** A function step as an adapter would open it. */
function sourceOf(step: TestStep, digest = step.name): SourceStep & { isClosed: boolean } {
  return {
    step,
    digest,
    isClosed: false,
    close() {
      this.isClosed = true;
      return Promise.resolve();
    },
  };
}

function functionStep(name: string): StepConfig {
  const options = { path: `/nowhere/${name}.ts`, timeoutMs: 1000, threads: 1, queue: 10 };
  return { kind: "function", name, at: ["services", "s", "graph"], function: options };
}

describe("steps over models", () => {
  test("a sequence gives what its models give one after the other, and says which ran", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    await world.serve(service(PREPARED));
    const prediction = await world.predict("s", numbers("ROUNDS", 2, 0));
    expect(prediction.outputs.map(({ name, data }) => [name, ...data])).toEqual([
      ["VALUE", 30, 10],
    ]);
    expect(prediction.model).toBe("prep@1, gather@1");
    expect(prediction).toMatchObject({ degraded: undefined, degradations: [] });
    expect(world.events).toEqual(["built s of prep@1, gather@1"]);
  });

  test("a parallel gives each branch under its name", async () => {
    const branches = LABELS.map((name) => modelStep(`iris-${name}`, name));
    const models = Object.fromEntries(
      LABELS.map((name) => [`iris-${name}`, join(IRIS, `iris_svc_0_${name}.onnx`)]),
    );
    const world = await createWorld({ models });
    await world.serve(service(parallel(branches)));
    const prediction = await world.predict("s", rows("float_input", SETOSA, VIRGINICA));
    expect(prediction.outputs.map(({ name, shape }) => [name, shape])).toEqual(
      LABELS.map((name) => [name, [2, 2]]),
    );
    expect(prediction.predictor).toMatchObject({ isBare: true, predictionOutput: undefined });
  });

  test("a switch runs the case that matches and no other", async () => {
    const world = await createWorld({ models: { one: GATHER, other: GATHER } });
    const when = { kind: "header", name: "x-way", test: { kind: "equals", value: "b" } } as const;
    await world.serve(
      service(switchOn([{ name: "b", when, to: modelStep("other") }], modelStep("one"))),
    );
    const ask = async (headers: Record<string, string>): Promise<string> =>
      (await world.predict("s", numbers("INDEX", 1), { attributes: withHeaders(headers) })).model;
    const runs = (): number[] =>
      ["one", "other"].map(
        (name) => world.models.model(name).latest?.statistics.executionCount ?? 0,
      );
    const [one = 0, other = 0] = runs();
    expect(await ask({ "x-way": "b" })).toBe("other@1");
    expect(runs()).toEqual([one, other + 1]);
    expect(await ask({})).toBe("one@1");
    expect(runs()).toEqual([one + 1, other + 1]);
  });

  test("a switch refuses a condition on an input that has another name, which would never hold", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    const when = { kind: "input", name: "INDEX", test: { kind: "equals", value: 1 } } as const;
    const rounds = sequence([modelStep("prep"), modelStep("gather")], {
      map: { INDEX: "prep.OUTPUT" },
    });
    const on = (name: string): StepConfig =>
      switchOn([{ name: "x", when: { ...when, name }, to: rounds }], modelStep("gather"));
    await world.serve(service(on("ROUNDS")));
    expect(world.events).toEqual([
      'refused s: the condition looks at input "ROUNDS", there is INDEX',
    ]);
    await world.serve(service(on("INDEX")));
    expect((await world.predict("s", numbers("INDEX", 1))).model).toBe("prep@1, gather@1");
    expect((await world.predict("s", numbers("INDEX", 2))).model).toBe("gather@1");
  });

  test("softmax and top follow a classifier, with its labels", async () => {
    const model = { path: join(IRIS, "iris_svc.onnx"), labels: LABELS };
    const world = await createWorld({ models: { iris: model } });
    const at = ["services", "s", "graph"];
    const top: StepConfig = { kind: "top", name: "top", at, count: 2 };
    const softmax: StepConfig = { kind: "softmax", name: "softmax", at, axis: -1 };
    await world.serve(service(sequence([modelStep("iris"), softmax, top])));
    const { outputs } = await world.predict("s", rows("float_input", SETOSA));
    const labels = outputs.find(({ name }) => name === "labels");
    expect([labels?.shape, labels?.data[0]]).toEqual([[1, 2], "setosa"]);
  });
});

describe("batches", () => {
  test("services that run the same model fill the same batches", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    const twice = parallel([modelStep("gather", "a"), modelStep("gather", "b")]);
    await world.serve(
      service(modelStep("gather"), { name: "plain" }),
      service(PREPARED, { name: "prepared" }),
      service(twice, { name: "twice" }),
    );
    const { latest } = world.models.model("gather");
    const countBefore = latest?.statistics.executionCount ?? 0;
    const asked = [
      world.ask("plain", numbers("INDEX", 0)), // leaves at once, the others wait for it
      world.ask("plain", numbers("INDEX", 1)),
      world.ask("twice", numbers("INDEX", 2)),
      world.ask("plain", numbers("INDEX", 1)),
    ];
    expect(await Promise.all(asked)).toEqual([
      { VALUE: [10] },
      { VALUE: [20] },
      { a: [30], b: [30] },
      { VALUE: [20] },
    ]);
    const batches = latest
      ?.recentBatches()
      .slice(-((latest.statistics.executionCount ?? 0) - countBefore));
    expect(batches?.reduce((sum, { requests }) => sum + requests, 0)).toBe(5);
    expect(batches?.length).toBeLessThanOrEqual(2);
  });
});

describe("time", () => {
  const timed = (...steps: TestStep[]) =>
    createWorld({
      models: {},
      sources: {
        function: (name) =>
          Promise.resolve(sourceOf(steps.find((step) => step.name === name) as TestStep)),
      },
    });
  const testStep = (name: string, tookMs: number, output = "INDEX"): TestStep =>
    new TestStep(name, { tookMs, inputs: [NUMBER], outputs: [{ ...NUMBER, name: output }] });

  test("a sequence takes the sum of its steps, a parallel the time of its slowest branch", async () => {
    const world = await timed(testStep("a", 30), testStep("b", 50));
    const steps = [functionStep("a"), functionStep("b")];
    await world.serve(
      service(sequence(steps), { name: "sum" }),
      service(parallel(steps), { name: "slowest" }),
    );
    const took = async (name: string): Promise<number> =>
      (await settle(world.clock, world.predict(name, numbers("INDEX", 1)))).computeMs;
    expect(await took("sum")).toBe(80);
    expect(await took("slowest")).toBe(50);
  });

  test("a step begins no more when the deadline has passed, and the error names it", async () => {
    const second = testStep("b", 5);
    const world = await timed(testStep("a", 30), second);
    await world.serve(service(sequence([functionStep("a"), functionStep("b")])));
    const asked = world.predict("s", numbers("INDEX", 1), { timeoutMs: 20 });
    await expect(settle(world.clock, asked)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: expect.stringContaining('step "b"') as string,
    });
    expect(second.runCount).toBe(0);
  });

  test("every step gets the deadline, the priority, the ids and the cancellation of the request", async () => {
    const first = testStep("a", 1);
    const second = testStep("b", Infinity);
    const world = await timed(first, second);
    await world.serve(service(parallel([functionStep("a"), functionStep("b")])));
    const cancellation = new Cancellation();
    const asked = world.predict("s", numbers("INDEX", 1), {
      cancellation,
      timeoutMs: 70,
      priority: 1,
      predictionId: "p-1",
      requestId: "r-1",
    });
    const gone = new Error("the client has gone");
    world.clock.advanceMs(5);
    cancellation.cancel(gone);
    await expect(asked).rejects.toBe(gone);
    for (const { contexts } of [first, second]) {
      expect(contexts).toMatchObject([
        { deadlineAtMs: 70, priority: 1, request: { predictionId: "p-1", requestId: "r-1" } },
      ]);
    }
    expect(second.cancelledCount).toBe(1);
    expect(cancellation.watcherCount).toBe(0);
    expect(world.clock.timerCount).toBe(0);
  });
});

describe("failures", () => {
  const HALVES = parallel([modelStep("gather", "good"), modelStep("small", "small")]);
  const models = { gather: GATHER, small: GATHER, prep: ROUNDS };

  test("a failing step of a sequence is named with its own error", async () => {
    const world = await createWorld({ models });
    await world.serve(service(PREPARED));
    await expect(world.predict("s", numbers("ROUNDS", 99))).rejects.toMatchObject({
      code: "MODEL_FAILED",
      step: "gather",
      message: expect.stringContaining('Cannot run step "gather"') as string,
    });
  });

  test("a branch that is missing leaves a partial answer that says what is missing", async () => {
    const world = await createWorld({ models });
    await world.serve(service(HALVES));
    await world.models.model("small").latest?.scheduled.close();
    const prediction = await world.predict("s", numbers("INDEX", 1));
    expect(prediction.outputs.map(({ name }) => name)).toEqual(["good"]);
    expect(prediction.degraded).toBe("partial");
    expect(prediction.degradations).toMatchObject([{ kind: "missing", step: "small" }]);
    expect(world.events.at(-1)).toMatch(/^degraded s small missing /);
    expect(prediction.trace?.children.map(({ name, status }) => [name, status])).toEqual([
      ["good", "ok"],
      ["small", "failed"],
    ]);
  });

  test("onError: a step that fails is replaced, and the answer says so", async () => {
    const world = await createWorld({ models });
    const members = [{ step: modelStep("gather"), onError: modelStep("other", "instead") }];
    await world.load({ ...models, other: { ...GATHER } });
    await world.serve(service(sequence([], { members })));
    await world.models.model("gather").latest?.scheduled.close();
    const prediction = await world.predict("s", numbers("INDEX", 2));
    expect([...(prediction.outputs[0]?.data ?? [])]).toEqual([30]);
    expect(prediction).toMatchObject({
      degraded: "fallback",
      degradations: [{ kind: "fallback", step: "gather" }],
      model: "gather@1, other@1",
    });
  });

  test("who asks for one branch alone that fails gets that branch's error", async () => {
    const errors = { b: "REMOTE_FAILED", c: "FUNCTION_FAILED" } as const;
    const stepOf = (name: string): TestStep => {
      const base = { inputs: [NUMBER], outputs: [VALUE] };
      if (name !== "b" && name !== "c") return new TestStep(name, base);
      return new TestStep(name, { ...base, error: new MillraceError(errors[name], "Cannot") });
    };
    const world = await createWorld({
      models: {},
      sources: { function: (name) => Promise.resolve(sourceOf(stepOf(name))) },
    });
    await world.serve(service(parallel(["a", "b", "c"].map(functionStep))));
    const { plane } = world;
    const target = plane.target(plane.services.get("s"));
    const call = {
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      receivedMs: 0,
      priority: 2,
    } as const;
    const rest = { ...call, timeoutMs: undefined, cancellation: undefined, predictionId: "p" };
    const infer = (...names: string[]) => plane.infer(target, numbers("INDEX", 1), names, rest);
    await expect(infer("b")).rejects.toMatchObject({ code: "REMOTE_FAILED" });
    await expect(infer("c")).rejects.toMatchObject({ code: "FUNCTION_FAILED" });
    expect((await infer("c", "a")).outputs.map(({ name }) => name)).toEqual(["a"]);
  });

  test("a data cache is refused where the sequence does not begin with data", async () => {
    const step = new TestStep("late", { inputs: [VALUE], outputs: [VALUE] });
    const world = await createWorld({
      models: { gather: GATHER },
      sources: { function: () => Promise.resolve(sourceOf(step)) },
    });
    const data = { ttlMs: 1000, entriesMax: 10, bytesMax: 1000, key: "INDEX" };
    const graph = sequence([modelStep("gather"), functionStep("late")]);
    await world.serve(serviceConfig({ graph, cache: { prediction: undefined, data } }));
    expect(world.plane.graphs.problems()).toMatchObject([
      {
        at: ["services", "s", "cache", "data"],
        message:
          "found no step to cache: the graph must begin with a load, an image or a function step",
      },
    ]);
  });

  test("a branch called `at` is a switch like any other: the digest tells it on and off apart", async () => {
    const world = await createWorld({ models: { gather: GATHER, other: GATHER } });
    const digests: (string | undefined)[] = [];
    for (const isOn of [true, false]) {
      const graph = parallel([modelStep("gather", "at"), modelStep("other", "b")]);
      await world.serve(service(graph, parameters({ branches: { at: isOn } })));
      digests.push(world.plane.graphs.find("s")?.digest);
    }
    expect(digests[0]).not.toBe(digests[1]);
  });

  test("retries run a step again for what may pass, and the trace says how often", async () => {
    const lost = new MillraceError("EXECUTOR_LOST", "Cannot run: its thread is lost");
    const step = new TestStep("a", { inputs: [NUMBER], outputs: [VALUE], error: lost });
    const world = await createWorld({
      models: {},
      sources: { function: () => Promise.resolve(sourceOf(step)) },
    });
    await world.serve(service(functionStep("a"), parameters({ retries: 2 })));
    await expect(world.predict("s", numbers("INDEX", 1))).rejects.toMatchObject({
      code: "EXECUTOR_LOST",
    });
    expect(step.runCount).toBe(3);
  });
});

describe("versions: together", () => {
  const PAIR = sequence([modelStep("prep"), modelStep("pred")], {
    map: { INDEX: "prep.OUTPUT" },
    versions: "together",
  });

  async function createPair(versions: { prep: number; pred: number }): Promise<GraphWorld> {
    const world = new GraphWorld();
    worlds.push(world);
    const prep = world.deploy("prep", versions.prep, "rounds.onnx");
    const pred = world.deploy("pred", versions.pred, "gather.onnx");
    await world.load({ prep: { path: prep, sample: [0] }, pred: { path: pred, sample: [0] } });
    await world.serve(service(PAIR));
    return world;
  }

  const version = (world: GraphWorld, model: string): ModelVersion =>
    world.models.model(model).latest as ModelVersion;

  test("a pair that does not match is refused with what each has", async () => {
    const world = await createPair({ prep: 1, pred: 2 });
    expect(world.events.at(-1)).toBe(
      "refused s: versions: together finds no version number that all models have: prep has 1; pred has 2; serve: all loads the earlier ones too",
    );
    expect(await world.ask("s", numbers("ROUNDS", 1))).toBe("MODEL_NOT_READY");
    const { models, plane } = world;
    expect(new Readiness(models, plane.graphs).isReady).toBe(false);
  });

  test("the old pair serves until both new ones are there, then they switch as one", async () => {
    const world = await createPair({ prep: 1, pred: 1 });
    const old = [version(world, "prep"), version(world, "pred")];
    const ids = async (): Promise<string> => (await world.predict("s", numbers("ROUNDS", 1))).model;
    world.deploy("prep", 2, "rounds.onnx");
    await world.models.model("prep").refresh();
    expect(version(world, "prep").id).toBe("prep@2");
    expect(await ids()).toBe("prep@1, pred@1");
    expect(world.events.at(-1)).toContain("refused s, which serves: versions: together");
    expect(old.map(({ isClosed }) => isClosed)).toEqual([false, false]);

    world.deploy("pred", 2, "gather.onnx");
    await world.models.model("pred").refresh();
    expect(await ids()).toBe("prep@2, pred@2");
    expect(world.events.at(-1)).toBe("built s of prep@2, pred@2");
    await new Promise(setImmediate);
    expect(old.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });

  test("requests in flight finish on the pair they began with", async () => {
    const world = await createPair({ prep: 1, pred: 1 });
    const old = [version(world, "prep"), version(world, "pred")];
    world.deploy("prep", 2, "rounds.onnx");
    world.deploy("pred", 2, "gather.onnx");
    const graph = world.plane.graphs.find("s");
    graph?.hold();
    await world.models.model("prep").refresh();
    await world.models.model("pred").refresh();
    await new Promise(setImmediate);
    expect([graph?.isClosed, ...old.map(({ isClosed }) => isClosed)]).toEqual([
      false,
      false,
      false,
    ]);
    graph?.release();
    await new Promise(setImmediate);
    expect([graph?.isClosed, ...old.map(({ isClosed }) => isClosed)]).toEqual([true, true, true]);
  });

  test("the number is for the models of that sequence alone", async () => {
    const world = await createPair({ prep: 1, pred: 1 });
    world.deploy("pred", 2, "gather.onnx");
    await world.load({
      prep: { path: join(world.folder, "prep"), sample: [0] },
      pred: { path: join(world.folder, "pred"), sample: [0], serve: { kind: "all" } },
      look: ROUNDS,
    });
    const free = sequence([modelStep("look"), modelStep("pred")], {
      name: "free",
      map: { INDEX: "look.OUTPUT" },
    });
    for (const branches of [
      [{ ...PAIR, name: "pair" }, free],
      [free, { ...PAIR, name: "pair" }],
    ]) {
      await world.serve(service(parallel(branches)));
      const { model } = await world.predict("s", numbers("ROUNDS", 1));
      expect(new Set(model.split(", "))).toEqual(new Set(["prep@1", "pred@1", "look@1", "pred@2"]));
    }
  });
});

describe("models that change", () => {
  test("a model that does not fit any more is refused, and the graph before keeps serving", async () => {
    const world = new GraphWorld();
    worlds.push(world);
    const gather = { path: world.deploy("gather", 1, "gather.onnx"), sample: [0] };
    await world.load({ prep: ROUNDS, gather });
    await world.serve(service(PREPARED));
    const { models, plane } = world;
    const readiness = new Readiness(models, plane.graphs);
    expect(readiness.problems()).toEqual([]);

    await world.load({ prep: ROUNDS, gather: { ...gather, sample: undefined } });
    world.deploy("gather", 2, join(IRIS, "iris_svc.onnx"));
    await models.model("gather").refresh();
    expect(models.model("gather").latest?.id).toBe("gather@2");
    expect(await world.ask("s", numbers("ROUNDS", 2))).toEqual({ VALUE: [30] });
    const [status] = plane.graphs.status();
    expect(status?.isReady).toBe(true);
    expect(status?.problem).toContain("float_input");
    expect(readiness.isReady).toBe(true);
    expect(readiness.problems()).toEqual([
      expect.stringContaining("service s keeps its earlier graph: ") as string,
    ]);
    expect(world.events.at(-1)).toContain("refused s, which serves: ");
  });

  test("an unloaded model leaves the service not ready until it is loaded again", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    await world.serve(service(PREPARED));
    const { models, plane } = world;
    const readiness = new Readiness(models, plane.graphs);
    const first = models.model("gather").latest as ModelVersion;
    await models.model("gather").unload();
    expect(await world.ask("s", numbers("ROUNDS", 1))).toBe("MODEL_NOT_READY");
    expect(readiness.isReady).toBe(false);
    expect(readiness.problems()).toContain("service s is not ready: waits for model gather");
    expect(readiness.ofService(plane.services.get("s"))).toMatchObject({ isReady: false });
    expect(readiness.partsOf(plane.services.get("s"))).toEqual({ prep: "ok", gather: "ng" });
    await new Promise(setImmediate);
    expect(first.isClosed).toBe(true);
    await models.model("gather").load();
    expect(await world.ask("s", numbers("ROUNDS", 1))).toEqual({ VALUE: [20] });
    expect(readiness.isReady).toBe(true);
  });

  test("a file that changes nothing of a graph's models leaves it as it is", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    await world.serve(service(PREPARED));
    const graph = world.plane.graphs.find("s");
    await world.models.model("gather").refresh();
    expect(world.plane.graphs.find("s")).toBe(graph);
    expect(world.events).toEqual(["built s of prep@1, gather@1"]);
  });

  test("models that go serve until the services have turned to others", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    await world.serve(service(PREPARED), service(modelStep("gather"), { name: "plain" }));
    const { models, plane } = world;
    const old = models.model("gather").latest as ModelVersion;
    const configs = { other: { ...models.model("gather").config, name: "other" } };
    await models.apply(configs, async () => {
      const change = await plane.graphs.prepare([service(modelStep("other"))]);
      expect(await world.ask("s", numbers("ROUNDS", 1))).toEqual({ VALUE: [20] });
      expect(await world.ask("plain", numbers("INDEX", 1))).toEqual({ VALUE: [20] });
      plane.setServices({ s: service(modelStep("other")) });
      change.commit();
    });
    expect(await world.ask("s", numbers("INDEX", 1))).toEqual({ VALUE: [20] });
    await new Promise(setImmediate);
    expect(old.isClosed).toBe(true);
    expect(models.names).toEqual(["other"]);
  });

  test("a change that is aborted or comes after the end keeps nothing", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    const versions = ["prep", "gather"].map((name) => world.models.model(name).latest);
    const { graphs } = world.plane;
    (await graphs.prepare([service(PREPARED)])).abort();
    const late = await graphs.prepare([service(PREPARED)]);
    graphs.close();
    late.commit();
    expect(graphs.find("s")).toBeUndefined();
    await world.models.close();
    expect(versions.map((version) => version?.isClosed)).toEqual([true, true]);
  });

  test("statistics of a graph go on when its service changes", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    await world.serve(service(PREPARED));
    await world.predict("s", numbers("ROUNDS", 1));
    await world.serve(service(PREPARED, { timeoutMs: 500 }));
    await world.predict("s", numbers("ROUNDS", 1, 2));
    expect(world.plane.graphs.find("s")?.statistics).toMatchObject({ inferenceCount: 3 });
  });

  test("a graph that lacks a model which is not required keeps nobody from being ready", async () => {
    const absent = { path: "absent.onnx", isRequired: false };
    const world = await createWorld({ models: { prep: ROUNDS, gather: absent } });
    await world.serve(service(PREPARED));
    const readiness = new Readiness(world.models, world.plane.graphs);
    expect(readiness.isReady).toBe(true);
    expect(readiness.ofService(world.plane.services.get("s"))).toMatchObject({ isReady: false });
    await world.load({ prep: { ...ROUNDS, path: "absent.onnx" }, gather: absent });
    expect(readiness.isReady).toBe(true); // the earlier prep serves
    await world.models.model("prep").unload();
    expect(readiness.isReady).toBe(false);
  });

  test("graphs are not ready before they are made the first time", async () => {
    const world = await createWorld({ models: { prep: ROUNDS, gather: GATHER } });
    const readiness = new Readiness(world.models, world.plane.graphs);
    const change = await world.plane.graphs.prepare([service(PREPARED)]);
    expect(readiness.isReady).toBe(false);
    change.commit();
    expect(readiness.isReady).toBe(true);
  });
});

describe("steps that adapters make", () => {
  const stepNamed = (name: string): TestStep =>
    new TestStep(name, { inputs: [NUMBER], outputs: [NUMBER] });

  test("what several services run is opened once, and closed when the last request on it has ended", async () => {
    const source = sourceOf(stepNamed("a"));
    let opened = 0;
    const world = await createWorld({
      models: {},
      sources: {
        function: () => {
          opened++;
          return Promise.resolve(source);
        },
      },
    });
    await world.serve(
      service(functionStep("a")),
      service(functionStep("a"), { name: "t", timeoutMs: 1000 }),
    );
    expect(opened).toBe(1);
    const graph = world.plane.graphs.find("s");
    graph?.hold();
    await world.serve();
    await new Promise(setImmediate);
    expect(source.isClosed).toBe(false);
    graph?.release();
    await new Promise(setImmediate);
    expect(source.isClosed).toBe(true);
  });

  test("what cannot be opened is tried again, ever more patiently, and serves when it can be", async () => {
    let tries = 0;
    const world = await createWorld({
      models: {},
      sources: {
        remote: () => {
          tries++;
          if (tries < 3) return Promise.reject(new Error("nobody answers at 127.0.0.1:1"));
          return Promise.resolve(sourceOf(stepNamed("far")));
        },
      },
    });
    const far = { kind: "remote", name: "far", at: ["x"], remote: {} } as unknown as StepConfig;
    await world.serve(service(far));
    expect(world.events).toEqual(["refused s: nobody answers at 127.0.0.1:1"]);
    expect(await world.ask("s", numbers("INDEX", 1))).toBe("MODEL_NOT_READY");
    for (const waitMs of [1000, 2000]) {
      world.clock.advanceMs(waitMs - 1);
      await new Promise(setImmediate);
      const before = tries;
      world.clock.advanceMs(1);
      await new Promise(setImmediate);
      expect(tries).toBe(before + 1);
    }
    expect(world.events.at(-1)).toBe("built s of s");
    expect(await world.ask("s", numbers("INDEX", 1))).toEqual({ INDEX: [1n] });
    expect(world.clock.timerCount).toBe(0);
  });

  test("a service keeps its graph while what it changed to cannot be opened", async () => {
    let isUp = true;
    const world = await createWorld({
      models: {},
      sources: {
        function: (name) =>
          isUp ? Promise.resolve(sourceOf(stepNamed(name))) : Promise.reject(new Error("down")),
      },
    });
    await world.serve(service(functionStep("a")));
    const first = world.plane.graphs.find("s");
    isUp = false;
    await world.serve(service(functionStep("b")));
    expect(world.plane.graphs.find("s")).toBe(first);
    expect(world.events.at(-1)).toBe("refused s, which serves: down");
    isUp = true;
    world.clock.advanceMs(1000);
    await vi.waitFor(() => expect(world.events.at(-1)).toBe("built s of s"));
    expect(world.plane.graphs.find("s")).not.toBe(first);
    expect(first?.isClosed).toBe(true);
    expect((await world.predict("s", numbers("INDEX", 1))).trace?.name).toBe("s");
  });

  test("the digest of a graph does not depend on what opens first", async () => {
    const digests: (string | undefined)[] = [];
    for (const slow of ["a", "b"]) {
      const world = await createWorld({
        models: {},
        sources: {
          function: async (name) => {
            if (name === slow) await new Promise(setImmediate);
            return sourceOf(stepNamed(name));
          },
        },
      });
      await world.serve(service(parallel([functionStep("a"), functionStep("b")])));
      digests.push(world.plane.graphs.find("s")?.digest);
    }
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[0]).toBe(digests[1]);
  });
});
