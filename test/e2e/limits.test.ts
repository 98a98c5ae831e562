import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer } from "./http-client.ts";
import { MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

/** slow.onnx takes some 250 ms a run, on a thread; identity-fp32.onnx takes its place. */
const FILE = `
models:
  iris: { source: ./iris.onnx, sample: [[5.1, 3.5, 1.4, 0.2]] }
  slow: { source: ./slow.onnx, batch: off }
  quick: ./identity-fp32.onnx
services:
  rated: { graph: iris, default: true, limits: { rate: 2/m } }
  free: { graph: iris }
  queued: { graph: slow, timeout: 20s, limits: { concurrency: 1, queue: 1 } }
  replying: { graph: slow, timeout: 20s, limits: { concurrency: 1, queue: 0 }, overload: { reply: { prediction: unknown } } }
  inline: { graph: slow, timeout: 20s, limits: { concurrency: 1, queue: 0 }, overload: { fallback: { sequence: [quick] } } }
  cached: { graph: iris, limits: { rate: 1/h }, cache: { prediction: { ttl: 300ms } }, overload: cached }
  replaced: { graph: slow, timeout: 20s, limits: { concurrency: 1, queue: 0 }, overload: { fallback: quick } }
`;

const FILES = {
  "iris.onnx": IRIS,
  "slow.onnx": fixture("slow.onnx"),
  "identity-fp32.onnx": fixture("identity-fp32.onnx"),
};

const SLOW_ROW = [[1, 2, 3, 4]];

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  folder = new Workspace({ "millrace.yaml": FILE, ...FILES });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

function predict(service: string, data: unknown, headers: Record<string, string> = {}) {
  return ask(server.url, `/services/${service}/predict`, { body: { data }, headers });
}

/** Sends `count` slow requests at once. @returns the answers, the refusals first as they come first. */
async function predictSlow(service: string, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  await Promise.all(
    Array.from({ length: count }, async () => answers.push(await predict(service, SLOW_ROW))),
  );
  return answers;
}

const rejected = async (reason: string): Promise<number> =>
  (await readMetrics(server.facts.metrics)).sum("inference_rejected_total", { reason });

describe("limits.rate", () => {
  it("refuses what exceeds the rate with 503, Retry-After and the reason, on every route", async () => {
    const answers: Answer[] = [];
    for (let i = 0; i < 3; i++) {
      answers.push(await ask(server.url, "/predict", { body: { data: SETOSA } }));
    }
    const statuses = answers.map(({ status }) => status);
    const refused = answers.find(({ status }) => status === 503) as Answer;
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(refused.headers["content-type"]).toContain("application/problem+json");
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(1);
    expect(refused.json).toMatchObject({ code: "OVERLOADED", reason: "rate", status: 503 });
    const inputs = [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] }];
    const oip = await ask(server.url, "/v2/models/rated/infer", { body: { inputs } });
    expect(oip.status).toBe(503);
    expect(oip.headers["x-error-code"]).toBe("OVERLOADED");
    expect(Number(oip.headers["retry-after"])).toBeGreaterThan(1);
    expect([refused, oip].map(({ headers }) => headers["x-envoy-overloaded"])).toEqual([
      "true",
      "true",
    ]);
    expect(oip.json).toEqual({ error: expect.stringContaining("rate") as string });
    expect(await rejected("rate")).toBeGreaterThanOrEqual(2);
  });

  it("does not touch another service of the same model", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => predict("free", SETOSA)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("limits.concurrency and limits.queue", () => {
  it("run one, let one wait and refuse the others at once", async () => {
    const answers = await predictSlow("queued", 5);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 200, 200]);
    expect(answers[0]?.json).toMatchObject({ code: "OVERLOADED", reason: "queue" });
    expect(Number(answers[0]?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(await rejected("queue")).toBe(3);
  });

  it("let the next ones in when the first have been answered", async () => {
    const answers = await predictSlow("queued", 2);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe("overload", () => {
  it("reply: answers 200 with the body of the file, and says so", async () => {
    const answers = await predictSlow("replying", 3);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers[0]?.json).toEqual({ prediction: "unknown" });
    expect(answers.map(({ headers }) => headers["x-degraded"])).toEqual([
      "fallback",
      "fallback",
      undefined,
    ]);
  });

  it("fallback: answers with the other model, and says so", async () => {
    const answers = await predictSlow("replaced", 3);
    expect(answers.map(({ status, json }) => [status, json])).toEqual(
      Array(3).fill([200, { prediction: [1, 2, 3, 4] }]),
    );
    expect(answers.map(({ headers }) => [headers["x-model"], headers["x-degraded"]])).toEqual([
      ["quick@1", "fallback"],
      ["quick@1", "fallback"],
      ["slow@1", undefined],
    ]);
  });

  it("fallback: answers with a step that is written in its place", async () => {
    const answers = await predictSlow("inline", 2);
    expect(answers.map(({ status, json }) => [status, json])).toEqual(
      Array(2).fill([200, { prediction: [1, 2, 3, 4] }]),
    );
    expect(answers.map(({ headers }) => headers["x-degraded"])).toEqual(["fallback", undefined]);
  });

  it("cached: answers with what has expired, and refuses what was never asked", async () => {
    const first = await predict("cached", SETOSA);
    await delay(350);
    const second = await predict("cached", SETOSA);
    expect([second.status, second.json]).toEqual([200, first.json]);
    expect([second.headers["x-cache"], second.headers["x-degraded"]]).toEqual(["stale", "cached"]);
    expect((await predict("cached", [[9, 9, 9, 9]])).status).toBe(503);
  });
});

describe("deadlines", () => {
  it("x-request-timeout answers 504 long before the model would, and drops the work", async () => {
    const first = predict("queued", SLOW_ROW);
    const order: string[] = [];
    void first.then(() => order.push("model"));
    const late = await predict("queued", SLOW_ROW, { "x-request-timeout": "50ms" });
    order.push("deadline");
    expect(late.status).toBe(504);
    expect(late.json).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect((await first).status).toBe(200);
    expect(order).toEqual(["deadline", "model"]);
    const { executionCount } = await slowStatistics();
    expect((await predict("queued", SLOW_ROW)).status).toBe(200);
    expect((await slowStatistics()).executionCount).toBe(executionCount + 1);
  });

  it("x-request-timeout answers 504 on an idle model that takes longer", async () => {
    const late = await predict("queued", SLOW_ROW, { "x-request-timeout": "50ms" });
    expect([late.status, late.json]).toEqual([
      504,
      expect.objectContaining({ code: "DEADLINE_EXCEEDED" }),
    ]);
  });
});

async function slowStatistics(): Promise<{ executionCount: number }> {
  const { json } = await ask(server.url, "/v2/models/queued/stats");
  const [{ execution_count: executionCount }] = (
    json as { model_stats: [{ execution_count: number }] }
  ).model_stats;
  return { executionCount };
}

describe("millrace up with two processes", () => {
  it("divides the limits among them", async () => {
    const file = FILE.replace("concurrency: 1, queue: 1", "concurrency: 2, queue: 2");
    using own = new Workspace({ "millrace.yaml": `server: { processes: 2 }\n${file}`, ...FILES });
    await using up = await MillraceProcess.start(["up"], { cwd: own.path });
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const path = "/services/queued/predict";
        return (await ask(up.url, path, { body: { data: SLOW_ROW } })).status;
      }),
    );
    // Two run and two wait, one of each in each process, if the system spread the connections over both.
    const answered = statuses.filter((status) => status === 200).length;
    expect(answered).toBeGreaterThanOrEqual(2);
    expect(answered).toBeLessThanOrEqual(4);
    expect(statuses.filter((status) => status === 503)).toHaveLength(12 - answered);
  });
});
