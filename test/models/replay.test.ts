import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Config } from "../../packages/millrace/src/config/config.ts";
import type { MillraceInput } from "../../packages/millrace/src/config/define-config.ts";
import { loadConfig } from "../../packages/millrace/src/config/load.ts";
import { compareEqual } from "../../packages/millrace/src/core/compare/compare-equal.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import { policyOf } from "../../packages/millrace/src/core/predictions/privacy-plan.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { createServeRole } from "../../packages/millrace/src/main.ts";
import type { Logger } from "../../packages/millrace/src/ports/logger.ts";
import {
  createCandidate,
  type CandidateName,
} from "../../packages/millrace/src/replay/candidate.ts";
import {
  chooseComparator,
  type CompareChoice,
} from "../../packages/millrace/src/replay/choose-comparator.ts";
import { inputNamesOf } from "../../packages/millrace/src/replay/input-names.ts";
import { LoggedTraffic } from "../../packages/millrace/src/replay/logged-traffic.ts";
import {
  Replayer,
  type Replayed,
  type ReplayerOptions,
} from "../../packages/millrace/src/replay/replayer.ts";
import { logged, NOON_US } from "../../packages/millrace/src/replay/test-logged.ts";
import { TestQueryEngine } from "../../packages/millrace/src/replay/test-query-engine.ts";
import { PRIORITY_DEFAULT } from "../../packages/millrace/src/serve/prediction.ts";
import type { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";
import { ROOT } from "../e2e/millrace-process.ts";

const SILENT: Logger = { debug: noop, info: noop, warn: noop, error: noop };

function noop(): void {
  return undefined;
}

const MODELS = join(ROOT, "examples/models");
const LABELS = ["setosa", "versicolor", "virginica"];
const COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"];

const FILE: MillraceInput = {
  models: {
    iris: {
      source: join(MODELS, "iris_svc.onnx"),
      labels: LABELS,
      inputs: { float_input: { names: COLUMNS } },
    },
    forest: { source: join(MODELS, "iris_rf.onnx"), labels: LABELS },
    digits: join(MODELS, "digits.onnx"),
  },
};

/** 150 flowers on a grid, so that some lie where models differ. */
const FLOWERS = Array.from({ length: 150 }, (_, i) => [
  4.5 + (i % 10) * 0.35,
  2.2 + (i % 7) * 0.3,
  1.2 + (i % 15) * 0.38,
  0.2 + (i % 5) * 0.5,
]);

async function configOf(input: MillraceInput): Promise<Config> {
  const result = await loadConfig({ input, flags: [], env: {}, cwd: ROOT });
  if (result.kind === "invalid")
    throw new Error(result.problems.map(({ message }) => message).join());
  return result.config;
}

function flower(rows: readonly (readonly number[])[]): Tensor {
  const data = Float32Array.from(rows.flat());
  return { name: "float_input", datatype: "FP32", shape: [rows.length, 4], data };
}

describe("a replay against real models", () => {
  let config: Config;
  let server: ServeRole;
  let engine: TestQueryEngine | undefined;
  const roles: ServeRole[] = [];

  beforeAll(async () => {
    config = await configOf(FILE);
    server = await createServeRole(config, () => SILENT);
    await server.loadModels();
  });
  afterEach(() => engine?.close());
  afterAll(async () => {
    await Promise.all([server, ...roles].map((role) => role.stop(0)));
  });

  async function outputsOf(
    model: string,
    inputs: readonly Tensor[],
    names?: readonly string[],
  ): Promise<readonly Tensor[]> {
    const { plane } = server;
    const target = plane.target(plane.services.get(model));
    const prediction = await plane.infer(
      target,
      inputs,
      names ?? target.predictor.predictionNames,
      {
        predictionId: plane.newPredictionId(),
        endpoint: "test",
        requestId: undefined,
        attributes: undefined,
        receivedMs: plane.clock.nowMs(),
        priority: PRIORITY_DEFAULT,
        timeoutMs: undefined,
        cancellation: undefined,
      },
    );
    return prediction.outputs;
  }

  /** What the service would have logged of these requests. */
  async function trafficOf(
    requests: readonly (readonly (readonly number[])[])[],
    changes: Parameters<typeof logged>[2] = {},
  ): Promise<LoggedPrediction[]> {
    const of = { columns: { float_input: COLUMNS }, predictionOutputs: ["probabilities"] };
    return Promise.all(
      requests.map(async (rows, number) => {
        const inputs = [flower(rows)];
        const outputs = await outputsOf("iris", inputs);
        const predictionOutputs = outputs.map(({ name }) => name);
        return logged(inputs, outputs, {
          number,
          ...changes,
          of: { ...of, predictionOutputs, ...changes.of },
        });
      }),
    );
  }

  interface Run extends Partial<
    Pick<ReplayerOptions, "speed" | "limit" | "signal" | "concurrency" | "compare">
  > {
    readonly candidate: CandidateName;
    readonly how?: CompareChoice;
    readonly withErrors?: boolean;
    readonly config?: Config;
  }

  async function replay(records: readonly LoggedPrediction[], run: Run): Promise<Replayed> {
    const used = run.config ?? config;
    const service = used.services["iris"];
    if (service === undefined) throw new Error("no service iris");
    const candidate = createCandidate(used, service, run.candidate);
    if (candidate === undefined) throw new Error("no such candidate");
    const role = await createServeRole(candidate.config, () => SILENT);
    roles.push(role);
    await role.loadModels();
    const { plane } = role;
    const { version } = candidate;
    const target = plane.target(plane.services.get(candidate.service), { version });
    const chosen = chooseComparator(run.how ?? { kind: "auto", tolerance: 1e-3 }, target.predictor);
    if ("problem" in chosen) throw new Error(chosen.problem);
    engine = await TestQueryEngine.of(records);
    const filter = {
      service: "iris",
      fromUs: NOON_US,
      untilUs: NOON_US + 3.6e9,
      withErrors: run.withErrors ?? false,
    };
    const traffic = new LoggedTraffic(engine, filter);
    const replayer = new Replayer({
      plane,
      target,
      names: inputNamesOf(used, service, target.predictor),
      compare: run.compare ?? chosen.compare,
      speed: run.speed ?? "max",
      concurrency: run.concurrency ?? 8,
      limit: run.limit ?? Infinity,
      signal: run.signal ?? new AbortController().signal,
      onRequest: noop,
    });
    return replayer.run(traffic.requests(), await traffic.kinds());
  }

  const ITSELF: CandidateName = { kind: "name", name: "iris", version: 1 };
  const FOREST: CandidateName = { kind: "name", name: "forest", version: undefined };

  it("agrees in every digit when the candidate is what had answered, in requests of one row and of several", async () => {
    const requests = [
      ...FLOWERS.slice(0, 50).map((row) => [row]),
      FLOWERS.slice(50, 90),
      FLOWERS.slice(90),
    ];
    const report = await replay(await trafficOf(requests), {
      candidate: ITSELF,
      how: { kind: "equal" },
    });
    expect(report.agreement).toMatchObject({ compared: 150, agreed: 150, share: 1 });
    expect(report.agreement.low).toBeGreaterThan(0.97);
    expect(report.requests).toEqual({ found: 52, replayed: 52, skipped: [] });
    expect(report.end).toBe("complete");
    expect(report.errors).toEqual({ candidate: [], logged: [], answered: 0 });
    expect(report.latency.inferUs.logged).toEqual({ p50: 30, p90: 30, p99: 30, max: 30 });
    expect(report.latency.totalUs.candidate?.max).toBeGreaterThan(0);
    expect(report.byHour).toMatchObject([
      { name: "2026-11-20T12:00Z", compared: 150, agreed: 150 },
    ]);
    expect(report.byLabel.map(({ name }) => name).every((name) => LABELS.includes(name))).toBe(
      true,
    );
  });

  it("finds the very rows where another model says something else", async () => {
    const records = await trafficOf(FLOWERS.map((row) => [row]));
    const winner = ([tensor]: readonly Tensor[]): number => {
      const scores = [...((tensor as Tensor).data as Float32Array)];
      return scores.indexOf(Math.max(...scores));
    };
    const different: number[] = [];
    for (const [number, row] of FLOWERS.entries()) {
      const left = await outputsOf("iris", [flower([row])]);
      const right = await outputsOf("forest", [flower([row])]);
      if (winner(left) !== winner(right)) different.push(number);
    }
    expect(different.length).toBeGreaterThan(3);
    // One at a time, so that the first disagreements are the earliest.
    const report = await replay(records, { candidate: FOREST, concurrency: 1 });
    expect(report.agreement).toMatchObject({ compared: 150, agreed: 150 - different.length });
    const ids = report.disagreements.map(({ predictionId }) =>
      Number.parseInt(predictionId.slice(-12), 16),
    );
    expect(ids).toEqual(different.slice(0, 20));
    const [first] = report.disagreements;
    expect(first?.detail).toMatch(
      /^(?:setosa|versicolor|virginica) → (?:setosa|versicolor|virginica)$/,
    );
    expect(first?.inputs).toMatch(/^\{"sepal_length":/);
    const changed = report.byLabel.flatMap(({ became = [] }) => became.map(({ rows }) => rows));
    expect(changed.reduce((sum, rows) => sum + rows, 0)).toBe(different.length);
  });

  it("replaces the service's model by a file, with its names and labels", async () => {
    const path = join(MODELS, "iris_rf.onnx");
    const records = await trafficOf([FLOWERS]);
    const [file, named] = [
      await replay(records, { candidate: { kind: "file", path, name: "iris_rf" } }),
      await replay(records, { candidate: FOREST }),
    ];
    expect(file.agreement).toEqual(named.agreement);
    expect(file.byLabel).toEqual(named.byLabel);
  });

  it("counts what the candidate fails as disagreement, by code", async () => {
    const input: MillraceInput = { ...FILE, services: { iris: { graph: "iris" } } };
    const broken = await configOf(input);
    const records = await trafficOf(FLOWERS.slice(0, 10).map((row) => [row]));
    const service = broken.services["iris"];
    if (service === undefined) throw new Error("no service iris");
    const late = {
      ...broken,
      services: { ...broken.services, iris: { ...service, timeoutMs: 0 } },
    };
    const report = await replay(records, { candidate: FOREST, config: late });
    expect(report.agreement).toMatchObject({ compared: 10, agreed: 0 });
    expect(report.errors.candidate).toEqual([{ name: "DEADLINE_EXCEEDED", count: 10 }]);
    expect(report.disagreements[0]?.candidate).toBe("DEADLINE_EXCEEDED");
    expect(report.byHour[0]?.failed).toBe(10);
  });

  it("skips what the candidate does not take, and says why", async () => {
    const records = await trafficOf([[FLOWERS[0] as number[]], FLOWERS.slice(0, 3)]);
    const report = await replay(records, {
      candidate: { kind: "name", name: "digits", version: undefined },
    });
    expect(report.requests.replayed).toBe(0);
    expect(report.requests.skipped.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(report.agreement).toEqual({
      compared: 0,
      agreed: 0,
      share: undefined,
      low: undefined,
      high: undefined,
    });
  });

  it("leaves out what privacy has changed, by the rules the rows were logged under", async () => {
    const redact = { petal_width: { bucket: 0.5 } };
    const changed = await configOf({ ...FILE, log: { redact } });
    const policy = policyOf({ fields: undefined, redact: changed.log.redact });
    const rows = FLOWERS.slice(0, 4).map((row) => [row]);
    const records = [
      ...(await trafficOf(rows.slice(0, 1), { number: 1, of: { policy } })),
      ...(await trafficOf(rows.slice(1, 2), { number: 2, of: { policy: "another" } })),
      ...(await trafficOf(rows.slice(2, 3), { number: 3 })),
    ];
    const report = await replay(records, { candidate: ITSELF, config: changed });
    expect(report.requests).toEqual({
      found: 3,
      replayed: 1,
      skipped: [
        { name: '"petal_width" is logged as its bucket: log.redact', count: 1 },
        {
          name: "it was logged under other log.redact or log.fields than the file has now",
          count: 1,
        },
      ],
    });
  });

  it("replays failed requests when asked, and tells how many are answered now", async () => {
    const failed = logged([flower([FLOWERS[0] as number[]])], undefined, {
      number: 500,
      errorCode: "MODEL_FAILED",
      of: { columns: { float_input: COLUMNS } },
    });
    const records = [...(await trafficOf([FLOWERS.slice(0, 2)])), failed];
    const without = await replay(records, { candidate: ITSELF });
    expect(without.requests).toEqual({
      found: 2,
      replayed: 1,
      skipped: [{ name: "it failed", count: 1 }],
    });
    await engine?.close();
    const report = await replay(records, { candidate: ITSELF, withErrors: true });
    expect(report.requests).toEqual({ found: 2, replayed: 2, skipped: [] });
    expect(report.agreement).toMatchObject({ compared: 2, agreed: 2 });
    expect(report.errors).toEqual({
      candidate: [],
      logged: [{ name: "MODEL_FAILED", count: 1 }],
      answered: 1,
    });
  });

  it("compares a request of more rows than the log tells apart row by row", async () => {
    const rows = Array.from({ length: 1100 }, (_, i) => FLOWERS[i % 150] as number[]);
    const report = await replay(await trafficOf([rows]), {
      candidate: ITSELF,
      how: { kind: "equal" },
    });
    expect(report.agreement).toMatchObject({ compared: 1100, agreed: 1100 });
    expect(report.requests.replayed).toBe(1);
  });

  it("asks for the outputs that were asked for, which the candidate may not have", async () => {
    const inputs = [flower(FLOWERS.slice(0, 3))];
    const labels = await outputsOf("iris", inputs, ["output_label"]);
    const of = { columns: { float_input: COLUMNS }, predictionOutputs: ["probabilities"] };
    const record = logged(inputs, labels, { number: 1, of });
    const itself = await replay([record], { candidate: ITSELF, how: { kind: "equal" } });
    expect(itself.agreement).toMatchObject({ compared: 3, agreed: 3 });
    await engine?.close();
    const renamed = labels.map((tensor) => ({ ...tensor, name: "class" }));
    const other = await replay([logged(inputs, renamed, { number: 1, of })], { candidate: FOREST });
    expect(other.requests.skipped).toEqual([
      { name: 'the candidate has no output "class"', count: 1 },
    ]);
  });

  it("ends at its limit, and when it is interrupted, with what was done", async () => {
    const records = await trafficOf(FLOWERS.map((row) => [row]));
    const limited = await replay(records, { candidate: ITSELF, limit: 7 });
    expect([limited.end, limited.requests.replayed, limited.agreement.compared]).toEqual([
      "limit",
      7,
      7,
    ]);
    await engine?.close();
    const controller = new AbortController();
    let count = 0;
    const stopping: Run["compare"] = (reference, other) => {
      if (++count === 20) controller.abort();
      return compareEqual(reference, other);
    };
    const report = await replay(records, {
      candidate: ITSELF,
      concurrency: 1,
      compare: stopping,
      signal: controller.signal,
    });
    expect([report.end, report.requests.replayed, report.agreement.compared]).toEqual([
      "interrupted",
      20,
      20,
    ]);
  });

  it("keeps the pace of then, times its speed", async () => {
    // 40 requests, 10 ms apart, at ten times the speed: 39 ms.
    const records = await Promise.all(
      FLOWERS.slice(0, 40).map(async (row, number) => {
        const [record] = await trafficOf([[row]]);
        return {
          ...(record as LoggedPrediction),
          predictionId: `01992f3c-7a5e-7cc1-b6d4-0000000000${number + 10}`,
          receivedUs: NOON_US + number * 10_000,
        };
      }),
    );
    const report = await replay(records, { candidate: ITSELF, speed: 10 });
    expect(report.requests.replayed).toBe(40);
    expect(report.tookMs).toBeGreaterThanOrEqual(39);
    expect(report.rate.logged).toBeCloseTo(100);
    expect(report.rate.offered).toBeCloseTo(1000);
    expect(report.rate.lateMsMax).toBeGreaterThanOrEqual(0);
  });
});
