import { describe, expect, it } from "vitest";
import { Metrics } from "../core/metrics/metrics.ts";
import { prometheusText } from "../core/metrics/prometheus-text.ts";
import { readServerCounts, type ServerCounts } from "./server-counts.ts";
import { serverView } from "./server-view.ts";

/** What a Millrace prints. */
class TestServer {
  readonly #metrics = new Metrics();
  readonly #seconds = this.#metrics.histogram(
    "inference_request_duration_seconds",
    "From the parsed request to the outputs",
    ["service", "model", "version"],
    [0.01, 0.02, 0.04],
  );
  readonly #rejected = this.#metrics.counter("inference_rejected_total", "Refused", ["reason"]);

  answer(service: string, model: string, seconds: readonly number[]): void {
    for (const value of seconds) this.#seconds.with(service, model, "1").observe(value);
  }

  refuse(reason: string, count: number): void {
    this.#rejected.with(reason).add(count);
  }

  counts(service?: string): ServerCounts {
    const counts = readServerCounts(prometheusText(this.#metrics.snapshot()), service);
    if (counts === undefined) throw new Error("The page is none of a Millrace");
    return counts;
  }
}

const repeated = (value: number, count: number): number[] => Array<number>(count).fill(value);

describe("readServerCounts()", () => {
  it("adds up the models and versions of a service, and leaves out other services", () => {
    const server = new TestServer();
    server.answer("iris", "svc", [0.005, 0.015]);
    server.answer("iris", "rf", [0.005]);
    server.answer('a "quoted" \\ name', "rf", [0.005]);
    const { atMost } = server.counts("iris");
    expect([...atMost]).toEqual([
      [0.01, 2],
      [0.02, 3],
      [0.04, 3],
      [Infinity, 3],
    ]);
    expect(server.counts().atMost.get(Infinity)).toBe(4);
  });

  it("is undefined of the metrics of something else", () => {
    expect(readServerCounts("# TYPE up gauge\nup 1\n", undefined)).toBeUndefined();
    expect(readServerCounts("<html></html>", undefined)).toBeUndefined();
  });
});

describe("serverView()", () => {
  it("counts what came between two looks", () => {
    const server = new TestServer();
    server.answer("iris", "svc", repeated(0.03, 1000));
    server.refuse("queue", 5);
    const before = server.counts();
    server.answer("iris", "svc", [...repeated(0.005, 100), ...repeated(0.015, 100)]);
    server.refuse("queue", 2);
    server.refuse("rate", 3);
    expect(serverView(before, server.counts())).toEqual({
      requests: 200,
      p50_ms: 10,
      p99_ms: expect.closeTo(19.8, 9),
      refused: { queue: 2, rate: 3 },
    });
  });

  it("takes a quantile by a straight line within its bucket, and the highest bound for what is above", () => {
    const server = new TestServer();
    const nothing = server.counts();
    server.answer("iris", "svc", [...repeated(0.005, 10), ...repeated(1, 10)]);
    expect(serverView(nothing, server.counts())).toMatchObject({ p50_ms: 10, p99_ms: 40 });
  });

  it("is 0 of a time in which nothing was asked", () => {
    const server = new TestServer();
    server.answer("iris", "svc", [0.005]);
    const counts = server.counts();
    expect(serverView(counts, counts)).toEqual({ requests: 0, p50_ms: 0, p99_ms: 0, refused: {} });
  });
});
