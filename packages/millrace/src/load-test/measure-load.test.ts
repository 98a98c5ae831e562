import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { LoadReport, LoadWindow } from "../core/load/load-report.ts";
import type { LoadTotals } from "../core/load/load-tally.ts";
import type { LoadPlan } from "./load-plan.ts";
import { measureLoad } from "./measure-load.ts";
import { RESULT, RESULT_COLUMNS } from "./result-block.ts";
import { parseObjectives } from "./read-objectives.ts";
import { testLoadPlan } from "./test-load-plan.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** @param answer gets the number of the request, from 0. */
async function serve(
  answer: (number: number, response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    answer(requests++, response, request);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`;
}

function measure(
  plan: LoadPlan,
  options: Partial<Parameters<typeof measureLoad>[0]> = {},
): Promise<LoadReport> {
  return measureLoad({ plan, objectives: [], command: "millrace load", ...options });
}

function problemCodes({ millrace }: LoadReport): string[] {
  return millrace.problems.map(({ code }) => code);
}

function sum(windows: readonly LoadWindow[], of: (window: LoadWindow) => number): number {
  return windows.reduce((total, window) => total + of(window), 0);
}

describe("measureLoad()", () => {
  it("reports every start of the measured time, by code, and none of the warm-up", async () => {
    const served: number[] = [];
    const url = await serve((number, response) => {
      response.statusCode = [200, 302, 404, 503][number % 4] as number;
      served.push(response.statusCode);
      response.end("0123456789");
    });
    const results: number[] = [];
    const report = await measure(
      testLoadPlan(url, { warmupMs: 200, threads: 2, connectionsAtStart: 2 }),
      {
        command: "millrace load http://… --rate 100",
        objectives: parseObjectives("p99<30s,errors<1%"),
        onResults: (block) => void results.push(block.count),
      },
    );
    const { millrace } = report;
    expect(served).toHaveLength(70);
    expect(millrace.starts).toEqual({ due: 50, sent: 50, dropped: 0, unanswered: 0 });
    expect(report.requests).toBe(50);
    expect(results.reduce((total, count) => total + count, 0)).toBe(50);
    expect(Object.values(report.status_codes).reduce((total, count) => total + count, 0)).toBe(50);
    expect(Object.keys(report.status_codes)).toEqual(["200", "302", "404", "503"]);
    expect(report.errors.toSorted()).toEqual(["404 Not Found", "503 Service Unavailable"]);
    expect(report.bytes_in).toEqual({ total: 500, mean: 10 });
    expect(report.duration).toBe(490 * 1e6);
    for (const spread of [millrace.response, millrace.service, millrace.first_byte, millrace.lag]) {
      expect(spread.count).toBe(50);
    }
    expect(sum(millrace.timeline, (window) => window.due)).toBe(50);
    expect(millrace.timeline[0]).toMatchObject({ from_ms: 0, due: 50 });
    expect(millrace).toMatchObject({
      format: 1,
      name: "test",
      command: "millrace load http://… --rate 100",
      protocol: "http1",
      targets: [`GET ${url}`],
      arrivals: "100/s, constant",
      warmup_ms: 200,
      duration_ms: 500,
      window_ms: 1000,
      generator: { threads: 2 },
    });
    expect(millrace.objectives).toMatchObject([
      { objective: "p99<30s", met: true },
      { objective: "errors<1%", met: false },
    ]);
    expect(millrace.generator.connections_peak).toBeGreaterThanOrEqual(2);
    expect(millrace.generator.memory_mib).toBeGreaterThan(10);
    expect(millrace.environment.node).toBe(process.version);
    expect(Math.abs(Date.now() - Date.parse(millrace.started))).toBeLessThan(600_000);
  });

  it("counts a stall of the server for everyone who came during it", async () => {
    const held: ServerResponse[] = [];
    // From the 40th on nobody is answered until the 100th has come: it is due at 990 ms, on a slow machine it comes later.
    const url = await serve((number, response) => {
      if (number < 40 || number >= 99) response.end();
      else held.push(response);
      if (number === 99) for (const each of held) each.end();
    });
    const responseMs: number[] = [];
    const report = await measure(testLoadPlan(url, { durationMs: 1500 }), {
      onResults: ({ values, count }) => {
        for (let at = 0; at < count * RESULT_COLUMNS; at += RESULT_COLUMNS) {
          responseMs.push(
            (values[at + RESULT.doneMs] ?? 0) - (values[at + RESULT.intendedMs] ?? 0),
          );
        }
      },
    });
    const { response, starts } = report.millrace;
    expect(starts).toMatchObject({ due: 150, sent: 150, dropped: 0 });
    // 59 were held, those due at 10 · n ms for at least 990 − 10 · n: 10 of them may have been so for less than 100 ms.
    expect(responseMs.filter((ms) => ms >= 100).length).toBeGreaterThanOrEqual(49);
    expect(response.max_ms).toBeGreaterThanOrEqual(580);
    expect(response.p90_ms).toBeGreaterThanOrEqual(400);
    expect(response.mean_ms).toBeGreaterThanOrEqual(110);
  });

  it("response time is service time and lag", async () => {
    const url = await serve((_, response) => void response.end());
    const parts: number[] = [];
    await measure(testLoadPlan(url), {
      onResults: ({ values, count }) => {
        for (let at = 0; at < count * RESULT_COLUMNS; at += RESULT_COLUMNS) {
          const times = values.subarray(at + RESULT.intendedMs, at + RESULT.doneMs + 1);
          const [intended = 0, sent = 0, firstByte = 0, done = 0] = times;
          parts.push(sent - intended, firstByte - sent, done - firstByte);
        }
      },
    });
    expect(parts).toHaveLength(150);
    expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
  });

  it("a start that finds every connection busy is dropped, an error and a problem", async () => {
    const url = await serve(() => undefined);
    const report = await measure(testLoadPlan(url, { connectionsMax: 2, timeoutMs: 1000 }), {
      objectives: parseObjectives("errors<1%"),
    });
    const { millrace } = report;
    expect(millrace.starts).toEqual({ due: 50, sent: 2, dropped: 48, unanswered: 0 });
    expect(report.status_codes).toEqual({ 0: 2 });
    expect(report.errors).toHaveLength(1);
    expect(millrace.response.min_ms).toBeGreaterThanOrEqual(1000);
    expect(millrace.valid).toBe(false);
    expect(problemCodes(report)).toEqual(expect.arrayContaining(["rate", "dropped"]));
    expect(sum(millrace.timeline, (window) => window.dropped)).toBe(48);
    expect(millrace.objectives).toMatchObject([{ met: false, found: "100%" }]);
  });

  it("a closed loop never has more under way than clients", async () => {
    let now = 0;
    let most = 0;
    const url = await serve((_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        response.end();
      }, 5);
    });
    const report = await measure(
      testLoadPlan(url, { arrivals: { kind: "closed", clients: 4, thinkMs: 0 }, threads: 2 }),
    );
    const { starts, arrivals } = report.millrace;
    expect(most).toBe(4);
    expect(starts.sent).toBeGreaterThan(8);
    expect(starts).toEqual({ due: starts.sent, sent: starts.sent, dropped: 0, unanswered: 0 });
    expect(report.requests).toBe(starts.sent);
    expect(arrivals).toBe("4 clients in turn, each next request right after the answer");
  });

  it("an interruption leaves what was measured until then, and says so", async () => {
    const interruption = new AbortController();
    // The 30th and all after it are never answered.
    const url = await serve((number, response) => {
      if (number < 30) response.end();
      if (number === 39) interruption.abort();
    });
    const plan = testLoadPlan(url, { durationMs: Infinity, timeoutMs: 500 });
    const report = await measure(plan, { signal: interruption.signal });
    const { starts, duration_ms } = report.millrace;
    expect(starts.due).toBeGreaterThanOrEqual(40);
    // Who was not answered is an error, and takes long.
    expect([report.requests, starts.unanswered]).toEqual([starts.sent, 0]);
    expect(report.status_codes["200"]).toBe(30);
    expect(report.millrace.response.max_ms).toBeGreaterThanOrEqual(500);
    expect(duration_ms).toBeGreaterThanOrEqual(390);
    expect(Number.isFinite(duration_ms)).toBe(true);
    // A plan without an end is ended by an interruption.
    expect(problemCodes(report)).not.toContain("interrupted");
  });

  it("an interruption before the end is a problem, one in the warm-up leaves nothing", async () => {
    const interruption = new AbortController();
    const url = await serve((number, response) => {
      response.end();
      if (number === 20) interruption.abort();
    });
    const options = { signal: interruption.signal };
    const report = await measure(testLoadPlan(url, { durationMs: 60_000 }), options);
    expect(problemCodes(report)).toContain("interrupted");
    expect(report.millrace.duration_ms).toBeLessThan(60_000);
    const nothing = await measure(testLoadPlan(url, { warmupMs: 60_000 }), options);
    expect(nothing.millrace).toMatchObject({ duration_ms: 0, valid: false, timeline: [] });
    expect(nothing.millrace.starts).toEqual({ due: 0, sent: 0, dropped: 0, unanswered: 0 });
    expect(problemCodes(nothing)).toEqual(["empty", "interrupted"]);
  });

  it("tells every second what has come so far", async () => {
    const url = await serve((number, response) => {
      response.statusCode = number % 2 === 0 ? 200 : 500;
      response.end();
    });
    const told: [LoadWindow, LoadTotals][] = [];
    const begins: number[] = [];
    const report = await measure(testLoadPlan(url, { durationMs: 2600 }), {
      onBegin: (startedAtMs) => void begins.push(startedAtMs),
      onWindow: (window, totals) => void told.push([window, totals]),
    });
    expect(begins).toHaveLength(1);
    expect(new Date(begins[0] ?? 0).toISOString()).toBe(report.millrace.started);
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(
      sum(
        told.map(([window]) => window),
        (window) => window.due,
      ),
    ).toBeGreaterThan(0);
    for (const [, totals] of told) {
      expect(totals.due).toBe(totals.sent + totals.dropped);
      expect(totals.sent).toBe(totals.ok + totals.failed + totals.underWay);
      expect(totals.codes["200"]).toBe(totals.ok);
    }
  });

  it("names at most 20 targets, each once and without what is secret in it", async () => {
    const url = await serve((_, response) => void response.end());
    const [target] = testLoadPlan(url.replace("://", "://ada:secret@")).targets;
    const shown = url.replace("://", "://…@");
    const targets = Array.from({ length: 50 }, (_, at) => ({
      ...target!,
      url: `${target!.url}?token=secret&a=${Math.floor(at / 2)}`,
    }));
    const { millrace } = await measure(testLoadPlan(url, { targets, durationMs: 100 }));
    expect(millrace.targets).toHaveLength(21);
    expect(millrace.targets.at(-1)).toBe("and 5 more");
    expect(millrace.targets.slice(0, 2)).toEqual([
      `GET ${shown}?token=…&a=0`,
      `GET ${shown}?token=…&a=1`,
    ]);
  });

  it("fails where nobody answers", async () => {
    const url = await serve(() => undefined);
    const server = servers.splice(0)[0];
    server?.close();
    await expect(measure(testLoadPlan(url))).rejects.toThrow("ECONNREFUSED");
  });
});
