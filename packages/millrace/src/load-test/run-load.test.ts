import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { LoadInputError } from "./load-input-error.ts";
import type { LoadPlan } from "./load-plan.ts";
import { RESULT, RESULT_COLUMNS, type ResultBlock } from "./result-block.ts";
import { type RunFacts, runLoad } from "./run-load.ts";
import { testLoadPlan } from "./test-load-plan.ts";

interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly connections: number;
  readonly requests: number;
}

async function startServer(
  answer: (response: ServerResponse, request: IncomingMessage, number: number) => void,
): Promise<TestServer> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const number = requests++;
    request.resume().once("end", () => answer(response, request, number));
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get connections() {
      return sockets.size;
    },
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Result {
  readonly seq: number;
  readonly target: number;
  readonly intendedMs: number;
  readonly sentMs: number;
  readonly doneMs: number;
  readonly code: number;
  readonly error: string;
}

interface Ran extends RunFacts {
  readonly blocks: readonly ResultBlock[];
  readonly results: readonly Result[];
  readonly dropped: readonly number[];
}

function* resultsOf({ values, count, errors }: ResultBlock): Generator<Result> {
  for (let at = 0; at < count * RESULT_COLUMNS; at += RESULT_COLUMNS) {
    const value = (column: number): number => values[at + column]!;
    yield {
      seq: value(RESULT.seq),
      target: value(RESULT.target),
      intendedMs: value(RESULT.intendedMs),
      sentMs: value(RESULT.sentMs),
      doneMs: value(RESULT.doneMs),
      code: value(RESULT.code),
      error: value(RESULT.error) === 0 ? "" : errors[value(RESULT.error) - 1]!,
    };
  }
}

async function run(plan: LoadPlan, signal?: AbortSignal): Promise<Ran> {
  const blocks: ResultBlock[] = [];
  const facts = await runLoad(plan, {
    ...(signal !== undefined && { signal }),
    onBlock: (block) => void blocks.push(block),
  });
  const results = blocks.flatMap((block) => [...resultsOf(block)]);
  return { ...facts, blocks, results, dropped: blocks.flatMap((block) => block.dropped) };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

describe("runLoad()", () => {
  it("sends every start once, when it is due, over all threads", async () => {
    await using server = await startServer((response) => response.end("hello"));
    const { results, starts, ...facts } = await run(testLoadPlan(server.url, { threads: 2 }));
    expect(starts).toEqual({ due: 50, sent: 50, dropped: 0, unanswered: 0 });
    expect(facts).toMatchObject({ threads: 2, durationMs: 500, isInterrupted: false });
    const sorted = results.toSorted((a, b) => a.seq - b.seq);
    expect(sorted.map(({ seq }) => seq)).toEqual(numbers(50));
    expect(sorted.map(({ intendedMs }) => intendedMs)).toEqual(numbers(50).map((i) => i * 10));
    for (const { intendedMs, sentMs, doneMs, code, error } of results) {
      expect([code, error]).toEqual([200, ""]);
      expect(sentMs).toBeGreaterThanOrEqual(intendedMs);
      expect(doneMs).toBeGreaterThan(sentMs);
    }
  });

  it("begins at one moment that the caller hears of, and places results after it", async () => {
    await using server = await startServer((response) => response.end());
    const beforeMs = Date.now();
    let begunAtMs = NaN;
    const facts = await runLoad(testLoadPlan(server.url, { durationMs: 100 }), {
      onBegin: (startedAtMs) => (begunAtMs = startedAtMs),
      onBlock: (_, startedAtMs) => expect(startedAtMs).toBe(begunAtMs),
    });
    expect(facts.startedAtMs).toBe(begunAtMs);
    expect(begunAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(begunAtMs + facts.endedMs).toBeLessThanOrEqual(Date.now() + 1);
  });

  it("sends the starts of the warm-up and counts them nowhere", async () => {
    await using server = await startServer((response) => response.end());
    const { results, starts } = await run(testLoadPlan(server.url, { warmupMs: 200 }));
    expect([starts.due, results.length]).toEqual([50, 50]);
    expect(server.requests).toBe(70);
  });

  it("keeps as many requests under way as there are clients, in a closed loop", async () => {
    let [busy, busyMax] = [0, 0];
    await using server = await startServer((response) => {
      busyMax = Math.max(busyMax, ++busy);
      setTimeout(() => {
        busy--;
        response.end();
      }, 5);
    });
    const arrivals = { kind: "closed", clients: 3, thinkMs: 1 } as const;
    const { results, starts, threads } = await run(
      testLoadPlan(server.url, { arrivals, threads: 8, connectionsAtStart: 3 }),
    );
    expect([busyMax, threads]).toEqual([3, 3]);
    expect(starts).toEqual({
      due: results.length,
      sent: results.length,
      dropped: 0,
      unanswered: 0,
    });
    expect(server.requests).toBe(results.length);
    expect(new Set(results.map(({ seq }) => seq)).size).toBe(results.length);
    expect(server.connections).toBe(3);
  });

  it("drops a start that finds every connection busy, and waits for the answers of the others", async () => {
    const held: ServerResponse[] = [];
    await using server = await startServer((response) => {
      held.push(response);
      if (held.length === 2) setTimeout(() => held.forEach((one) => one.end()), 700);
    });
    const ran = await run(testLoadPlan(server.url, { connectionsMax: 2, threads: 2 }));
    expect(ran.starts).toEqual({ due: 50, sent: 2, dropped: 48, unanswered: 0 });
    expect(ran.dropped.toSorted((a, b) => a - b)).toEqual(
      numbers(50)
        .slice(2)
        .map((i) => i * 10),
    );
    expect(ran.results.map(({ code }) => code)).toEqual([200, 200]);
    expect(ran.endedMs).toBeGreaterThan(600);
  });

  it("gives up what has no answer in time, after the end too", async () => {
    await using server = await startServer(() => undefined);
    const { results, starts, endedMs } = await run(testLoadPlan(server.url, { timeoutMs: 150 }));
    expect(starts).toEqual({ due: 50, sent: 50, dropped: 0, unanswered: 0 });
    expect(results.length).toBe(50);
    for (const { sentMs, doneMs, code, error } of results) {
      expect([code, error]).toEqual([0, "no answer within 150ms"]);
      expect(doneMs - sentMs).toBeGreaterThanOrEqual(150);
    }
    expect(endedMs).toBeGreaterThan(500);
  });

  it("tells errors of answers and connections apart", async () => {
    await using server = await startServer((response, request, number) => {
      if (number % 2 === 0) response.writeHead(503).end();
      else request.socket.destroy();
    });
    const { results } = await run(testLoadPlan(server.url));
    const counts = Map.groupBy(results, ({ code, error }) => `${code} ${error}`);
    expect([...counts].map(([text, { length }]) => [text, length])).toEqual([
      ["503 503 Service Unavailable", 25],
      ["0 socket hang up", 25],
    ]);
  });

  it("sends the targets in turn, each with its body", async () => {
    const seen = new Map<string, number>();
    await using server = await startServer((response, { method, url, headers }) => {
      const key = [method, url, headers["content-length"]].join(" ");
      seen.set(key, (seen.get(key) ?? 0) + 1);
      response.end();
    });
    const target = { headers: [], weight: 1 };
    const targets = [
      { ...target, method: "GET", url: `${server.url}a`, body: [] },
      { ...target, method: "POST", url: `${server.url}b`, body: [{ kind: "uuid" }] },
    ] as const;
    await run(testLoadPlan(server.url, { targets }));
    expect(Object.fromEntries(seen)).toEqual({ "GET /a ": 25, "POST /b 36": 25 });
  });

  it("stops at once when it is interrupted, and keeps what it has", async () => {
    const controller = new AbortController();
    await using server = await startServer((response, _, number) => {
      if (number < 10) response.end();
      if (number === 19) controller.abort();
    });
    const plan = testLoadPlan(server.url, { durationMs: 60_000, threads: 2 });
    const { starts, results, ...facts } = await run(plan, controller.signal);
    expect(facts.isInterrupted).toBe(true);
    expect(facts.durationMs).toBeGreaterThan(150);
    expect(facts.durationMs).toBeLessThan(60_000);
    expect(results.length).toBe(10);
    expect(starts.sent).toBeGreaterThanOrEqual(20);
    expect(starts.unanswered).toBe(starts.sent - 10);
    expect(starts.due).toBeGreaterThanOrEqual(starts.sent);
  });

  it("is not interrupted by the end of a run without an end", async () => {
    const controller = new AbortController();
    await using server = await startServer((response, _, number) => {
      response.end();
      if (number === 19) controller.abort();
    });
    const plan = testLoadPlan(server.url, { durationMs: Infinity });
    const { isInterrupted, durationMs } = await run(plan, controller.signal);
    expect(isInterrupted).toBe(false);
    expect(durationMs).toBeLessThan(60_000);
  });

  it("waits at the end of a run without an end for what was sent: who never answers is counted", async () => {
    const controller = new AbortController();
    await using server = await startServer((response, _, number) => {
      if (number < 10) response.end();
      if (number === 19) controller.abort();
    });
    const plan = testLoadPlan(server.url, { durationMs: Infinity, timeoutMs: 300, threads: 2 });
    const { starts, results, durationMs, blocks } = await run(plan, controller.signal);
    expect(starts.sent).toBeGreaterThanOrEqual(20);
    expect(starts).toEqual({ due: starts.sent, sent: starts.sent, dropped: 0, unanswered: 0 });
    expect(results.filter(({ code }) => code === 0).length).toBe(starts.sent - 10);
    // What is waited for is no measured time.
    for (const thread of [0, 1]) {
      const own = blocks.filter((block) => block.thread.thread === thread);
      const measuredMs = own.reduce((sum, block) => sum + block.thread.measuredMs, 0);
      expect(Math.abs(measuredMs - durationMs)).toBeLessThan(100);
    }
  });

  it("sends nothing when it was interrupted before it began", async () => {
    await using server = await startServer((response) => response.end());
    const { starts, isInterrupted, durationMs } = await run(
      testLoadPlan(server.url),
      AbortSignal.abort(),
    );
    expect([isInterrupted, durationMs, server.requests]).toEqual([true, 0, 0]);
    expect(starts).toEqual({ due: 0, sent: 0, dropped: 0, unanswered: 0 });
  });

  it("does not begin when nobody listens", async () => {
    const server = await startServer((response) => response.end());
    await server[Symbol.asyncDispose]();
    const refused = run(testLoadPlan(server.url));
    await expect(refused).rejects.toThrow(LoadInputError);
    await expect(refused).rejects.toThrow(/^Cannot connect to http.*ECONNREFUSED/);
  });

  it("does not begin when a target cannot be sent", async () => {
    const target = { method: "GET", url: "http://h/", headers: [], body: [], weight: 1 };
    const targets = [{ ...target, headers: [["x", "a\nb"]] as const }];
    await expect(run(testLoadPlan("", { targets }))).rejects.toThrow(LoadInputError);
  });

  it("ends with what the caller cannot do with results", async () => {
    await using server = await startServer((response) => response.end());
    const running = runLoad(testLoadPlan(server.url, { durationMs: 60_000 }), {
      onBlock: () => Promise.reject(new Error("Disk full")),
    });
    await expect(running).rejects.toThrow("Disk full");
  });

  it("ends with the reason when a thread fails", async () => {
    await using server = await startServer((response) => response.end());
    // Nobody makes such a plan: the number of a target that is not there.
    const rows = { columns: [], bytes: null, offsets: null, order: "in-turn" };
    const body = [{ kind: "row" }];
    const targets = [{ method: "POST", url: server.url, headers: [], body, weight: 1 }];
    const plan = { ...testLoadPlan(server.url), targets, rows } as unknown as LoadPlan;
    await expect(run(plan)).rejects.toThrow(/^Cannot go on with the load test: thread 0 failed: /);
  });

  it("takes the next block of results when the last one has been taken", async () => {
    await using server = await startServer((response) => response.end());
    let [taking, takingMax] = [0, 0];
    await runLoad(testLoadPlan(server.url, { threads: 3 }), {
      onBlock: async () => {
        takingMax = Math.max(takingMax, ++taking);
        await new Promise((resolve) => setTimeout(resolve, 20));
        taking--;
      },
    });
    expect([taking, takingMax]).toEqual([0, 1]);
  });
});
