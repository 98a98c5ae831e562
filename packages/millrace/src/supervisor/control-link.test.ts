import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/print.ts";
import type { ChangeOrder, UpStatus } from "../control/control-messages.ts";
import { MillraceError } from "../core/errors.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import type { PredictionRow } from "../core/predictions/prediction-row.ts";
import { TestClock } from "../core/test-clock.ts";
import type { StoredOverride } from "../ports/override-store.ts";
import type { LogStatus } from "../shipping/log-messages.ts";
import { ControlLink, type AskedLog, type ControlLinkOptions } from "./control-link.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import { layAll, type Layers } from "./layers.ts";
import { RunningConfig } from "./running-config.ts";

const OVERLOAD = "services.a.overload";
const never = new Promise<never>(() => undefined);
const NO_LOG: AskedLog = { find: () => never, status: () => never, forget: () => never };
const idOf = (number: number): string => `01992f3c-7a5e-7cc1-b6d4-00000000000${number}`;
const REMEMBERED = { prediction_id: "some id", source: "memory" } as Explanation;

async function load(): Promise<LoadedConfig> {
  const models = { a: "a.onnx", b: "b.onnx" };
  const input = { models, services: { a: { overload: "reject" as const } } };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "invalid") throw new Error("Cannot load the file");
  return result;
}

async function setup(
  serving: ReturnType<ControlLinkOptions["serving"]> = [],
  options: Partial<ControlLinkOptions> = {},
) {
  const file = await load();
  const clock = new TestClock();
  const warnings: string[] = [];
  const silent = (): void => undefined;
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const running = new RunningConfig(file, file.config, silent);
  let laid: Layers | undefined;
  const link = new ControlLink({
    clock,
    log: { debug: silent, info: silent, warn, error: silent },
    running,
    serving: () => serving,
    kept: () => [],
    predictionLog: undefined,
    ...options,
    processCount: serving.length,
    change: async (lay) => void (laid = await lay(running.layers)),
    persist: () => Promise.resolve(),
    adoptKept: () => Promise.resolve(),
  });
  const call = <Result>(method: string, params?: unknown): Promise<Result> =>
    link.methods[method]?.(params as never) as Promise<Result>;
  return { call, clock, warnings, laid: () => laid };
}

function stored(path: string, value: string): StoredOverride {
  const facts = { by: "ann", reason: "", setAtMs: 0, expiresAtMs: undefined };
  return { path, value, version: 1, ...facts };
}

/** What is left when the override of the whole has gone: a part of what the file has as a word. */
function withoutWhole(isExpiry: boolean): ChangeOrder {
  const overrides = [stored(`${OVERLOAD}.fallback`, "b"), stored("services.b.timeout", "1s")];
  return { overrides: { version: 2, overrides }, paths: [OVERLOAD], isExpiry };
}

it("change() refuses what leaves an override that does not fit", async () => {
  const { call, laid } = await setup();
  await expect(call("change", withoutWhole(false))).rejects.toMatchObject({
    code: "INVALID_OVERRIDE",
    message: expect.stringContaining("set it as a whole") as string,
  });
  expect(laid()).toBeUndefined();
});

it("change() sets aside what an expiry leaves without a place, and the rest holds", async () => {
  const { call, laid, warnings } = await setup();
  await call("change", withoutWhole(true));
  expect(laid()?.setAside).toMatchObject([{ path: `${OVERLOAD}.fallback`, version: 1 }]);
  expect(laid()?.config.services["b"]?.timeoutMs).toBe(1_000);
  expect(warnings).toEqual([expect.stringContaining("is set aside")]);
});

it("status() and explain() answer without a process that hangs, at once when another one knows", async () => {
  const hung = { status: () => never, explain: () => never, metrics: () => never };
  const sound = {
    metrics: () => never,
    status: () => Promise.resolve({ models: [], graphs: [] }),
    explain: () => Promise.resolve(REMEMBERED),
  };
  const two = await setup([hung, sound]);
  expect(await two.call<UpStatus>("status")).toMatchObject({ models: [] });
  expect(await two.call("explain", "some id")).toEqual(REMEMBERED);

  const one = await setup([hung]);
  const asked = Promise.all([one.call("status"), one.call("explain", "some id")]);
  one.clock.advanceMs(5_000);
  expect(await asked).toEqual([expect.objectContaining({ models: [] }), undefined]);
});

it("explain() has what a process remembers, the rows of the log, or both", async () => {
  const ids = { both: idOf(1), remembered: idOf(2), logged: idOf(3), unknown: idOf(4) };
  const row = { ts: 1e15, model: "m", version: "2", endpoint: "/p", row_index: 0, label: "a" };
  const find = (id: string) =>
    Promise.resolve(
      id === ids.both || id === ids.logged
        ? { source: "segment" as const, rows: [{ ...row, prediction_id: id } as PredictionRow] }
        : undefined,
    );
  const explain = (id: string) =>
    Promise.resolve(
      id === ids.remembered || id === ids.both || id === "by request"
        ? { ...REMEMBERED, prediction_id: id === "by request" ? ids.both : id, model: "m@3" }
        : undefined,
    );
  const process = { status: () => never, metrics: () => never, explain };
  const { call } = await setup([process], { predictionLog: { ...NO_LOG, find } });
  const rows = [{ row: 0, label: "a" }];
  const both = { prediction_id: ids.both, source: "memory", model: "m@3", endpoint: "/p", rows };
  expect(await call("explain", ids.both)).toMatchObject(both);
  expect(await call("explain", "by request")).toMatchObject(both);
  expect(await call("explain", ids.remembered)).not.toHaveProperty("rows");
  expect(await call("explain", ids.logged)).toMatchObject({
    source: "segment",
    model: "m@2",
    rows,
  });
  expect(await call("explain", ids.unknown)).toBeUndefined();
});

it("explain() tells that the log cannot be asked, unless a process remembers", async () => {
  const down = new MillraceError("LOG_UNAVAILABLE", "Cannot ask the log: it is down");
  const { call } = await setup([], {
    predictionLog: { ...NO_LOG, find: () => Promise.reject(down) },
  });
  await expect(call("explain", "old")).rejects.toBe(down);
  const process = { status: () => never, metrics: () => never };
  const explain = () => Promise.resolve(REMEMBERED);
  const known = await setup([{ ...process, explain }], {
    predictionLog: { ...NO_LOG, find: () => Promise.reject(down) },
  });
  expect(await known.call("explain", "new")).toEqual(REMEMBERED);
});

it("logStatus() sums what every process has left out, but for one that hangs", async () => {
  const dropped = (labels: readonly string[], value: number): MetricSnapshot => ({
    name: "predlog_dropped_total",
    help: "",
    kind: "counter",
    labelNames: ["reason"],
    bounds: [],
    series: [{ labels, value, buckets: [] }],
  });
  const withMetrics = (...metrics: MetricSnapshot[]) => ({
    status: () => never,
    explain: () => never,
    metrics: () => Promise.resolve(metrics),
  });
  const hung = { ...withMetrics(), metrics: () => never };
  const processes = [
    withMetrics(dropped(["row"], 2), dropped(["payload"], 5)),
    hung,
    withMetrics(dropped(["row"], 3), { ...dropped(["row"], 9), name: "another" }),
  ];
  const log = { folder: "f" } as LogStatus;
  const predictionLog = { ...NO_LOG, status: () => Promise.resolve(log) };
  const { call, clock } = await setup(processes, { predictionLog });
  const asked = call("logStatus");
  await Promise.resolve(); // the log has answered, the processes are asked
  await Promise.resolve();
  clock.advanceMs(5_000);
  expect(await asked).toEqual({ log, dropped: { row: 5, payload: 5 }, withoutPayload: {} });
});

it("logStatus() and forget() refuse where nothing is logged", async () => {
  const { call } = await setup();
  const refusal = { code: "LOG_UNAVAILABLE" };
  await expect(call("logStatus")).rejects.toMatchObject(refusal);
  await expect(async () => call("forget", {})).rejects.toMatchObject(refusal);
});

/** `a` divides its requests between itself and `b`, and `b` shadows it. */
async function loadTraffic(): Promise<LoadedConfig> {
  const models = { a: "a.onnx", b: "b.onnx" };
  const experiment = { name: "e", arms: { control: "a", other: "b" }, coverage: "20%" };
  const traffic = { experiment, shadow: [{ name: "s", to: "b" }] };
  const input = { models, services: { x: { graph: "a", traffic } } };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
  return result;
}

function modelStatus(name: string, isReady: boolean): object {
  return { name, isReady, state: isReady ? "READY" : "LOADING", problem: undefined };
}

it("traffic() gives experiments and shadows as they are in force and as the file has them, and what is not ready", async () => {
  const models = [modelStatus("a", true), modelStatus("b", false)];
  const process = {
    status: () => Promise.resolve({ models, graphs: [] } as unknown as ServeStatus),
    explain: () => never,
    metrics: () => never,
  };
  const file = await loadTraffic();
  const laid = await layAll(
    file,
    {
      version: 3,
      overrides: [
        stored("services.x.traffic.experiment.coverage", "50%"),
        { ...stored("services.x.traffic.excluded.s", ""), value: true },
      ],
    },
    [],
  );
  if (laid.kind === "invalid") throw new Error(JSON.stringify(laid.problems));
  const running = new RunningConfig(file, file.config, () => undefined);
  running.become(running.next(laid.layers));
  const { call } = await setup([process], { running });
  expect(await call("traffic")).toMatchObject({
    overrideVersion: 3,
    experiments: [
      {
        service: "x",
        config: { name: "e", coverage: 0.5 },
        file: { coverage: 0.2, isActive: true },
      },
    ],
    shadows: [
      { service: "x", config: { name: "s", isExcluded: true }, file: { isExcluded: false } },
    ],
    unready: { b: "model b is loading" },
  });
});

it("traffic() holds everything for not ready when no process answers", async () => {
  const file = await loadTraffic();
  const running = new RunningConfig(file, file.config, () => undefined);
  const { call } = await setup([], { running });
  expect(await call("traffic")).toMatchObject({
    unready: { a: "no serve process answers", b: "no serve process answers" },
  });
});

it("skippedCopies() gives what every process has left out, by service, shadow and reason", async () => {
  const metric = (value: number): MetricSnapshot => ({
    name: "shadow_skipped_total",
    help: "",
    kind: "counter",
    labelNames: ["shadow", "service", "reason"],
    bounds: [],
    series: [{ labels: ["s", "x", "queue"], value, buckets: [] }],
  });
  const withMetrics = (...metrics: MetricSnapshot[]) => ({
    status: () => never,
    explain: () => never,
    metrics: () => Promise.resolve(metrics),
  });
  const { call } = await setup([
    withMetrics(metric(2), { ...metric(9), name: "another" }),
    withMetrics(metric(3)),
  ]);
  const copies = { service: "x", shadow: "s", reason: "queue" };
  expect(await call("skippedCopies")).toEqual([
    { ...copies, count: 2 },
    { ...copies, count: 3 },
  ]);
});
