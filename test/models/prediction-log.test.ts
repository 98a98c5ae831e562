import { afterEach, describe, expect, test } from "vitest";
import type {
  ParametersConfig,
  PredictionLogConfig,
  ServiceConfig,
  ServiceLogConfig,
} from "../../packages/millrace/src/config/config.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { attributesOf } from "../../packages/millrace/src/core/rules/test-attributes.ts";
import { PAYLOAD_BYTES_MAX } from "../../packages/millrace/src/serve/prediction-log/outcome-record.ts";
import { hashOf, LOG_WORLD_RECORDS_MAX, openLogWorld, type LogWorld } from "./log-world.ts";
import { numbers, parallel, rows as rowsTensor } from "./graph-world.ts";
import { modelStep, serviceConfig } from "./plane-parts.ts";

const IRIS = {
  path: new URL("../../examples/models/iris_svc.onnx", import.meta.url).pathname,
  sample: [[5.1, 3.5, 1.4, 0.2]],
  labels: ["setosa", "versicolor", "virginica"],
  inputs: {
    float_input: {
      names: ["sepal_length", "sepal_width", "petal_length", "petal_width"],
      unit: undefined,
      range: undefined,
    },
  },
};
const GATHER = { path: "gather.onnx", sample: [0] };
const CACHE = {
  prediction: { ttlMs: 60_000, entriesMax: 10, bytesMax: 1e6, lookup: "before", warmUp: [] },
  data: undefined,
} as const;
const FLOWER = [5.1, 3.5, 1.4, 0.2];
const OTHER = [6, 2.9, 4.5, 1.5];

const open: LogWorld[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ world }) => world.close()));
});

/** A service `s` on a model. */
async function serve(
  model: "iris" | "gather",
  log: Partial<ServiceLogConfig> = {},
  {
    service = {},
    config = {},
  }: { service?: Partial<ServiceConfig>; config?: Partial<PredictionLogConfig> } = {},
): Promise<LogWorld> {
  const made = await openLogWorld({ iris: IRIS, gather: GATHER }, config);
  open.push(made);
  await made.world.serve(withLog(log, { graph: modelStep(model), ...service }));
  return made;
}

function withLog(
  log: Partial<ServiceLogConfig>,
  overrides: Partial<Omit<ServiceConfig, "parameters">> & {
    readonly graph: ServiceConfig["graph"];
    readonly parameters?: Partial<ParametersConfig>;
  },
): ServiceConfig {
  const plain = serviceConfig({ graph: overrides.graph });
  const parameters = { ...plain.parameters, ...overrides.parameters };
  return { ...plain, ...overrides, parameters, log: { ...plain.log, ...log } };
}

function flowers({ world }: LogWorld, ...values: (readonly number[])[]) {
  const [input] = world.models.model("iris").latest?.inputs ?? [];
  return rowsTensor(input?.name ?? "", ...values);
}

describe("infer()", () => {
  test("logs a row with what was asked and answered", async () => {
    const made = await serve("iris");
    await made.world.predict("s", flowers(made, FLOWER), {
      requestId: "r-1",
      endpoint: "/predict",
    });
    const [row, ...more] = made.rows();
    expect(more).toEqual([]);
    const version = made.world.models.model("iris").latest;
    expect(row).toMatchObject({
      request_id: "r-1",
      service: "s",
      endpoint: "/predict",
      model: "iris",
      version: "1",
      model_digest: version?.digest,
      models: null,
      role: "primary",
      status: "ok",
      row_index: 0,
      row_count: 1,
      features: '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}',
      label: "setosa",
      payload: "full",
      sampled_weight: 1,
      policy: null,
      unit_hash: null,
    });
    expect(JSON.parse(row?.prediction ?? "")).toHaveLength(3);
    expect(row?.score).toBeGreaterThan(0.9);
    expect(row?.input_schema_ver).toMatch(/^[0-9a-f]{8}$/);
    expect(made.world.count("predlog_rows_total", ["s"])).toBe(1);
  });

  test("logs a row for each row of a request", async () => {
    const made = await serve("iris");
    const { id } = await made.world.predict("s", flowers(made, FLOWER, OTHER));
    expect(made.rows().map((row) => [row.prediction_id, row.label])).toEqual([
      [`${id}#0`, "setosa"],
      [`${id}#1`, "versicolor"],
    ]);
    expect(made.world.count("predlog_rows_total", ["s"])).toBe(2);
  });

  test("logs predictions of one context with the same context", async () => {
    const made = await serve("iris");
    for (let i = 0; i < 3; i++) await made.world.predict("s", flowers(made, FLOWER));
    await made.world.predict("s", flowers(made, FLOWER), { endpoint: "other" });
    const contexts = made.records().map(({ context }) => context);
    expect(new Set(contexts).size).toBe(2);
    expect(contexts.map(({ endpoint }) => endpoint)).toEqual(["test", "test", "test", "other"]);
  });

  test("logs what failed, with its inputs and why", async () => {
    const made = await serve("gather");
    expect(await made.world.ask("s", numbers("INDEX", 7))).toBe("MODEL_FAILED");
    const [row] = made.rows();
    expect(row).toMatchObject({
      status: "error",
      error_code: "MODEL_FAILED",
      features: '{"INDEX":7}',
      prediction: null,
      label: null,
    });
    expect(row?.error).toBe("Cannot run the model: it failed on these inputs");
  });

  test("logs nothing of a service with payload off, nor of a warm-up", async () => {
    const made = await serve("iris", { payload: "off" });
    await made.world.predict("s", flowers(made, FLOWER));
    await made.world.serve(withLog({}, { graph: modelStep("iris") }));
    await made.world.predict("s", flowers(made, FLOWER), { endpoint: "warm-up" });
    expect(made.rows()).toEqual([]);
  });

  test("logs labels and scores, and neither inputs nor prediction, for payload metadata", async () => {
    const made = await serve("iris", { payload: "metadata" });
    await made.world.predict("s", flowers(made, FLOWER, OTHER));
    const found = made.rows();
    expect(found).toMatchObject([
      { payload: "off", features: null, prediction: null, label: "setosa" },
      { payload: "off", features: null, prediction: null, label: "versicolor" },
    ]);
    expect(found[0]?.score).toBeGreaterThan(0.9);
  });

  test("logs a payload that is too large without it, and still its labels", async () => {
    const made = await serve("iris");
    const count = Math.ceil(PAYLOAD_BYTES_MAX / 16) + 1;
    await made.world.predict("s", flowers(made, ...new Array<number[]>(count).fill(FLOWER)));
    expect(made.rows()).toMatchObject([{ payload: "too_large", row_count: count, features: null }]);
    expect(made.world.count("predlog_payloads_dropped_total", ["too_large"])).toBe(1);
  });

  test("logs inputs whose memory the request gave away", async () => {
    const made = await serve("iris");
    const input = flowers(made, ...new Array<number[]>(2_000).fill(FLOWER));
    await made.world.predict("s", input, { isInputOwned: true });
    expect(input[0]?.data).toHaveLength(8_000);
    expect(made.records()).toMatchObject([{ payload: "full", rowCount: 2_000 }]);
    const large = flowers(made, ...new Array<number[]>(20_000).fill(FLOWER));
    await made.world.predict("s", large, { isInputOwned: true });
    expect(large[0]?.data).toHaveLength(0);
    expect(made.records()).toMatchObject([{ payload: "too_large", rowCount: 20_000 }]);
  });

  test("logs a graph with its steps, its models and its branches", async () => {
    const made = await serve("iris");
    const graph = parallel([modelStep("gather", "a"), modelStep("gather", "b")], {
      combine: "each",
    });
    await made.world.serve(withLog({}, { name: "g", graph }));
    await made.world.predict("g", numbers("INDEX", 1));
    const [row] = made.rows();
    expect(row).toMatchObject({
      model: "g",
      version: "1",
      models: "gather@1",
      features: '{"INDEX":1}',
      prediction: '{"a":20,"b":20}',
      model_digest: made.world.plane.graphs.find("g")?.digest,
    });
    expect(JSON.parse(row?.steps ?? "")).toMatchObject({ steps: [{ name: "a" }, { name: "b" }] });
  });

  test("logs an answer of the cache as one", async () => {
    const made = await serve("iris", {}, { service: { cache: CACHE } });
    for (let i = 0; i < 2; i++) await made.world.predict("s", flowers(made, FLOWER));
    expect(made.rows().map(({ role, cache: found, label }) => [role, found, label])).toEqual([
      ["primary", "miss", "setosa"],
      ["cache", "hit", "setosa"],
    ]);
  });

  test("logs what stood in as a fallback, with the model that was to answer", async () => {
    const made = await openLogWorld({ iris: IRIS, gather: GATHER, spare: IRIS });
    open.push(made);
    const parameters = { isActive: false, deactivated: { fallback: "spare" } } as const;
    const spare = withLog({}, { name: "spare", graph: modelStep("spare"), isDefault: false });
    await made.world.serve(withLog({}, { graph: modelStep("iris"), parameters }), spare);
    await made.world.predict("s", flowers(made, FLOWER));
    expect(made.rows()).toMatchObject([
      { model: "iris", models: "spare@1", role: "fallback", degraded: "fallback", label: "setosa" },
    ]);
  });

  test("logs what a rule decided, and why", async () => {
    const when = {
      kind: "header",
      name: "x-region",
      test: { kind: "equals", value: "eu" },
    } as const;
    const rules = [{ name: "eu", to: "iris", when }];
    const made = await serve("iris", {}, { service: { rules } });
    const attributes = attributesOf({ headers: { "x-region": "eu" } });
    await made.world.predict("s", flowers(made, FLOWER), { attributes });
    const [row] = made.rows();
    expect(row?.route_rule).toBe("eu");
    expect(JSON.parse(row?.rules ?? "")).toMatchObject([{ name: "eu", to: "iris", isMatch: true }]);
  });
});

describe("log.unit and log.attributes", () => {
  const log: Partial<ServiceLogConfig> = {
    unit: { from: "body", path: ["customer", "id"] },
    attributes: {
      region: { from: "header", name: "x-region" },
      page: { from: "query", name: "page" },
    },
  };

  test("are read of the request, the unit as a keyed hash", async () => {
    const made = await serve("iris", log, { config: { redact: { page: { kind: "mask" } } } });
    const attributes = attributesOf({
      headers: { "x-region": "eu" },
      query: "page=2",
      body: { customer: { id: 12 } },
    });
    await made.world.predict("s", flowers(made, FLOWER), { attributes });
    expect(made.rows()).toMatchObject([
      { unit_hash: hashOf("12"), attributes: '{"region":"eu","page":"***"}' },
    ]);
    expect(made.log.unitHash("12")).toBe(hashOf("12"));
  });

  test("make the front ends keep what they look at", async () => {
    const made = await serve("iris", log);
    const { plane } = made.world;
    expect([plane.readsOf(plane.services.get("s")), plane.needsHead("s")]).toEqual(["body", true]);
    await made.world.serve(withLog({ ...log, unit: undefined }, { graph: modelStep("iris") }));
    expect(plane.readsOf(plane.services.get("s"))).toBe("head");
    await made.world.serve(withLog({}, { graph: modelStep("iris") }));
    expect(plane.readsOf(plane.services.get("s"))).toBe("nothing");
  });
});

describe("privacy", () => {
  test("leaves out and changes columns before anything is kept", async () => {
    const fields = ["sepal_length", "sepal_width", "petal_width"];
    const redact = {
      sepal_length: { kind: "bucket", by: 1 },
      petal_width: { kind: "hmac" },
    } as const;
    const made = await serve("iris", { fields }, { config: { redact } });
    await made.world.predict("s", flowers(made, FLOWER));
    const [row] = made.rows();
    expect(JSON.parse(row?.features ?? "")).toEqual({
      sepal_width: 3.5,
      sepal_length: 5,
      petal_width: hashOf("0.2"),
    });
    expect(row?.policy).toMatch(/^[0-9a-f]{8}$/);
  });

  test("logs the rest of what is too large where that is left out", async () => {
    const made = await serve("iris", { fields: ["none"] });
    const large = flowers(made, ...new Array<number[]>(20_000).fill(FLOWER));
    await made.world.predict("s", large, { isInputOwned: true });
    expect(made.records()).toMatchObject([{ payload: "full", inputs: [], rowCount: 20_000 }]);
    await made.world.predict("s", flowers(made, FLOWER));
    expect(made.rows()).toMatchObject([{ payload: "full", features: "{}" }]);
  });

  test("leaves out inputs of which too much would have to be hashed", async () => {
    const redact = { petal_width: { kind: "hmac" } } as const;
    const made = await serve("iris", {}, { config: { redact } });
    await made.world.predict("s", flowers(made, ...new Array<number[]>(1_025).fill(FLOWER)));
    expect(made.records()).toMatchObject([{ payload: "too_large" }]);
  });

  test("holds for columns of an input whose names are not all different", async () => {
    const names = ["width", "width", "age", "email"];
    const inputs = { float_input: { ...IRIS.inputs.float_input, names } };
    const redact = { email: { kind: "drop" }, age: { kind: "mask" } } as const;
    const made = await openLogWorld({ iris: { ...IRIS, inputs } }, { redact });
    open.push(made);
    await made.world.serve(withLog({}, { graph: modelStep("iris") }));
    await made.world.predict("s", flowers(made, FLOWER));
    expect(made.rows()).toMatchObject([{ features: '{"float_input":[5.1,3.5],"age":"***"}' }]);
  });

  test("holds for what is answered by a graph or a model that has been replaced meanwhile", async () => {
    const made = await serve("iris", {}, { service: { graph: parallel([modelStep("iris")]) } });
    const { plane, models } = made.world;
    const [graph] = plane.predictorsOf(plane.services.get("s"));
    const version = models.model("iris").latest;
    await made.world.serve(withLog({}, { graph: modelStep("gather") }));
    await made.world.load({ gather: GATHER });
    for (const predictor of [graph, version]) {
      const known = predictor?.inputConfig("float_input");
      expect(known?.names).toEqual(IRIS.inputs.float_input.names);
    }
  });

  test("keeps out of a row what an error says of the values", async () => {
    const redact = { INDEX: { kind: "drop" } } as const;
    const plain = await serve("gather");
    const redacted = await serve("gather", {}, { config: { redact } });
    const bare = await serve("gather", { payload: "metadata" });
    for (const { world } of [plain, redacted, bare]) await world.ask("s", numbers("INDEX", 77));
    expect(plain.rows()[0]?.error).toMatch(/^Cannot run the model: ./);
    expect(redacted.rows()).toMatchObject([{ error_code: "MODEL_FAILED", error: null }]);
    expect(bare.rows()).toMatchObject([{ error_code: "MODEL_FAILED", error: null }]);
  });

  test("follows a file that is loaded again", async () => {
    const made = await serve("iris");
    await made.world.predict("s", flowers(made, FLOWER));
    const redact = { petal_width: { kind: "drop" } } as const;
    made.log.configure({ whenFull: "drop", redact } as unknown as PredictionLogConfig);
    await made.world.predict("s", flowers(made, FLOWER));
    const [before, after] = made.rows();
    expect([before?.policy, before?.features?.includes("petal_width")]).toEqual([null, true]);
    expect([after?.policy?.length, after?.features?.includes("petal_width")]).toEqual([8, false]);
  });
});

describe("log.sample", () => {
  test("keeps a share of plain predictions with their weight, and all that failed", async () => {
    const made = await serve("gather", { sample: 0.2 });
    for (let i = 0; i < 400; i++) await made.world.ask("s", numbers("INDEX", i % 10 === 0 ? 9 : 1));
    const kept = made.rows();
    const failed = kept.filter(({ status }) => status === "error");
    const plain = kept.filter(({ status }) => status === "ok");
    expect([failed.length, new Set(failed.map((row) => row.sampled_weight))]).toEqual([
      40,
      new Set([1]),
    ]);
    expect(plain.length).toBeGreaterThan(40);
    expect(plain.length).toBeLessThan(110);
    expect(new Set(plain.map((row) => row.sampled_weight))).toEqual(new Set([5]));
    expect(made.world.count("predlog_dropped_total", [])).toBe(0);
  });

  test("keeps what is slow", async () => {
    const made = await serve("gather", { sample: 0 });
    const ask = (tookMs: number) => {
      const receivedMs = made.world.clock.nowMs() - tookMs;
      return made.world.predict("s", numbers("INDEX", 1), { receivedMs });
    };
    for (let i = 0; i < 300; i++) await ask(1);
    made.rows();
    await ask(500);
    expect(made.rows()).toMatchObject([{ total_us: 500_000, sampled_weight: 1 }]);
  });

  test("keeps outliers, and says of each prediction whether it is one", async () => {
    const outlier = { output: "b", below: 15 };
    const made = await serve("iris");
    const graph = parallel([modelStep("gather", "a"), modelStep("gather", "b")]);
    await made.world.serve(withLog({ outlier, sample: 0 }, { graph }));
    await made.world.predict("s", numbers("INDEX", 0));
    await made.world.predict("s", numbers("INDEX", 2));
    expect(made.rows()).toMatchObject([{ is_outlier: true, outlier_score: 10, sampled_weight: 1 }]);
    await made.world.serve(withLog({ outlier }, { graph }));
    await made.world.predict("s", numbers("INDEX", 2));
    expect(made.rows()).toMatchObject([{ is_outlier: false, outlier_score: 30 }]);
  });
});

describe("a log that is full", () => {
  const one = numbers("INDEX", 1);

  /** Fills the ring to a share of its records. */
  async function fill(made: LogWorld, share: number): Promise<void> {
    made.writer.isHeld = true;
    const target = share * LOG_WORLD_RECORDS_MAX;
    while (made.world.count("predlog_ring_records", []) < target)
      await made.world.predict("s", one);
  }

  test(
    "leaves out payloads, then plain rows, then rows, and counts each",
    { timeout: 60_000 },
    async () => {
      const made = await serve("gather");
      await fill(made, 0.5);
      await made.world.predict("s", one);
      expect(made.records().at(-1)).toMatchObject({ payload: "shed", weight: 1 });
      expect(made.world.count("predlog_payloads_dropped_total", ["ring"])).toBe(1);

      await fill(made, 0.75);
      made.records();
      await made.world.ask("s", numbers("INDEX", 9));
      for (let i = 0; i < 200; i++) await made.world.predict("s", one);
      const kept = made.records();
      expect(kept[0]).toMatchObject({ errorCode: "MODEL_FAILED", weight: 1, payload: "shed" });
      expect(new Set(kept.slice(1).map(({ weight }) => weight))).toEqual(new Set([10]));
      expect(kept.length - 1 + made.world.count("predlog_dropped_total", ["ring"])).toBe(200);
      expect(kept.length).toBeLessThan(60);

      await fill(made, 1);
      made.records();
      const before = made.world.count("predlog_dropped_total", ["ring"]);
      expect(await made.world.ask("s", one)).toEqual({ VALUE: [20] });
      expect(made.records()).toEqual([]);
      expect(made.world.count("predlog_dropped_total", ["ring"])).toBe(before + 1);

      made.writer.release();
      await new Promise(setImmediate);
      await made.world.predict("s", one);
      expect(made.records()).toMatchObject([{ payload: "full", weight: 1 }]);
    },
  );

  test("leaves out what the disk cannot take", async () => {
    const made = await serve("gather");
    await made.world.predict("s", one);
    made.records();
    made.writer.events?.level("no_payload", "test");
    await made.world.predict("s", one);
    expect(made.records()).toMatchObject([{ payload: "shed" }]);
    made.writer.events?.level("nothing", "test");
    await made.world.predict("s", one);
    expect(made.records()).toEqual([]);
    expect(made.world.count("predlog_payloads_dropped_total", ["disk"])).toBe(1);
    expect(made.world.count("predlog_dropped_total", ["disk"])).toBe(1);
    made.writer.events?.level("all", "test");
    await made.world.predict("s", one);
    expect(made.records()).toMatchObject([{ payload: "full" }]);
  });

  test("refuses predictions without a row where the file says so", async () => {
    const made = await serve("gather", {}, { config: { whenFull: "refuse" } });
    await made.world.predict("s", one);
    made.records();
    made.writer.events?.level("sampled", "test");
    for (let i = 0; i < 20; i++) await made.world.predict("s", one);
    expect(made.records().map(({ payload, weight }) => [payload, weight])).toEqual(
      new Array(20).fill(["shed", 1]),
    );
    made.writer.events?.level("nothing", "test");
    expect(await made.world.ask("s", one)).toBe("OVERLOADED");
    await expect(made.world.predict("s", one)).rejects.toMatchObject({ reason: "log" });
    expect(made.world.count("inference_rejected_total", ["log"])).toBe(2);
    await made.world.serve(withLog({ payload: "off" }, { graph: modelStep("gather") }));
    expect(await made.world.ask("s", one)).toEqual({ VALUE: [20] });
  });

  test("counts nothing that the file's sample leaves out anyway", async () => {
    const made = await serve("gather", { sample: 0.1 });
    await made.world.ask("s", numbers("INDEX", 9)); // what failed is never sampled
    made.records();
    made.writer.events?.level("nothing", "test");
    for (let i = 0; i < 300; i++) await made.world.ask("s", one);
    const dropped = made.world.count("predlog_dropped_total", ["disk"]);
    expect(dropped).toBeGreaterThan(5); // 30 are to be expected, give or take 5
    expect(dropped).toBeLessThan(90);
  });

  test("lets predictions wait 5 ms where the file says so", async () => {
    const made = await serve("gather", {}, { config: { whenFull: "wait" } });
    made.writer.isHeld = true;
    while (made.world.count("predlog_ring_records", []) < LOG_WORLD_RECORDS_MAX) {
      await made.world.ask("s", numbers("INDEX", 9)); // what failed is never sampled
    }
    made.records();
    let isAnswered = false;
    const answering = made.world.ask("s", one).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    made.world.clock.advanceMs(5);
    expect(await answering).toEqual({ VALUE: [20] });
  });
});

describe("faults", () => {
  test("that keep a prediction out of the log do not reach it, and are told", async () => {
    const made = await serve("iris", { unit: { from: "header", name: "x-user" } });
    const attributes = {
      ...attributesOf({}),
      header: () => {
        throw new Error("no header today");
      },
    };
    const answer = await made.world.predict("s", flowers(made, FLOWER, OTHER), { attributes });
    expect(answer.outputs).toHaveLength(1);
    expect(made.world.count("predlog_dropped_total", ["failed"])).toBe(2);
    expect(made.lines).toEqual(["Cannot log a prediction of s: no header today"]);
  });

  test("that take inputs apart before they are logged leave a row without them", async () => {
    const made = await serve("gather", {}, { service: { cache: CACHE } });
    await made.world.predict("s", numbers("INDEX", 1));
    made.records();
    const [input] = numbers("INDEX", 1);
    const predicting = made.world.predict("s", [input as Tensor]);
    ((input as Tensor).data as BigInt64Array<ArrayBuffer>).buffer.transfer();
    expect((await predicting).cache).toBe("hit");
    expect(made.rows()).toMatchObject([{ payload: "failed", features: null, status: "ok" }]);
    expect(made.world.count("predlog_payloads_dropped_total", ["failed"])).toBe(1);
  });

  test("addFeedback() writes rows as lines of JSON", async () => {
    const made = await serve("gather");
    await made.log.addFeedback([{ feedback_id: "f" } as never, { feedback_id: "g" } as never]);
    const [block] = made.writer.blocks;
    expect([block?.table, block?.recordCount]).toEqual(["feedback", 2]);
    expect(new TextDecoder().decode(block?.bytes)).toBe(
      '{"feedback_id":"f"}\n{"feedback_id":"g"}\n',
    );
  });
});
