import { createServer, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import { BATCH_SPANS_MAX, OtlpTracer, WAITING_SPANS_MAX } from "./otlp-tracer.ts";
import { tracedRequest } from "./test-requests.ts";

interface Export {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly spanCount: number;
}

/** A collector that answers when it is told to, and a tracer that sends to it. */
async function started(status = 200, isPrompt = true) {
  const exports: Export[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { resourceSpans } = body as {
        resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
      };
      const spans = resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap((all) => all.spans),
      );
      exports.push({ url: request.url ?? "", headers: request.headers, spanCount: spans.length });
      const answer = (): void => void response.writeHead(status).end("{}");
      if (isPrompt) answer();
      else waiting.push(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { exports, waiting, ...tracerOf(`http://127.0.0.1:${port}`) };
}

function tracerOf(endpoint: string) {
  const clock = new TestClock();
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const note = (fields: object, message: string): void => void lines.push({ fields, message });
  const tracer = new OtlpTracer({
    endpoint,
    headers: { authorization: "Bearer hunter22" },
    serviceName: "test",
    processIndex: 0,
    clock,
    log: { debug: note, info: note, warn: note, error: note },
  });
  return { tracer, clock, lines };
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await nextTurn();
}

const SPANS = 3; // of tracedRequest()

describe("OtlpTracer", () => {
  test("record() sends what waits a second later, with the headers of the file", async () => {
    const { tracer, clock, exports } = await started();
    tracer.record(tracedRequest());
    clock.advanceMs(999);
    tracer.record(tracedRequest());
    await nextTurn();
    expect(exports).toHaveLength(0);
    clock.advanceMs(1);
    await until(() => tracer.counts.exported > 0);
    expect(exports).toMatchObject([{ url: "/v1/traces", spanCount: 2 * SPANS }]);
    expect(exports[0]?.headers["authorization"]).toBe("Bearer hunter22");
    expect(tracer.counts).toEqual({ exported: 2 * SPANS, dropped: 0, exportErrors: 0 });
  });

  test("record() sends a full batch at once, and one batch at a time", async () => {
    const { tracer, clock, exports, waiting } = await started(200, false);
    const perBatch = Math.ceil(BATCH_SPANS_MAX / SPANS);
    for (let i = 0; i < 2 * perBatch + 1; i++) tracer.record(tracedRequest());
    await until(() => waiting.length === 1);
    clock.advanceMs(5_000);
    await nextTurn();
    expect(exports.map(({ spanCount }) => spanCount)).toEqual([perBatch * SPANS]);
    waiting.shift()?.();
    await until(() => waiting.length === 1);
    waiting.shift()?.();
    await until(() => tracer.counts.exported === 2 * perBatch * SPANS);
    clock.advanceMs(1_000);
    await until(() => waiting.length === 1);
    waiting.shift()?.();
    await until(() => tracer.counts.exported === (2 * perBatch + 1) * SPANS);
    expect(exports).toHaveLength(3);
  });

  test("record() drops and counts what is too much for a collector that does not answer", async () => {
    const { tracer, waiting } = await started(200, false);
    const perBatch = Math.ceil(BATCH_SPANS_MAX / SPANS);
    for (let i = 0; i < perBatch; i++) tracer.record(tracedRequest());
    await until(() => waiting.length === 1);
    const room = Math.floor(WAITING_SPANS_MAX / SPANS);
    for (let i = 0; i < room + 5; i++) tracer.record(tracedRequest());
    expect(tracer.counts.dropped).toBe(5 * SPANS);
  });

  test("a collector that refuses costs its spans and one line a minute, without what is secret", async () => {
    const { tracer, clock, lines } = await started(401);
    for (let round = 1; round <= 3; round++) {
      tracer.record(tracedRequest());
      clock.advanceMs(1_000);
      await until(() => tracer.counts.exportErrors === round);
    }
    expect(tracer.counts).toEqual({ exported: 0, dropped: 3 * SPANS, exportErrors: 3 });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.message).toMatch(/^Spans could not be sent: /);
    expect(JSON.stringify(lines)).not.toContain("hunter22");
    clock.advanceMs(60_000);
    tracer.record(tracedRequest());
    clock.advanceMs(1_000);
    await until(() => lines.length === 2);
  });

  test("close() sends what waits", async () => {
    const { tracer, exports } = await started();
    const count = 2 * BATCH_SPANS_MAX;
    for (let i = 0; i < count; i++) tracer.record(tracedRequest({ parts: [] }));
    await tracer.close(2_000);
    expect(tracer.counts).toEqual({ exported: count, dropped: 0, exportErrors: 0 });
    expect(exports.length).toBeGreaterThan(1);
    tracer.record(tracedRequest());
    expect(tracer.counts.dropped).toBe(SPANS);
  });

  test("close() waits as long as it may for a collector that does not answer, and no longer", async () => {
    const { tracer, clock, waiting } = await started(200, false);
    for (let i = 0; i < 500; i++) tracer.record(tracedRequest({ parts: [] }));
    await until(() => waiting.length === 1);
    let isClosed = false;
    const closed = tracer.close(2_000).then(() => (isClosed = true));
    clock.advanceMs(1_999);
    await nextTurn();
    expect(isClosed).toBe(false);
    clock.advanceMs(1);
    await closed;
    expect(tracer.counts.dropped).toBe(500 - BATCH_SPANS_MAX);
  });

  test("close() ends at once when nothing waits", async () => {
    const { tracer, clock } = tracerOf("http://127.0.0.1:9");
    await tracer.close(2_000);
    expect(clock.timerCount).toBe(0);
  });
});
