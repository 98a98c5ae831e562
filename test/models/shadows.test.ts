import { afterEach, describe, expect, test } from "vitest";
import type { ServiceConfig, ServiceLogConfig } from "../../packages/millrace/src/config/config.ts";
import type { ShadowConfig } from "../../packages/millrace/src/config/shadow-config.ts";
import type { PredictionRow } from "../../packages/millrace/src/core/predictions/prediction-row.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { explainRecord } from "../../packages/millrace/src/serve/explain-record.ts";
import type { Call } from "../../packages/millrace/src/serve/prediction.ts";
import { COPY_BYTES_MAX } from "../../packages/millrace/src/serve/shadows/shadow-copies.ts";
import { numbers, rows as rowsTensor } from "./graph-world.ts";
import { openLogWorld, type LogWorld } from "./log-world.ts";
import { modelStep, serviceConfig } from "./plane-parts.ts";

const LABELS = ["setosa", "versicolor", "virginica"];
const modelFile = (name: string): string =>
  new URL(`../../examples/models/${name}`, import.meta.url).pathname;
const MODELS = {
  iris: { path: modelFile("iris_svc.onnx"), sample: [[5.1, 3.5, 1.4, 0.2]], labels: LABELS },
  rf: { path: modelFile("iris_rf.onnx"), sample: [[5.1, 3.5, 1.4, 0.2]], labels: LABELS },
  gather: { path: "gather.onnx", sample: [0] },
  rounds: { path: "rounds.onnx", sample: [0] },
  identity: { path: "identity-fp32.onnx", sample: [[1, 2]] },
};
const FLOWER = [5.1, 3.5, 1.4, 0.2];
const OTHER = [6, 2.9, 4.5, 1.5];

const open: LogWorld[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ world }) => world.close()));
});

function shadow(to: string, overrides: Partial<ShadowConfig> = {}): ShadowConfig {
  return {
    name: to,
    to,
    share: 1,
    compare: { kind: "auto" },
    timeoutMs: undefined,
    concurrency: 32,
    queue: 256,
    isExcluded: false,
    verdict: {
      agreementMin: 0.99,
      errorDifferenceMax: 0.005,
      latencyRatioMax: 1.2,
      pairsMin: 1000,
      lengthMinMs: 600_000,
      everyMs: 10_000,
      excludes: true,
    },
    ...overrides,
  };
}

type Overrides = Partial<Omit<ServiceConfig, "log">> & { readonly log?: Partial<ServiceLogConfig> };

function service(
  model: keyof typeof MODELS,
  shadows: readonly ShadowConfig[],
  { log, ...overrides }: Overrides = {},
): ServiceConfig {
  const config = serviceConfig({ graph: modelStep(model), shadows, ...overrides });
  return { ...config, log: { ...config.log, ...log } };
}

/** A service `s` on a model, with its shadows. */
async function serve(
  model: keyof typeof MODELS,
  shadows: readonly ShadowConfig[],
  overrides: Overrides = {},
): Promise<LogWorld> {
  const made = await openLogWorld(MODELS);
  open.push(made);
  await made.world.serve(service(model, shadows, overrides));
  return made;
}

/** Predicts, and waits until the copies are through. @returns the rows of the log. */
async function ask(
  { world, rows }: LogWorld,
  inputs: readonly Tensor[],
  call: Partial<Call> = {},
): Promise<PredictionRow[]> {
  await world.ask("s", inputs, call);
  await copiesEnded(world.clock);
  return rows();
}

/** They wait 20 ms for company first. */
async function copiesEnded(clock: TestClock): Promise<void> {
  clock.advanceMs(20);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

const flowers = (...values: (readonly number[])[]): Tensor[] =>
  rowsTensor("float_input", ...values);

const pairs = ({ world }: LogWorld, ...labels: string[]): number =>
  world.count("shadow_pairs_total", labels);

const skipped = ({ world }: LogWorld, ...labels: string[]): number =>
  world.count("shadow_skipped_total", labels);

describe("a shadow", () => {
  test("predicts the same as what answers, after it, under the same id", async () => {
    const made = await serve("iris", [shadow("rf")]);
    const rows = await ask(made, flowers(FLOWER), { requestId: "r-1" });
    const [answer, copy] = rows;
    expect(rows).toHaveLength(2);
    expect(answer).toMatchObject({ role: "primary", model: "iris", shadow: null, is_agreed: null });
    expect(copy).toMatchObject({
      role: "shadow",
      shadow: "rf",
      service: "s",
      model: "rf",
      version: "1",
      request_id: "r-1",
      label: "setosa",
      status: "ok",
      is_agreed: true,
      difference: null,
      primary_model: "iris@1",
      primary_code: "ok",
    });
    expect(copy?.prediction_id).toBe(answer?.prediction_id);
    expect(copy?.ts).toBe(answer?.ts);
    expect([pairs(made, "agreed"), pairs(made)]).toEqual([1, 1]);
    const ofShadow = made.world.count("inference_requests_total", ["s", "rf", "shadow", "ok"]);
    expect(ofShadow).toBe(1);
    expect(made.world.count("inference_requests_total", ["s", "primary"])).toBe(1);
  });

  test("has series of every result and every reason before the first request", async () => {
    const { world } = await serve("iris", [shadow("rf")]);
    expect(world.count("shadow_pairs_total", ["rf"])).toBe(0);
    const names = world.series("shadow_pairs_total");
    expect(names.map((labels) => labels[2])).toEqual([
      "agreed",
      "disagreed",
      "shadow_error",
      "primary_error",
      "both_error",
    ]);
    expect(world.series("shadow_skipped_total")).toHaveLength(6);
  });

  test("disagrees when one row of the request does, and then has the inputs in its row", async () => {
    const compare = { kind: "equal" } as const;
    const made = await serve("iris", [shadow("rf", { compare }), shadow("iris", { compare })]);
    const rows = await ask(made, flowers(FLOWER, OTHER));
    const ofRf = rows.filter(({ shadow: name }) => name === "rf");
    expect(ofRf.map(({ is_agreed, row_index }) => [is_agreed, row_index])).toEqual([
      [false, 0],
      [false, 1],
    ]);
    expect(ofRf[1]?.features).toBe('{"float_input":[6,2.9,4.5,1.5]}');
    expect(ofRf[0]?.difference).toMatch(/^\[0\]: found [\d.e-]+, expected 0\.96691585$/);
    const itself = rows.filter(({ shadow: name }) => name === "iris");
    expect(itself.map(({ is_agreed, distance }) => [is_agreed, distance])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect([pairs(made, "rf", "disagreed"), pairs(made, "iris", "agreed")]).toEqual([1, 1]);
  });

  test("is compared by name where something else than the prediction was asked for", async () => {
    const made = await serve("iris", [shadow("iris"), shadow("rf")]);
    const { plane } = made.world;
    const target = plane.target(plane.services.get("s"));
    const label = target.predictor.outputNames.find((name) => name.includes("label")) ?? "";
    await plane.infer(target, flowers(FLOWER), [label], {
      predictionId: plane.newPredictionId(),
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      receivedMs: 0,
      priority: 2,
      timeoutMs: undefined,
      cancellation: undefined,
    });
    await copiesEnded(made.world.clock);
    expect(pairs(made, "agreed")).toBe(2);
    const shadows = made.rows().filter(({ role }) => role === "shadow");
    expect(shadows.map(({ prediction }) => prediction)).toEqual([
      `{"${label}":0}`,
      `{"${label}":0}`,
    ]);
  });

  test("that takes other inputs is an error of the shadow, told once", async () => {
    const made = await serve("iris", [shadow("gather")]);
    await ask(made, flowers(FLOWER));
    const rows = await ask(made, flowers(FLOWER));
    expect(pairs(made, "shadow_error")).toBe(2);
    expect(made.world.events).toEqual(["unfit s gather gather@1"]);
    expect(rows[1]).toMatchObject({ role: "shadow", error_code: "INVALID_TENSOR" });
    expect(rows[1]?.error).toContain("found FP32, expected INT64");
  });

  test("gets what fails too, and an error of both is none of the shadow alone", async () => {
    const made = await serve("gather", [shadow("gather"), shadow("rounds")]);
    const rows = await ask(made, numbers("INDEX", 99));
    expect(rows[0]).toMatchObject({ role: "primary", error_code: "MODEL_FAILED" });
    expect([pairs(made, "gather", "both_error"), pairs(made, "rounds", "primary_error")]).toEqual([
      1, 1,
    ]);
    expect(rows.find(({ shadow: name }) => name === "rounds")).toMatchObject({
      status: "ok",
      is_agreed: null,
      primary_code: "MODEL_FAILED",
    });
  });

  test("gets its share of the requests, by their ids and by its own name", async () => {
    const made = await serve("iris", [
      shadow("rf", { share: 0.5 }),
      shadow("rf", { name: "twin", share: 0.5 }),
    ]);
    for (let i = 0; i < 200; i++) await ask(made, flowers(FLOWER));
    const [own, twin] = [pairs(made, "rf"), pairs(made, "twin")];
    for (const count of [own, twin]) {
      expect(count).toBeGreaterThan(60);
      expect(count).toBeLessThan(140);
    }
    expect(skipped(made)).toBe(0);
  });

  test("gets nothing of what a cache answers, what is refused and what was given up", async () => {
    const cache = {
      prediction: {
        ttlMs: 60_000,
        entriesMax: 10,
        bytesMax: 1e6,
        lookup: "before",
        warmUp: [],
      },
      data: undefined,
    } as const;
    const limits = { concurrency: 1, queue: 0, ratePerSecond: undefined };
    const made = await serve("iris", [shadow("rf")], { cache, limits });
    const [, refused] = await Promise.all([
      made.world.ask("s", flowers(FLOWER)),
      made.world.ask("s", flowers(OTHER)),
    ]);
    expect(refused).toBe("OVERLOADED");
    await made.world.ask("s", flowers(FLOWER));
    await copiesEnded(made.world.clock);
    expect(pairs(made)).toBe(1);
    const roles = made.rows().map(({ role, error_code }) => error_code ?? role);
    expect(roles.toSorted()).toEqual(["OVERLOADED", "cache", "primary", "shadow"]);
  });

  test("leaves the memory of the inputs where it is until it has them too", async () => {
    const big = (): Tensor[] =>
      rowsTensor(
        "INPUT",
        Array.from({ length: 300_000 }, (_, i) => i),
      );
    const made = await serve("identity", [shadow("identity", { compare: { kind: "equal" } })]);
    const { predictor } = made.world.plane.target(made.world.plane.services.get("s"));
    const inputs = big().map((one) => ({ ...one, name: predictor.inputs[0]?.name ?? "" }));
    await ask(made, inputs, { isInputOwned: true });
    expect(pairs(made, "agreed")).toBe(1);
  });

  test("gets no copy of what is too large", async () => {
    const made = await serve("identity", [shadow("identity")]);
    const { predictor } = made.world.plane.target(made.world.plane.services.get("s"));
    const data = new Float32Array(COPY_BYTES_MAX / 8 + 1);
    const name = predictor.inputs[0]?.name ?? "";
    await ask(made, [{ name, datatype: "FP32", shape: [1, data.length], data }]);
    expect([pairs(made), skipped(made, "body")]).toEqual([0, 1]);
  });

  test("that is excluded gets nothing, and begins anew when it is included", async () => {
    const made = await serve("iris", [shadow("rf", { isExcluded: true })]);
    await ask(made, flowers(FLOWER));
    expect([pairs(made), skipped(made, "excluded")]).toEqual([0, 1]);
    await made.world.serve(service("iris", [shadow("rf")]));
    await ask(made, flowers(FLOWER));
    expect([pairs(made), skipped(made)]).toEqual([1, 1]);
    await made.world.serve(service("iris", [shadow("rf", { isExcluded: true })]));
    await ask(made, flowers(FLOWER));
    expect([pairs(made), skipped(made, "excluded")]).toEqual([1, 2]);
  });

  test("whose model is not there gets nothing, and neither does one of a process that ends", async () => {
    const made = await serve("iris", [shadow("rf"), shadow("absent")]);
    await ask(made, flowers(FLOWER));
    expect([pairs(made, "absent"), skipped(made, "absent", "inactive")]).toEqual([0, 1]);
    made.world.plane.shadows?.close();
    expect(await made.world.ask("s", flowers(FLOWER))).not.toBe("INTERNAL");
    await copiesEnded(made.world.clock);
    expect([pairs(made, "rf"), skipped(made, "rf", "inactive")]).toEqual([1, 1]);
  });

  test("is logged as often as what answers, but always when it differs", async () => {
    const equal = { kind: "equal" } as const;
    const made = await serve(
      "iris",
      [shadow("rf"), shadow("rf", { name: "picky", compare: equal })],
      {
        log: { sample: 0.25 },
      },
    );
    const rows: PredictionRow[] = [];
    for (let i = 0; i < 80; i++) rows.push(...(await ask(made, flowers(FLOWER))));
    const of = (name: string | null): PredictionRow[] =>
      rows.filter(({ shadow: own }) => own === name);
    const ids = (some: readonly PredictionRow[]): string[] => some.map((row) => row.prediction_id);
    expect(of("rf").length).toBeLessThan(50);
    expect(of("rf").every(({ sampled_weight }) => sampled_weight === 4)).toBe(true);
    const plain = of(null).filter(({ sampled_weight }) => sampled_weight === 4);
    expect(ids(of("rf"))).toEqual(ids(plain));
    expect(of("picky").map(({ sampled_weight }) => sampled_weight)).toEqual(Array(80).fill(1));
  });

  test("is told by explain", async () => {
    const made = await serve("iris", [shadow("rf"), shadow("gather")]);
    const [row] = await ask(made, flowers(FLOWER));
    const { recent, shadows } = made.world.plane;
    const record = recent.find(row?.prediction_id ?? "");
    const explained = record && explainRecord(record, shadows?.recent.find(record.id));
    expect(explained?.model).toBe("iris@1");
    expect(explained?.shadows).toMatchObject([
      { name: "gather", model: "gather@1", status: "INVALID_TENSOR" },
      { name: "rf", model: "rf@1", status: "ok", agreed: true },
    ]);
  });
});
