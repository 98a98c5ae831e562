import { afterEach, describe, expect, test } from "vitest";
import { modelConfig, modelsOptions } from "./model-parts.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import type { LimitsConfig, ServiceConfig } from "../../packages/millrace/src/config/config.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import type { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import type { Attributes } from "../../packages/millrace/src/core/rules/attributes.ts";
import type { Rule } from "../../packages/millrace/src/core/rules/rule-set.ts";
import { Metrics } from "../../packages/millrace/src/core/metrics/metrics.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import type { ModelVersion } from "../../packages/millrace/src/models/model-version.ts";
import { Models } from "../../packages/millrace/src/models/models.ts";
import type { DataPlane } from "../../packages/millrace/src/serve/data-plane.ts";
import {
  PRIORITY_DEFAULT,
  type Call,
  type Prediction,
} from "../../packages/millrace/src/serve/prediction.ts";
import { createPlane, modelStep, serviceConfig } from "./plane-parts.ts";

const NO_LIMITS: LimitsConfig = { concurrency: "off", queue: 1000, ratePerSecond: undefined };

const planes: DataPlane[] = [];
afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.models.close()));
});

function service(limits: Partial<LimitsConfig>, overrides: Partial<ServiceConfig> = {}) {
  return serviceConfig({
    graph: modelStep("gather"),
    limits: { ...NO_LIMITS, ...limits },
    ...overrides,
  });
}

interface World {
  readonly plane: DataPlane;
  readonly clock: TestClock;
  /** Asks the first service. @returns what it heard: `ok`, or code and reason of the error. */
  readonly ask: (index?: number, call?: Partial<Call>) => Promise<string>;
  readonly predict: (index?: number, call?: Partial<Call>) => Promise<Prediction>;
  readonly count: (name: string, labels: readonly string[]) => number;
}

/** A data plane over gather.onnx (0, 1, 2 give 10, 20, 30) and, as `other`, the same again. */
async function createWorld(services: readonly ServiceConfig[], processes = 1): Promise<World> {
  const clock = new TestClock();
  const models = new Models(modelsOptions(clock, () => undefined));
  const registry = new Metrics();
  const plane = createPlane({ models, clock, registry, processes });
  planes.push(plane);
  await models.apply({
    gather: modelConfig(fixtureModel("gather.onnx"), { name: "gather", sample: [0] }),
    other: modelConfig(fixtureModel("gather.onnx"), { name: "other", sample: [0] }),
    shaped: modelConfig(fixtureModel("add.onnx"), { name: "shaped" }),
  });
  plane.setServices(Object.fromEntries(services.map((each) => [each.name, each])));
  const predict = (index = 0, call: Partial<Call> = {}): Promise<Prediction> => {
    const data = BigInt64Array.of(BigInt(index));
    const inputs: Tensor[] = [{ name: "INDEX", datatype: "INT64", shape: [1], data }];
    return plane.infer(plane.target(services[0] as ServiceConfig), inputs, ["VALUE"], {
      predictionId: plane.newPredictionId(),
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      receivedMs: clock.nowMs(),
      priority: PRIORITY_DEFAULT,
      timeoutMs: undefined,
      cancellation: undefined,
      ...call,
    });
  };
  return {
    plane,
    clock,
    predict,
    ask: (index, call) =>
      predict(index, call).then(
        () => "ok",
        (error: unknown) => {
          const { code, reason } = error as MillraceError;
          return reason === undefined ? code : `${code} ${reason}`;
        },
      ),
    count: (name, labels) =>
      registry
        .snapshot()
        .filter((metric) => metric.name === name)
        .flatMap(({ series }) => series)
        .filter((series) => labels.every((label) => series.labels.includes(label)))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

describe("limits", () => {
  test("infer() refuses what exceeds the rate, with the reason and when to come again", async () => {
    const { ask, predict, clock, count } = await createWorld([service({ ratePerSecond: 2 })]);
    expect([await ask(), await ask(), await ask()]).toEqual(["ok", "ok", "OVERLOADED rate"]);
    await expect(predict()).rejects.toMatchObject({ retryAfterSeconds: 1 });
    expect(count("inference_rejected_total", ["rate"])).toBe(2);
    clock.advanceMs(500);
    expect([await ask(), await ask()]).toEqual(["ok", "OVERLOADED rate"]);
  });

  test("infer() refuses at once beyond a concurrency without a queue", async () => {
    const { ask } = await createWorld([service({ concurrency: 2, queue: 0 })]);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([
      "ok",
      "ok",
      "OVERLOADED concurrency",
    ]);
    expect(await ask()).toBe("ok");
  });

  test("infer() lets as many wait as the queue says, and refuses the next", async () => {
    const { ask, plane } = await createWorld([service({ concurrency: 1, queue: 2 })]);
    const answers = [ask(), ask(), ask(), ask()];
    const admission = plane.services.admissionOf("s");
    expect([admission?.inside, admission?.waiting]).toEqual([1, 2]);
    expect(await Promise.all(answers)).toEqual(["ok", "ok", "ok", "OVERLOADED queue"]);
    expect([admission?.inside, admission?.waiting]).toEqual([0, 0]);
  });

  test("infer() frees the place of a request that failed, was cancelled or came too late", async () => {
    const { ask, plane, clock } = await createWorld([service({ concurrency: 1, queue: 9 })]);
    const gone = new Cancellation();
    const answers = [ask(99), ask(0, { cancellation: gone }), ask(0, { timeoutMs: 5 }), ask(1)];
    gone.cancel(new Error("gone"));
    clock.advanceMs(6);
    expect(await Promise.all(answers)).toEqual([
      "MODEL_FAILED",
      undefined,
      "DEADLINE_EXCEEDED",
      "ok",
    ]);
    expect(plane.services.admissionOf("s")?.inside).toBe(0);
    expect(gone.watcherCount).toBe(0);
  });

  test("infer() keeps to this process's part of the limits", async () => {
    const world = await createWorld([service({ concurrency: 4, queue: 3 })], 3);
    const { plane } = world;
    expect(plane.services.admissionOf("s")?.effectiveLimits).toEqual({
      concurrency: 2,
      queue: 1,
    });
  });

  test("setServices() changes limits live: who is inside or waits stays", async () => {
    const { ask, plane } = await createWorld([service({ concurrency: 1, queue: 3 })]);
    const answers = [ask(), ask(), ask()];
    plane.setServices({ s: service({ concurrency: 1, queue: 0 }) });
    answers.push(ask());
    plane.setServices({ s: service({ concurrency: 3, queue: 0 }) });
    expect(plane.services.admissionOf("s")?.inside).toBe(3);
    expect(await Promise.all(answers)).toEqual(["ok", "ok", "ok", "OVERLOADED concurrency"]);
  });
});

describe("services that go", () => {
  test("setServices() forgets a removed service, and what it had let in is answered", async () => {
    const { ask, plane } = await createWorld([service({ concurrency: 1, queue: 3 })]);
    const answers = [ask(), ask()];
    const removed = plane.services.get("s");
    plane.setServices({});
    expect(plane.services.admissionOf(removed.name)).toBeUndefined();
    expect(() => plane.services.get("s")).toThrow("is not found, there is none");
    expect(await Promise.all(answers)).toEqual(["ok", "ok"]);
  });

  test("infer() serves a request whose service was removed while its body was read", async () => {
    const { predict, plane } = await createWorld([service({ concurrency: 1 })]);
    plane.setServices({});
    expect((await predict(2)).outputs[0]?.data[0]).toBe(30);
  });
});

describe("labels", () => {
  test("target() counts an unknown version without its number, whatever state the model is in", async () => {
    const { plane, count } = await createWorld([service({})]);
    const { models } = plane;
    expect(() => plane.target(plane.services.get("s"), { version: 77 })).toThrow(
      "has no version 77",
    );
    await models.model("gather").unload();
    expect(() => plane.target(plane.services.get("s"), { version: 77 })).toThrow("is not ready");
    expect(count("inference_requests_total", ["77"])).toBe(0);
    expect(count("inference_requests_total", ["MODEL_NOT_READY"])).toBe(1);
  });
});

describe("overload: fallback", () => {
  const withFallback = (model: string): ServiceConfig =>
    service({ concurrency: 1, queue: 0 }, { overload: { kind: "fallback", model } });

  test("infer() answers with the other model what the limits refuse", async () => {
    const { predict, count } = await createWorld([withFallback("other")]);
    const [own, other] = await Promise.all([predict(1), predict(2)]);
    expect([own?.predictor.id, own?.degraded]).toEqual(["gather@1", undefined]);
    expect([other?.predictor.id, other?.degraded]).toEqual(["other@1", "fallback"]);
    expect(other?.outputs[0]?.data[0]).toBe(30);
    expect(count("inference_rejected_total", ["concurrency"])).toBe(1);
    expect(count("inference_requests_total", ["other", "fallback", "ok"])).toBe(1);
  });

  test.each([
    ["does not fit the request", "shaped"],
    ["is not there", "missing"],
  ])("infer() refuses as without one when the other model %s", async (_, model) => {
    const { ask } = await createWorld([withFallback(model)]);
    expect(await Promise.all([ask(), ask()])).toEqual(["ok", "OVERLOADED concurrency"]);
  });

  test("infer() does not hide with it that a request is wrong or late", async () => {
    const { ask, clock } = await createWorld([withFallback("other")]);
    const late = ask(0, { receivedMs: clock.nowMs() - 3_000 });
    expect(await late).toBe("DEADLINE_EXCEEDED");
    expect(await ask(99)).toBe("MODEL_FAILED");
  });
});

test("dropAll() answers those who wait for a place as well as those inside", async () => {
  const { ask, plane } = await createWorld([service({ concurrency: 1, queue: 9 })]);
  const answers = [ask(), ask(), ask()];
  plane.models.dropAll();
  expect(await Promise.all(answers)).toEqual(Array(3).fill("OVERLOADED shutdown"));
});

describe("rules", () => {
  const rule = (name: string, country: string, to: string): Rule => ({
    name,
    when: { kind: "header", name: "x-country", test: { kind: "equals", value: country } },
    to,
  });
  const attributes = (country: string | undefined): Attributes => ({
    method: "POST",
    path: "/predict",
    caller: undefined,
    unit: "u",
    header: (name) => (name === "x-country" ? country : undefined),
    query: () => undefined,
    cookie: () => undefined,
    body: () => undefined,
  });

  test("target() takes the model of the first rule that matches, and counts it", async () => {
    const rules = [rule("german", "DE", "other"), rule("again", "DE", "shaped")];
    const { plane, count } = await createWorld([service({}, { rules })]);
    const target = (country: string | undefined) => {
      const found = plane.target(plane.services.get("s"), { attributes: attributes(country) });
      return [found.predictor.id, found.rule];
    };
    expect(target("DE")).toEqual(["other@1", "german"]);
    expect(target("FR")).toEqual(["gather@1", undefined]);
    expect(target(undefined)).toEqual(["gather@1", undefined]);
    expect(count("inference_routed_total", ["s", "german"])).toBe(1);
    expect(count("inference_routed_total", ["s", "default"])).toBe(2);
  });

  test("infer() answers with the model of the rule when its version was freed meanwhile", async () => {
    const rules = [rule("german", "DE", "other")];
    const { plane, clock, count } = await createWorld([service({}, { rules })]);
    const target = plane.target(plane.services.get("s"), { attributes: attributes("DE") });
    await (target.predictor as ModelVersion).drain();
    const inputs: Tensor[] = [
      { name: "INDEX", datatype: "INT64", shape: [1], data: BigInt64Array.of(0n) },
    ];
    const call = {
      predictionId: "p",
      receivedMs: clock.nowMs(),
      priority: PRIORITY_DEFAULT,
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      timeoutMs: undefined,
      cancellation: undefined,
    };
    // Nothing has taken its place here: the error is of that model, and not of the service's own.
    await expect(plane.infer(target, inputs, ["VALUE"], call)).rejects.toMatchObject({
      code: expect.stringMatching("^(OVERLOADED|MODEL_NOT_READY|MODEL_FAILED)$") as string,
    });
    expect(count("inference_requests_total", ["s", "other"])).toBe(1);
    expect(count("inference_requests_total", ["s", "gather"])).toBe(0);
  });

  test("target() asks no rule without attributes", async () => {
    const { plane, count } = await createWorld([
      service({}, { rules: [rule("german", "DE", "other")] }),
    ]);
    expect(plane.target(plane.services.get("s"), { version: 1 }).predictor.id).toBe("gather@1");
    expect(count("inference_routed_total", ["s"])).toBe(0);
  });
});
