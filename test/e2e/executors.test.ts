import { describe, expect, it } from "vitest";
import { Agent } from "node:http";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

const SLOW_ROW = [[1, 2, 3, 4]];

/** slow.onnx takes some 250 ms a run, one request a run, on a thread. */
function folderWith(server = ""): Workspace {
  const file = `
server: { ${server} }
models:
  iris: { source: ./iris.onnx, sample: [[5.1, 3.5, 1.4, 0.2]] }
  slow: { source: ./slow.onnx, batch: off }
services:
  iris: { default: true, timeout: 20s, limits: { concurrency: off } }
  slow: { timeout: 60s, limits: { concurrency: off } }
`;
  return new Workspace({
    "millrace.yaml": file,
    "iris.onnx": IRIS,
    "slow.onnx": fixture("slow.onnx"),
  });
}

function start(folder: Workspace): Promise<MillraceProcess> {
  return MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
}

function predictSlow({ url }: MillraceProcess, agent?: Agent): Promise<Answer> {
  const own = agent === undefined ? {} : { agent };
  return ask(url, "/services/slow/predict", { body: { data: SLOW_ROW }, ...own });
}

/** Waits until so many slow requests have been accepted and not answered. */
async function waitForInFlight(server: MillraceProcess, count: number): Promise<void> {
  await eventually(
    async () =>
      (await readMetrics(server.facts.metrics)).sum("inference_inflight", { model: "slow" }) ===
      count,
    `${count} requests in flight`,
  );
}

describe("a slow model at full load", () => {
  it("does not hold up a fast one, and the event loop stays free", async () => {
    using folder = folderWith();
    await using server = await start(folder);
    await readMetrics(server.facts.metrics); // the lag is counted from here
    const order: string[] = [];
    const slow = Array.from({ length: 8 }, async () => {
      const { status } = await predictSlow(server);
      order.push("slow");
      return status;
    });
    await waitForInFlight(server, 8);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const begunAt = order.length;
    let fastWithinOne = 0;
    // Between two slow answers lies one run of the slow model.
    for (let i = 0; i < 1_000 && order.length < 7; i++) {
      const slowBefore = order.length;
      const { status } = await ask(server.url, "/predict", { body: { data: SETOSA }, agent });
      expect(status).toBe(200);
      if (order.length === slowBefore) fastWithinOne++;
    }
    agent.destroy();
    expect(begunAt).toBeLessThan(6);
    expect(fastWithinOne).toBeGreaterThan(20 * (order.length - begunAt));
    expect(new Set(await Promise.all(slow))).toEqual(new Set([200]));
    const lag = (await readMetrics(server.facts.metrics)).sum("event_loop_lag_seconds", {
      quantile: "0.99",
    });
    expect(lag).toBeLessThan(0.1);
  });
});

describe("many at once", () => {
  it("answers 1,000 requests that come together", async () => {
    using folder = folderWith();
    await using server = await start(folder);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => ask(server.url, "/predict", { body: { data: SETOSA } })),
    );
    const bodies = new Set(answers.map(({ status, text }) => `${status} ${text}`));
    expect(bodies.size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 200, json: { prediction: expect.any(Array) } });
    const metrics = await readMetrics(server.facts.metrics);
    expect(metrics.sum("inference_requests_total", { service: "iris", code: "ok" })).toBe(1_000);
    expect(metrics.sum("inference_inflight")).toBe(0);
    expect(metrics.sum("inference_queue_rows")).toBe(0);
    expect(metrics.sum("inference_queue_bytes")).toBe(0);
  });
});

describe("SIGTERM", () => {
  it("answers every request of a long queue, and ends with 0", async () => {
    using folder = folderWith();
    await using server = await start(folder);
    const answers = Array.from({ length: 12 }, () => predictSlow(server));
    await waitForInFlight(server, 12);
    server.signal("SIGTERM");
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual(Array(12).fill(200));
    expect(await server.ended()).toBe(0);
  });

  it("tells those it cannot answer within server.drain to come again, and nobody hangs", async () => {
    using folder = folderWith("drain: 100ms");
    await using server = await start(folder);
    const answers = Array.from({ length: 12 }, () => predictSlow(server));
    await waitForInFlight(server, 12);
    server.signal("SIGTERM");
    const replies = await Promise.all(answers);
    const late = replies.filter(({ status }) => status !== 200);
    expect(late.length).toBeGreaterThanOrEqual(10);
    for (const { status, json, headers } of late) {
      expect([status, json]).toEqual([
        503,
        expect.objectContaining({ code: "OVERLOADED", reason: "shutdown" }),
      ]);
      expect(headers["retry-after"]).toMatch(/^\d+$/);
    }
    expect(await server.ended()).toBe(0);
  });
});
