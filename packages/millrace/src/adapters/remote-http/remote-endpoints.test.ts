import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { testContext } from "../../core/graph/test-step.ts";
import type { StepContext } from "../../core/graph/step.ts";
import { RetryBudget } from "../../core/overload/retry-budget.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { RemoteOptions, SourceStep } from "../../ports/step-sources.ts";
import { openRemote } from "./remote-http.ts";
import { answerSums, EJECTION, optionsOf, ROWS, Y } from "./test-remote.ts";
import { reply, startServer, type Seen, type TestServer } from "./test-server.ts";

const opened: SourceStep[] = [];
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
});

type Answering = (seen: Seen, response: ServerResponse) => void;

const failing: Answering = (_seen, response) => reply(response, {}, 500);
const silent: Answering = () => undefined;

/** A server whose behaviour a test may change. */
async function serverThat(answer: Answering): Promise<TestServer & { answer: Answering }> {
  const held = { answer };
  const server = await startServer((seen, response) => held.answer(seen, response));
  servers.push(server);
  return Object.defineProperty(server as TestServer & { answer: Answering }, "answer", {
    set: (next: Answering) => {
      held.answer = next;
    },
  });
}

interface World {
  readonly source: SourceStep;
  readonly clock: TestClock;
  readonly logged: string[];
  /** Runs the step. @returns the elements of its outputs, or the code and reason of what was thrown. */
  readonly run: (overrides?: Partial<StepContext>) => Promise<unknown>;
  /** Ports of the servers that answered so many requests one after the other, or "failed". */
  readonly portsOf: (count: number) => Promise<string[]>;
}

async function open(
  list: readonly TestServer[],
  overrides: Partial<RemoteOptions> = {},
): Promise<World> {
  const clock = new TestClock();
  const logged: string[] = [];
  const ignore = (): void => undefined;
  const log = (fields: object, message: string): void => {
    if (Object.hasOwn(fields, "ejectedMs") || message.includes("used again")) logged.push(message);
  };
  const options = optionsOf({ urls: list.map(({ url }) => url), ...overrides });
  const parts = {
    clock,
    random: () => 0.5,
    log: { debug: ignore, info: log, warn: log, error: ignore },
  };
  const source = await openRemote("far", options, parts);
  opened.push(source);
  const run: World["run"] = async (context = {}) => {
    try {
      const { outputs } = await source.step.run(ROWS, testContext(clock, context));
      return outputs.map(({ data }) => [...data]);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      return `${error.code}/${error.reason ?? ""}`;
    }
  };
  const portsOf: World["portsOf"] = async (count) => {
    const ports: string[] = [];
    for (let i = 0; i < count; i++) {
      const { trace } = testContext(clock);
      const result = await run({ trace });
      ports.push(typeof result === "string" ? "failed" : portOf(String(trace.facts["endpoint"])));
    }
    return ports;
  };
  return { source, clock, logged, run, portsOf };
}

function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(":") + 1);
}

describe("a remote step of several servers", () => {
  test("asks them in turn, and says which one answered", async () => {
    const [a, b, c] = [
      await serverThat(answerSums),
      await serverThat(answerSums),
      await serverThat(answerSums),
    ];
    const { portsOf } = await open([a, b, c]);
    const [pa, pb, pc] = [a, b, c].map(({ port }) => String(port));
    expect(await portsOf(6)).toEqual([pa, pb, pc, pa, pb, pc]);
  });

  test("asks the one with the fewest calls under way", async () => {
    const [slow, quick] = [await serverThat(answerSums), await serverThat(answerSums)];
    const { run, portsOf } = await open([slow, quick]);
    slow.answer = silent;
    const held = run();
    while (slow.seen.length === 0) await delay(1);
    expect(await portsOf(5)).toEqual(new Array<string>(5).fill(String(quick.port)));
    await slow[Symbol.asyncDispose]();
    expect(await held).toBe("REMOTE_FAILED/unreachable");
  });

  test("leaves one alone that failed 5 times in a row, for 30 s, and says so in the log and in its status", async () => {
    const [good, bad] = [await serverThat(answerSums), await serverThat(failing)];
    const { source, clock, logged, portsOf } = await open([good, bad]);
    const ports = await portsOf(20);
    expect(ports.filter((port) => port === "failed")).toHaveLength(5);
    expect(bad.seen).toHaveLength(5);
    expect(source.endpoints?.()).toMatchObject([
      {
        endpoint: `127.0.0.1:${good.port}`,
        isEjected: false,
        ejections: 0,
        failures: 0,
        calls: 15,
      },
      { endpoint: `127.0.0.1:${bad.port}`, isEjected: true, ejections: 1, failures: 5, calls: 5 },
    ]);
    bad.answer = answerSums;
    clock.advanceMs(30_000);
    expect(new Set(await portsOf(4))).toEqual(new Set([String(good.port), String(bad.port)]));
    expect(logged).toEqual([
      `Remote far: 127.0.0.1:${bad.port} keeps failing and is left alone for 30 s`,
      `Remote far: 127.0.0.1:${bad.port} is used again`,
    ]);
  });

  test("says when to come again while all are left alone", async () => {
    const list = [await serverThat(failing), await serverThat(failing)];
    const rules = { ...EJECTION, failures: 1, shareMax: 1, healthyMin: 0 };
    const { source, clock, portsOf } = await open(list, { ejection: rules });
    expect(await portsOf(2)).toEqual(["failed", "failed"]);
    clock.advanceMs(10_000);
    const run = async (): Promise<unknown> => source.step.run(ROWS, testContext(clock));
    await expect(run).rejects.toMatchObject({
      code: "OVERLOADED",
      reason: "breaker",
      retryAfterSeconds: 20,
    });
  });

  test.each([
    ["429", 429],
    ["404", 404],
  ])("does not count %s against a server", async (_name, status) => {
    const [good, busy] = [
      await serverThat(answerSums),
      await serverThat((_seen, response) => reply(response, {}, status)),
    ];
    const { source, portsOf } = await open([good, busy]);
    await portsOf(40);
    expect(source.endpoints?.()[1]).toMatchObject({
      isEjected: false,
      failures: 0,
      breaker: "closed",
    });
  });

  test("counts one that is gone, and ejects none with `ejection: off`: then its breaker keeps it off", async () => {
    const [good, gone] = [await serverThat(answerSums), await serverThat(answerSums)];
    await gone[Symbol.asyncDispose]();
    const { source, portsOf } = await open([good, gone], { ejection: undefined });
    expect((await portsOf(60)).filter((port) => port === "failed")).toHaveLength(20);
    expect(source.endpoints?.()[1]).toMatchObject({
      isEjected: false,
      breaker: "open",
      failures: 20,
    });
    expect(source.isUp).toBe(true);
  });

  test("asks another server first when a request is tried again", async () => {
    const [a, b] = [await serverThat(failing), await serverThat(answerSums)];
    const { run } = await open([a, b]);
    const tried = new Set<string>();
    expect(await run({ tried })).toBe("REMOTE_FAILED/status");
    expect([...tried]).toEqual([`127.0.0.1:${a.port}`]);
    a.answer = answerSums;
    for (let i = 0; i < 4; i++) {
      expect(await run({ tried: new Set([`127.0.0.1:${a.port}`]) })).toEqual([[3, 7]]);
    }
    expect([a.seen.length, b.seen.length]).toEqual([1, 4]);
  });

  test("is opened when one of them does not answer, and refused when two do not give the same", async () => {
    const [good, gone] = [await serverThat(describing("FP32")), await serverThat(answerSums)];
    await gone[Symbol.asyncDispose]();
    const { source } = await open([gone, good], {
      protocol: "oip",
      inputs: undefined,
      outputs: undefined,
    });
    expect(source.step.outputs).toEqual([Y]);
    const other = await serverThat(describing("FP64"));
    await expect(
      open([good, other], { protocol: "oip", inputs: undefined, outputs: undefined }),
    ).rejects.toThrow(`${other.url}/: outputs declares "y" FP32 [-1], its server says FP64 [-1]`);
  });

  test("names those with the same host and port by their paths", async () => {
    const server = await serverThat(answerSums);
    const urls = ["a", "b"].map((name) => `${server.url}/v1/models/${name}`);
    const { source } = await open([], { urls, model: undefined });
    const host = `127.0.0.1:${server.port}`;
    expect(source.endpoints?.().map(({ endpoint }) => endpoint)).toEqual([
      `${host}/v1/models/a`,
      `${host}/v1/models/b`,
    ]);
  });
});

describe("hedge", () => {
  const HEDGE = { hedge: { after: 50 } } as const;

  test("asks a second server after the time without an answer, takes its answer, and ends the first call", async () => {
    const [slow, quick] = [await serverThat(silent), await serverThat(answerSums)];
    let isEnded = false;
    slow.answer = (_seen, response) => void response.once("close", () => (isEnded = true));
    const { clock, source, run } = await open([slow, quick], HEDGE);
    const budget = new RetryBudget();
    const { trace } = testContext(clock);
    const answer = run({ budget, trace });
    while (slow.seen.length === 0) await delay(1);
    clock.advanceMs(50);
    expect(await answer).toEqual([[3, 7]]);
    while (!isEnded) await delay(1);
    expect([budget.extra, budget.counts]).toEqual([0, { retry: 0, hedge: 1, denied: 0 }]);
    expect(trace.facts).toEqual({ endpoint: `127.0.0.1:${quick.port}`, hedged: true });
    expect(source.endpoints?.().map(({ failures }) => failures)).toEqual([0, 0]);
  });

  test("asks none when the budget is used up", async () => {
    const [slow, quick] = [await serverThat(silent), await serverThat(answerSums)];
    const { clock, run } = await open([slow, quick], HEDGE);
    const budget = new RetryBudget();
    while (budget.tryTake("retry")); // all of it
    const answer = run({ budget });
    while (slow.seen.length === 0) await delay(1);
    clock.advanceMs(50);
    expect(quick.seen).toHaveLength(0);
    clock.advanceMs(950);
    expect(await answer).toBe("DEADLINE_EXCEEDED/");
  });

  test("asks none for a request that pays for no second call", async () => {
    const [slow, quick] = [await serverThat(silent), await serverThat(answerSums)];
    const { clock, run } = await open([slow, quick], HEDGE);
    const answer = run({ budget: undefined });
    while (slow.seen.length === 0) await delay(1);
    clock.advanceMs(1_000);
    expect(await answer).toBe("DEADLINE_EXCEEDED/");
    expect(quick.seen).toHaveLength(0);
  });

  test("asks none that is ejected", async () => {
    const [slow, bad] = [await serverThat(answerSums), await serverThat(failing)];
    const { clock, run, portsOf } = await open([slow, bad], HEDGE);
    await portsOf(12);
    const before = [slow.seen.length, bad.seen.length];
    slow.answer = silent;
    const answer = run();
    while (slow.seen.length === before[0]) await delay(1);
    clock.advanceMs(1_000);
    expect(await answer).toBe("DEADLINE_EXCEEDED/");
    expect(bad.seen).toHaveLength(before[1] ?? 0);
  });

  test("`p95` waits as long as 95 % of the latest calls took, and makes none before it knows that", async () => {
    const [a, b] = [await serverThat(answerSums), await serverThat(answerSums)];
    const { clock, run } = await open([a, b], { hedge: { after: "p95" } });
    const asked = (): number => a.seen.length + b.seen.length;
    for (let i = 1; i <= 20; i++) {
      const before = asked();
      const held: (() => void)[] = [];
      a.answer = b.answer = (seen, response) => void held.push(() => answerSums(seen, response));
      const answer = run();
      while (asked() === before) await delay(1);
      clock.advanceMs(i === 20 ? 40 : 10);
      expect(asked()).toBe(before + 1);
      held[0]?.();
      await answer;
    }
    a.answer = b.answer = silent;
    const before = asked();
    const answer = run();
    while (asked() === before) await delay(1);
    clock.advanceMs(10);
    while (asked() === before + 1) await delay(1);
    expect(asked()).toBe(before + 2);
    clock.advanceMs(1_000);
    expect(await answer).toBe("DEADLINE_EXCEEDED/");
  });
});

describe("a remote step and the time that is left", () => {
  test("refuses a request with less time than half of the calls took, without asking, until that is old", async () => {
    const server = await serverThat(answerSums);
    const { clock, run } = await open([server]);
    const held: (() => void)[] = [];
    server.answer = (seen, response) => void held.push(() => answerSums(seen, response));
    for (let i = 0; i < 20; i++) {
      const answer = run();
      while (held.length <= i) await delay(1);
      clock.advanceMs(100);
      held[i]?.();
      await answer;
    }
    server.answer = answerSums;
    const deadlineAtMs = clock.nowMs() + 99;
    expect(await run({ deadlineAtMs })).toBe("OVERLOADED/predicted_deadline");
    expect(server.seen).toHaveLength(20);
    expect(await run({ deadlineAtMs: deadlineAtMs + 1 })).toEqual([[3, 7]]);
    clock.advanceMs(10_001);
    expect(await run({ deadlineAtMs: clock.nowMs() + 50 })).toEqual([[3, 7]]);
  });
});

/** Says over the Open Inference Protocol what the model takes, and that it gives numbers of this datatype. */
function describing(datatype: string): Answering {
  const inputs = [{ name: "x", datatype: "FP32", shape: [-1, 2] }];
  return (seen, response) =>
    seen.path === "/v2"
      ? reply(response, {})
      : reply(response, { name: "m", inputs, outputs: [{ ...Y, datatype }] });
}
